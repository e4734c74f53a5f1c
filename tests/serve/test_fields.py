"""Flags of llama-server reach xllamacpp's parameters, all that a plan may have."""

from pathlib import Path

import pytest
import xllamacpp
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from qcode.protocol.errors import InputError
from qcode.serve.base import Engine, Gpu, Machine, ModelFile, Wants
from qcode.serve.fields import SETTERS, apply
from qcode.serve.plan import plan

MODEL = ModelFile(
    path=Path("m.gguf"),
    architecture="qwen35moe",
    name="Qwen3.6 35B A3B",
    quantisation="Q4_K_M",
    size_bytes=21 << 30,
    layers=40,
    trained_tokens=262_144,
    kv_bytes_per_token=20_480,
    state_bytes=64 << 20,
    expert_bytes=18 << 30,
    has_mtp=True,
    template="{{ preserve_thinking }}",
    projector=Path("mmproj.gguf"),
)
"""Of the kind that has most flags."""

VALUES = {
    "--ctx-size": ("65536", "n_ctx", 65536),
    "--parallel": ("2", "n_parallel", 2),
    "--threads": ("7", "cpuparams.n_threads", 7),
    "--threads-batch": ("8", "cpuparams_batch.n_threads", 8),
    "--threads-http": ("3", "n_threads_http", 3),
    "--batch-size": ("4096", "n_batch", 4096),
    "--ubatch-size": ("1024", "n_ubatch", 1024),
    "--predict": ("99", "n_predict", 99),
    "--gpu-layers": ("all", "n_gpu_layers", -2),
    "--n-gpu-layers": ("999", "n_gpu_layers", 999),
    "--cpu-moe": ("", "tensor_buft_overrides", r"\.ffn_(up|down|gate|gate_up)_(ch|)exps=CPU"),
    "--n-cpu-moe": (
        "2",
        "tensor_buft_overrides",
        r"blk\.0\.ffn_(up|down|gate|gate_up)_(ch|)exps=CPU,"
        r"blk\.1\.ffn_(up|down|gate|gate_up)_(ch|)exps=CPU",
    ),
    "--override-tensor": ("exps=CPU", "tensor_buft_overrides", "exps=CPU"),
    "--fit": ("off", "fit_params", False),
    "--cache-ram": ("2048", "cache_ram_mib", 2048),
    "--cache-reuse": ("256", "n_cache_reuse", 256),
    "--ctx-checkpoints": ("64", "n_ctx_checkpoints", 64),
    "--checkpoint-min-step": ("4096", "checkpoint_min_step", 4096),
    "--kv-unified": ("", "kv_unified", True),
    "--no-kv-unified": ("", "kv_unified", False),
    "--swa-full": ("", "swa_full", True),
    "--jinja": ("", "use_jinja", True),
    "--chat-template": ("{{ x }}", "chat_template", "{{ x }}"),
    "--chat-template-kwargs": (
        '{"preserve_thinking": true}',
        "default_template_kwargs",
        {"preserve_thinking": "true"},
    ),
    "--reasoning-preserve": (
        "",
        "default_template_kwargs",
        {"preserve_thinking": "true"},
    ),
    "--reasoning-budget": ("-1", "sampling.reasoning_budget_tokens", -1),
    "--rope-scale": ("4", "rope_freq_scale", 0.25),
    "--rope-freq-base": ("10000", "rope_freq_base", 10000.0),
    "--yarn-orig-ctx": ("262144", "yarn_orig_ctx", 262144),
    "--mmproj": ("eyes.gguf", "mmproj.path", "eyes.gguf"),
    "--no-mmproj": ("", "no_mmproj", True),
    "--metrics": ("", "endpoint_metrics", True),
    "--props": ("", "endpoint_props", True),
    "--slots": ("", "endpoint_slots", True),
    "--no-slots": ("", "endpoint_slots", False),
    "--slot-save-path": ("/x/", "slot_save_path", "/x/"),
    "--sleep-idle-seconds": ("60", "sleep_idle_seconds", 60),
    "--spec-draft-n-max": ("2", "speculative.draft.n_max", 2),
    "--spec-draft-n-min": ("1", "speculative.draft.n_min", 1),
    "--spec-draft-p-min": ("0.5", "speculative.draft.p_min", 0.5),
    "--temp": ("0.5", "sampling.temp", 0.5),
    "--top-p": ("0.5", "sampling.top_p", 0.5),
    "--top-k": ("20", "sampling.top_k", 20),
    "--min-p": ("0.25", "sampling.min_p", 0.25),
    "--presence-penalty": ("1.5", "sampling.penalty_present", 1.5),
    "--repeat-penalty": ("1.0", "sampling.penalty_repeat", 1.0),
    "--timeout": ("60", "timeout_read", 60),
    "--no-warmup": ("", "warmup", False),
    "--no-ui": ("", "ui", False),
    "--no-webui": ("", "ui", False),
    "--no-context-shift": ("", "ctx_shift", False),
}
"""Flag -> its value, and which field then holds what."""

WORDS = {
    "--flash-attn": ("on", "flash_attn_type", "LLAMA_FLASH_ATTN_TYPE_ENABLED"),
    "--cache-type-k": ("q8_0", "cache_type_k", "GGML_TYPE_Q8_0"),
    "--cache-type-v": ("bf16", "cache_type_v", "GGML_TYPE_BF16"),
    "--rope-scaling": ("yarn", "rope_scaling_type", "LLAMA_ROPE_SCALING_TYPE_YARN"),
    "--reasoning-format": ("none", "reasoning_format", "COMMON_REASONING_FORMAT_NONE"),
}


def at(params: object, path: str) -> object:
    for step in path.split("."):
        params = getattr(params, step)
    return params


@pytest.mark.parametrize("name", VALUES)
def test_a_flag_sets_its_field(name: str) -> None:
    value, path, wanted = VALUES[name]
    params = xllamacpp.CommonParams()
    assert apply(params, [(name, value)]) == ()
    assert at(params, path) == wanted


@pytest.mark.parametrize("name", WORDS)
def test_a_word_becomes_a_member_of_the_enumeration(name: str) -> None:
    value, path, wanted = WORDS[name]
    params = xllamacpp.CommonParams()
    apply(params, [(name, value)])
    assert at(params, path) == type(at(params, path)).__members__[wanted]  # type: ignore[attr-defined] # an enumeration


def test_drafting_is_switched_on_with_the_head_that_it_needs() -> None:
    params = xllamacpp.CommonParams()
    apply(params, [("--spec-type", "draft-mtp")])
    kinds = xllamacpp.common_speculative_type.__members__
    assert params.speculative.types == [kinds["COMMON_SPECULATIVE_TYPE_DRAFT_MTP"]]
    assert params.load_mtp


GPUS = st.sampled_from(
    [
        (),
        (Gpu("RTX 4090", "nvidia", 24 << 30, 23 << 30),),
        (Gpu("RTX 5060", "nvidia", 8 << 30, 7 << 30),),
        (Gpu("M4", "apple", 64 << 30, None, is_unified=True),),
    ]
)


@given(
    GPUS,
    st.sampled_from(["qwen35moe", "qwen35", "llama"]),
    st.sampled_from([0, 8000, 9000, 10000, 11000, 11549]),
    st.builds(
        Wants,
        context_tokens=st.sampled_from([None, 4096, 131_072, 1_000_000]),
        slots=st.sampled_from([None, 1, 3]),
        kv_type=st.sampled_from([None, "f16", "bf16", "q8_0"]),
        vision=st.booleans(),
        slot_folder=st.sampled_from(["", "/slots/"]),
        sleep_seconds=st.sampled_from([0, 3600]),
        mtp=st.sampled_from(["auto", "on", "off"]),
    ),
)
def test_every_flag_of_any_plan_has_its_field(
    gpus: tuple[Gpu, ...], architecture: str, build: int, wants: Wants
) -> None:
    machine = Machine("linux", "A processor", 8, 64 << 30, 48 << 30, gpus)
    model = replace(MODEL, architecture=architecture)
    engine = Engine("xllamacpp", "1", build, ("cuda",) if gpus else ())
    try:
        made = plan(machine, model, engine, wants)
    except InputError:  # a wish that cannot be
        return
    flags = [(flag.name, flag.value) for flag in made.flags]
    assert apply(xllamacpp.CommonParams(), flags) == ()


def test_every_flag_is_tried_here() -> None:
    others = {"--spec-type", "--chat-template-file"}
    assert set(SETTERS) == {*VALUES, *WORDS, *others}


def test_a_flag_that_it_does_not_have_is_named() -> None:
    assert apply(xllamacpp.CommonParams(), [("--rpc", "x"), ("--jinja", "")]) == ("--rpc",)


def test_a_value_that_is_none_is_told() -> None:
    with pytest.raises(ValueError, match="'q3'"):
        apply(xllamacpp.CommonParams(), [("--cache-type-k", "q3")])
    with pytest.raises(ValueError, match="many"):
        apply(xllamacpp.CommonParams(), [("--ctx-size", "many")])
