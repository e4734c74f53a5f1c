"""What is planned for a machine: what fits, in the build's own spelling, and what it costs."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from qcode.protocol.errors import InputError
from qcode.serve.base import Engine, Gpu, Machine, ModelFile, Plan, Wants
from qcode.serve.gguf import read
from qcode.serve.needs import Layout, cache_bytes, needs, totals
from qcode.serve.plan import plan
from qcode.serve.room import room
from tests.serve.models import CUDA, DENSE, EXPERTS, GIB, PROCESSOR, gpu, machine
from tests.support.llama import make_model

MIB = 1 << 20


def made(
    host: Machine, model: ModelFile = EXPERTS, engine: Engine = CUDA, wants: Wants | None = None
) -> Plan:
    return plan(host, model, engine, wants or Wants())


def flag(found: Plan, name: str) -> str | None:
    """The value of a flag; None = it is not there."""
    return next((one.value for one in found.flags if one.name == name), None)


# What fits.


def test_a_large_card_holds_the_whole_context_with_the_better_cache() -> None:
    found = made(machine(gpu(48)))
    assert (found.context_tokens, found.kv_type, found.slots) == (262_144, "f16", 1)
    assert flag(found, "--ctx-size") == "262144"
    assert flag(found, "--cache-type-k") is flag(found, "--flash-attn") is None
    assert found.fits
    assert found.remarks == ()


def test_a_card_of_24_gb_holds_the_dense_model_with_a_smaller_cache() -> None:
    found = made(machine(gpu(24)), replace(DENSE, has_mtp=False))
    assert found.context_tokens >= 98_304
    assert found.kv_type == "q8_0"
    assert [flag(found, f"--cache-type-{one}") for one in "kv"] == ["q8_0", "q8_0"]
    assert flag(found, "--flash-attn") == "on"


def test_experts_go_beside_a_card_that_is_too_small_and_the_context_stays_long() -> None:
    found = made(machine(gpu(12, "NVIDIA GeForce RTX 3060")))
    assert found.context_tokens == 65_536
    assert flag(found, "--n-cpu-moe") is None  # the build finds the number itself
    assert flag(found, "--threads") == "8"
    assert "of 40 layers stay in the system's memory, about" in found.remarks[0]
    old = made(machine(gpu(12)), engine=replace(CUDA, build=8000))
    assert flag(old, "--n-gpu-layers") == "999"
    assert 10 < int(flag(old, "--n-cpu-moe") or 0) < 40


def test_layers_beside_a_card_are_told_as_the_loss_that_they_are() -> None:
    found = made(machine(gpu(12)), DENSE)
    assert "layers do not fit on the GPU. Each costs a part of the speed" in found.remarks[0]
    assert found.fits


def test_what_does_not_fit_says_what_misses() -> None:
    found = made(machine(gigabytes=16))
    assert not found.fits
    assert found.remarks[0].startswith("It does not fit: ")
    assert "qcode models" in found.remarks[0]


def test_a_context_that_was_asked_for_is_kept_or_told_as_impossible() -> None:
    wants = Wants(context_tokens=100_000)
    assert made(machine(gpu(24)), wants=wants).context_tokens == 100_000
    found = made(machine(gpu(8), gigabytes=12), DENSE, wants=wants)
    assert (found.context_tokens, found.fits) == (100_000, False)


def test_what_was_asked_for_is_given_as_the_reason() -> None:
    found = made(machine(gpu(24)), wants=Wants(context_tokens=16_384))
    (why,) = (flag.why for flag in found.flags if flag.name == "--ctx-size")
    assert why.endswith("trained for, as asked for")


def test_memory_that_others_hold_is_not_planned_with() -> None:
    busy = replace(gpu(24), free_bytes=20 * GIB)
    found = made(machine(busy))
    assert found.remarks[-1].startswith("Other programs hold 4.0 GiB of NVIDIA GeForce RTX 4090")
    assert totals(found.needs)[0] <= 19 * GIB


def test_two_cards_hold_what_one_does_not() -> None:
    assert made(machine(gpu(16), gpu(16))).remarks == ()
    assert made(machine(gpu(16), gpu(16))).context_tokens >= 131_072


def test_a_machine_of_one_memory_is_filled_once() -> None:
    mac = Gpu("Apple M4 Max", "apple", 48 * GIB, None, is_unified=True)
    host = Machine("macos", "Apple M4 Max", 12, 64 * GIB, 40 * GIB, (mac,))
    metal = Engine("llama-server", "/opt/homebrew/bin/llama-server", 11549, ("metal",))
    found = made(host, engine=metal)
    assert found.fits
    assert sum(totals(found.needs)) <= 36 * GIB


def test_the_figures_are_those_of_the_engines_own_log() -> None:
    """A 27B with a head for drafting at 32,768 tokens: llama.cpp, August 2026."""
    layout = Layout(32_768, 1, "f16", is_on_gpu=True)
    found = {
        one.name: one.size_bytes / MIB
        for one in needs(DENSE, layout, room(machine(gpu(24)), CUDA))
        if one.where == "gpu"
    }
    assert found["cache of 32,768 tokens"] == 2048.0
    assert found["state"] == pytest.approx(149.62, abs=0.01)
    ahead = cache_bytes(DENSE, replace(layout, mtp=True)) / MIB
    assert ahead == 2048 + 128


# Laws.

GPUS = st.lists(st.integers(0, 96), max_size=3).map(lambda all_: tuple(map(gpu, all_)))
MODELS = st.sampled_from((EXPERTS, DENSE, replace(DENSE, size_bytes=3 * GIB, has_mtp=False)))
WANTS = st.builds(
    Wants,
    context_tokens=st.none() | st.integers(2048, 262_144),
    slots=st.none() | st.integers(1, 4),
    kv_type=st.none() | st.sampled_from(("f16", "q8_0")),
)


@given(gpus=GPUS, gigabytes=st.integers(1, 256), model=MODELS, wants=WANTS)
@settings(max_examples=150, deadline=None)
def test_a_plan_that_fits_never_takes_more_than_there_is(
    gpus: tuple[Gpu, ...], gigabytes: int, model: ModelFile, wants: Wants
) -> None:
    host = machine(*gpus, gigabytes=gigabytes)
    found = plan(host, model, CUDA, wants)
    on_gpu, system = totals(found.needs)
    if found.fits:
        assert on_gpu <= sum(one.memory_bytes for one in gpus)
        assert system < host.free_bytes
        assert sum(one.size_bytes for one in found.needs if "weights" in one.name) <= (
            model.size_bytes
        )
    else:
        assert any(remark.startswith("It does not fit") for remark in found.remarks)


@given(
    sizes=st.tuples(st.integers(2, 96), st.integers(4, 256)),
    more=st.tuples(st.integers(0, 64), st.integers(0, 128)),
    model=MODELS,
    slots=st.integers(1, 3),
)
@settings(max_examples=150, deadline=None)
def test_more_memory_never_gives_less_context(
    sizes: tuple[int, int], more: tuple[int, int], model: ModelFile, slots: int
) -> None:
    less = machine(gpu(sizes[0]), gigabytes=sizes[1])
    larger = machine(gpu(sizes[0] + more[0]), gigabytes=sizes[1] + more[1])
    wants = Wants(slots=slots)
    before, after = plan(less, model, CUDA, wants), plan(larger, model, CUDA, wants)
    assert after.fits >= before.fits
    assert not before.fits or after.context_tokens >= before.context_tokens


@given(gigabytes=st.integers(0, 128), model=MODELS, build=st.integers(0, 12_000))
@settings(max_examples=80, deadline=None)
def test_every_flag_has_its_reason_and_none_comes_twice(
    gigabytes: int, model: ModelFile, build: int
) -> None:
    host = machine(*([gpu(gigabytes)] if gigabytes else []))
    found = plan(host, model, replace(CUDA, build=build), Wants())
    names = [one.name for one in found.flags]
    assert len(names) == len(set(names))
    assert all(one.why and one.name.startswith("--") for one in found.flags)
    assert "q4_0" not in {one.value for one in found.flags}


# Builds.


@pytest.mark.parametrize(
    ("build", "attention", "kwargs", "preserve", "checkpoints"),
    [
        (6000, "", True, None, None),
        (9000, None, True, None, "32"),
        (10_500, None, False, "", "32"),
        (11_549, None, False, None, "32"),
        (0, None, False, None, "32"),
    ],
)
def test_a_build_is_told_in_its_own_words(
    *,
    build: int,
    attention: str | None,
    kwargs: bool,
    preserve: str | None,
    checkpoints: str | None,
) -> None:
    found = made(machine(gpu(48)), engine=replace(CUDA, build=build))
    assert flag(found, "--flash-attn") == attention
    assert (flag(found, "--chat-template-kwargs") == '{"preserve_thinking":true}') is kwargs
    assert flag(found, "--reasoning-preserve") == preserve
    assert flag(found, "--ctx-checkpoints") == checkpoints
    assert flag(found, "--jinja") == ""


def test_a_model_without_a_running_state_needs_no_checkpoints() -> None:
    assert (
        flag(made(machine(gpu(48)), replace(EXPERTS, state_bytes=0)), "--ctx-checkpoints") is None
    )


@pytest.mark.parametrize(
    ("engine", "host", "wants", "drafts"),
    [
        (CUDA, machine(gpu(48)), Wants(), True),
        (replace(CUDA, build=9000), machine(gpu(48)), Wants(), False),
        (replace(CUDA, build=0), machine(gpu(48)), Wants(), False),
        (replace(CUDA, uses=("vulkan",)), machine(gpu(48)), Wants(), False),
        (replace(CUDA, uses=("vulkan",)), machine(gpu(48)), Wants(mtp="on"), True),
        (CUDA, machine(gpu(48)), Wants(mtp="off"), False),
        (CUDA, machine(), Wants(), False),
    ],
)
def test_drafting_is_on_where_it_is_known_to_be_good(
    *, engine: Engine, host: Machine, wants: Wants, drafts: bool
) -> None:
    found = made(host, DENSE, engine, wants)
    assert (flag(found, "--spec-type") == "draft-mtp") is drafts
    assert (flag(found, "--spec-draft-n-max") == "2") is drafts


def test_slots_share_one_pool() -> None:
    found = made(machine(gpu(48)), wants=Wants(slots=3))
    assert (flag(found, "--parallel"), flag(found, "--kv-unified")) == ("3", "")
    assert found.context_tokens == 262_144
    assert flag(made(machine(gpu(48))), "--kv-unified") is None


def test_small_memory_keeps_fewer_states_and_conversations() -> None:
    found = made(machine(gigabytes=31))
    assert 0 < int(flag(found, "--ctx-checkpoints") or 0) < 32
    assert int(flag(found, "--cache-ram") or 0) < 8192


# Wishes.


def test_a_stretched_context_has_the_smallest_factor_and_the_warning() -> None:
    found = made(machine(gpu(80)), wants=Wants(context_tokens=400_000))
    assert flag(found, "--rope-scaling") == "yarn"
    assert flag(found, "--rope-scale") == "1.53"
    assert flag(found, "--yarn-orig-ctx") == "262144"
    assert any("short texts" in remark for remark in found.remarks)
    with pytest.raises(InputError, match="Ask for 1,048,576 at most"):
        made(machine(gpu(80)), wants=Wants(context_tokens=2_000_000))
    assert flag(made(machine(gpu(80))), "--rope-scaling") is None


def test_eyes_are_loaded_when_asked_for_and_told_when_not() -> None:
    seeing = replace(EXPERTS, projector=Path("/models/mmproj-BF16.gguf"), projector_bytes=900 * MIB)
    found = made(machine(gpu(48)), seeing, wants=Wants(vision=True))
    assert flag(found, "--mmproj") == "/models/mmproj-BF16.gguf"
    assert flag(found, "--no-mmproj") is None
    plain = made(machine(gpu(48)), seeing)
    assert flag(plain, "--no-mmproj") == ""
    assert "mmproj-BF16.gguf, for 900 MiB more" in plain.remarks[-1]
    with pytest.raises(InputError, match="No projector"):
        made(machine(gpu(48)), wants=Wants(vision=True))


def test_a_head_that_is_not_there_cannot_be_asked_for() -> None:
    with pytest.raises(InputError, match="has no head"):
        made(machine(gpu(48)), wants=Wants(mtp="on"))


def test_a_folder_for_slots_is_passed_on() -> None:
    assert (
        flag(made(machine(gpu(48)), wants=Wants(slot_folder="/s l")), "--slot-save-path") == "/s l"
    )


# A GPU that lies idle.


@pytest.mark.parametrize(
    ("card", "engine", "command"),
    [
        (gpu(24), PROCESSOR, "pip install xllamacpp --force-reinstall --index-url"),
        (gpu(24), PROCESSOR, "/whl/cu128"),
        (replace(gpu(24), driver="600.1"), PROCESSOR, "/whl/cu132"),
        (gpu(24, "AMD Radeon RX 7900 XTX", "amd"), PROCESSOR, "/whl/rocm-7.2.4"),
        (gpu(16, "Intel Arc A770", "intel"), PROCESSOR, "/whl/vulkan"),
        (gpu(24), replace(CUDA, uses=()), "-DGGML_CUDA=ON"),
        (gpu(24, "AMD Radeon RX 7900 XTX", "amd"), replace(CUDA, uses=()), "-DGGML_HIP=ON"),
        (gpu(24, "AMD Radeon RX 7900 XTX", "amd"), CUDA, "-DGGML_HIP=ON"),
        (gpu(16, "Intel Arc A770", "intel"), replace(CUDA, uses=()), "-DGGML_VULKAN=ON"),
    ],
)
def test_an_idle_gpu_comes_first_with_the_loss_and_the_command(
    card: Gpu, engine: Engine, command: str
) -> None:
    first = made(machine(card), engine=engine).remarks[0]
    assert first.startswith(f"{card.name} is not used: ")
    assert "The processor writes about" in first
    assert command in first


def test_an_idle_gpu_of_a_mac_and_one_without_a_driver_are_told() -> None:
    mac = Gpu("Apple M4", "apple", 40 * GIB, None, is_unified=True)
    host = Machine("macos", "Apple M4", 8, 64 * GIB, 60 * GIB, (mac,))
    assert "brew install llama.cpp" in made(host, engine=replace(CUDA, uses=())).remarks[0]
    none = Gpu("NVIDIA GPU 2684", "nvidia", 0, None)
    assert "has no driver that can be reached" in made(machine(none)).remarks[0]


def test_a_gpu_that_is_used_or_a_processors_own_is_not_complained_of() -> None:
    assert made(machine(gpu(48)), engine=replace(CUDA, uses=("vulkan",))).remarks == ()
    inside = Gpu("Intel GPU 46a6", "intel", 64 * GIB, None, is_unified=True)
    assert not any("is not used" in one for one in made(machine(inside)).remarks)
    assert not any("is not used" in one for one in made(machine(gpu(48), inside)).remarks)


def test_a_wheel_for_every_processor_is_told_with_the_figure_and_the_way_out() -> None:
    package = Engine("xllamacpp", "2026.10", 11_549, ())
    (told,) = (it for it in made(machine(), engine=package).remarks if "every processor" in it)
    assert "up to three times by reports" in told
    assert "cmake -B build && cmake --build build -j -t llama-server" in told
    assert "serve.binary" in told


def test_flaws_of_the_file_are_told() -> None:
    assert "It smells." in made(machine(gpu(48)), replace(EXPERTS, flaws=("It smells.",))).remarks


def test_a_real_file_is_planned_for_this_kind_of_machine(tmp_path: Path) -> None:
    found = made(machine(gigabytes=8), read(make_model(tmp_path, "3.5")), PROCESSOR)
    assert found.fits
    assert found.context_tokens >= 65_536
    assert flag(found, "--threads") == "8"


def test_it_sleeps_if_it_is_to_and_if_the_build_surely_can() -> None:
    wants = Wants(sleep_seconds=90)
    assert flag(made(machine(gpu(48)), wants=wants), "--sleep-idle-seconds") == "90"
    for build in (0, 7000):
        old = made(machine(gpu(48)), engine=replace(CUDA, build=build), wants=wants)
        assert flag(old, "--sleep-idle-seconds") is None
    assert flag(made(machine(gpu(48))), "--sleep-idle-seconds") is None
