"""What fits where, which claims cannot be, and what is recommended."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from qcode.serve.advice import Advice, advice
from qcode.serve.base import Gpu, Machine
from qcode.serve.catalog import catalog
from qcode.serve.fits import Fit, fits, idle, impossible, likely, of_model, supposed
from qcode.serve.rates import bandwidth_of, is_named
from tests.serve.models import GIB, gpu, machine

KNOWN = catalog()


def one(host: Machine, model: str, quantisation: str) -> Fit:
    found = of_model(fits(host, KNOWN), model)
    return next(fit for fit in found if fit.file.quantisation == quantisation)


def advised(host: Machine) -> Advice:
    return advice(fits(host, KNOWN))


def taken(found: Advice) -> tuple[str, str, str]:
    assert found.take is not None
    return found.take.model.name, found.take.file.quantisation, found.take.how


def test_a_card_of_24_gb_holds_what_was_seen_on_it() -> None:
    host = machine(gpu(24, "NVIDIA GeForce RTX 3090"))
    fast = one(host, "Qwen3.6-35B-A3B", "UD-Q4_K_S")
    assert (fast.how, fast.context_tokens, fast.tight) == ("whole", 131_072, False)
    assert sorted(report.writes for report in fast.reported) == [79.4, 111.2]
    deep = one(host, "Qwen3.6-27B", "Q6_K")
    assert (deep.how, deep.tight) == ("whole", True)
    assert one(host, "Qwen3.6-35B-A3B", "UD-Q6_K").how == "experts"
    assert one(host, "Qwen3.6-27B", "Q8_0").how == "layers"
    assert one(host, "Qwen3.5-122B-A10B", "Q8_0").how == "no"


@pytest.mark.parametrize(
    ("name", "gigabytes", "quantisation", "seen"),
    [
        ("NVIDIA GeForce RTX 3090", 24, "UD-Q4_K_M", 111.2),
        ("NVIDIA GeForce RTX 4090", 24, "UD-Q4_K_XL", 122),
        ("NVIDIA GeForce RTX 5090", 32, "UD-Q4_K_XL", 194),
        ("NVIDIA GeForce RTX 5080", 16, "UD-Q4_K_S", 70),
        ("NVIDIA GeForce RTX 3060", 12, "UD-IQ3_S", 28),
    ],
)
def test_estimates_hold_what_was_reported(
    name: str, gigabytes: int, quantisation: str, seen: float
) -> None:
    found = one(machine(gpu(gigabytes, name)), "Qwen3.6-35B-A3B", quantisation)
    assert found.rate is not None
    assert found.rate.low * 0.9 <= seen <= found.rate.high * 1.1


def test_memory_that_is_held_now_does_not_count_against_a_model() -> None:
    busy = machine(replace(gpu(24), free_bytes=GIB))
    assert fits(busy, KNOWN) == fits(machine(gpu(24)), KNOWN)
    assert idle(busy).free_bytes <= busy.memory_bytes


def test_claims_that_cannot_be_are_named_and_others_are_not() -> None:
    found = {(it.claim.of, it.claim.quantisation, it.claim.on) for it in impossible(KNOWN)}
    assert ("Qwen3.6-35B-A3B", "Q6_K", "RTX 4090") in found
    assert ("Qwen3.6-27B", "Q8_0", "RTX 4090") in found
    assert ("Qwen3.6-27B", "Q4_K_M", "RTX 5090") in found  # with 800,000 tokens
    assert ("Qwen3.6-35B-A3B", "Q4_K_M", "RTX 3090") not in found
    assert ("Qwen3.6-27B", "Q4_K_M", "RTX 4090") not in found
    assert ("Qwen3.6-35B-A3B", "Q8_0", "Mac") not in found
    assert all(it.why for it in impossible(KNOWN))


def test_the_model_for_loops_is_taken_where_the_deep_one_is_slow() -> None:
    found = advised(machine(gpu(24, "NVIDIA GeForce RTX 3090")))
    assert taken(found) == ("Qwen3.6-35B-A3B", "UD-Q4_K_S", "whole")
    assert found.other is not None
    assert found.other.model.name == "Qwen3.6-27B"


def test_the_deep_model_is_taken_where_it_is_fast() -> None:
    found = advised(machine(gpu(32, "NVIDIA GeForce RTX 5090")))
    assert taken(found)[0::2] == ("Qwen3.6-27B", "whole")
    assert found.other is not None
    assert found.other.model.good_for == "loops"


def test_four_bits_beside_a_small_card_are_better_than_three_on_it() -> None:
    found = advised(machine(gpu(16, "NVIDIA GeForce RTX 5080")))
    assert taken(found) == ("Qwen3.6-35B-A3B", "UD-Q4_K_M", "experts")


def test_a_small_machine_gets_a_small_model_and_an_honest_word() -> None:
    assert taken(advised(machine(gpu(8), gigabytes=8)))[0] == "Qwen3.5-9B"
    slow = advised(machine(gigabytes=32))
    assert taken(slow)[2] == "processor"
    assert "slowly" in slow.why
    nothing = advised(machine(gigabytes=4))
    assert nothing.take is None
    assert nothing.why.startswith("There is not enough memory")


def test_a_mac_is_counted_with_what_its_gpu_may_use() -> None:
    shared = Gpu("Apple M4 Max", "apple", 48 * GIB, None, is_unified=True)
    host = Machine("macos", "Apple M4 Max", 12, 64 * GIB, 20 * GIB, (shared,))
    assert one(host, "Qwen3.6-35B-A3B", "Q8_0").how == "whole"
    assert one(host, "Qwen3.6-35B-A3B", "BF16").how == "no"
    assert taken(advised(host))[0] == "Qwen3.6-35B-A3B"


def test_a_supposed_card_has_the_rates_of_those_that_are_sold_with_its_memory() -> None:
    found = one(supposed(machine(), 24), "Qwen3.6-27B", "Q4_K_M")
    assert (found.how, found.rate, found.reported) == ("whole", None, ())
    assert found.rate_by_class
    for name in ("NVIDIA RTX A5000", "NVIDIA GeForce RTX 3090", "NVIDIA GeForce RTX 4090"):
        known = one(machine(gpu(24, name)), "Qwen3.6-27B", "Q4_K_M")
        assert known.rate
        assert known.rate_by_class is None
        assert found.rate_by_class.low <= known.rate.low
        assert known.rate.high <= found.rate_by_class.high
    assert likely(gpu(24, "NVIDIA GeForce RTX 3090")) is None
    assert likely(Gpu("an APU", "amd", 24 * GIB, None, is_unified=True)) is None
    small = advised(supposed(machine(), 12))
    assert taken(small) == ("Qwen3.6-35B-A3B", "UD-Q4_K_M", "experts")


@given(cards=st.integers(0, 192), gigabytes=st.integers(2, 512))
@settings(max_examples=40, deadline=None)
def test_every_machine_gets_one_answer_and_nothing_that_does_not_fit(
    cards: int, gigabytes: int
) -> None:
    host = machine(*([gpu(cards)] if cards else []), gigabytes=gigabytes)
    found = advised(host)
    assert found.why
    if found.take is not None:
        assert found.take.how != "no"
        assert found.take.memory_bytes <= (cards + gigabytes) * GIB


@pytest.mark.parametrize(
    ("name", "figure"),
    [
        ("NVIDIA GeForce RTX 4070 Ti SUPER", 672),
        ("NVIDIA GeForce RTX 4070", 504),
        ("NVIDIA GeForce RTX 4090 Laptop GPU", 576),
        ("NVIDIA GeForce RTX 4050 Laptop GPU", None),
        ("NVIDIA A100-SXM4-80GB", 1935),
        ("NVIDIA A10", 600),
        ("AMD Radeon RX 7900 XTX", 960),
        ("Apple M3 Max", 300),
        ("Apple M3", 100),
        ("Something else", None),
    ],
)
def test_a_bandwidth_is_found_by_the_words_of_a_name(name: str, figure: int | None) -> None:
    assert bandwidth_of(name) == (figure * 1e9 if figure else None)


def test_a_laptops_card_is_not_the_one_of_the_same_name() -> None:
    assert is_named("GeForce RTX 4090", "NVIDIA GeForce RTX 4090")
    assert not is_named("GeForce RTX 4090", "NVIDIA GeForce RTX 4090 Laptop GPU")


def test_the_cards_of_a_class_are_known_and_in_order() -> None:
    for size in (6, 8, 12, 16, 24, 32, 48, 80, 96):
        between = likely(Gpu("a GPU", "nvidia", size * GIB, None))
        assert between
        slow, fast = map(bandwidth_of, between)
        assert slow
        assert fast
        assert slow < fast


def test_the_file_that_is_taken_has_a_reason_of_its_own() -> None:
    whole = advised(machine(gpu(24, "NVIDIA GeForce RTX 3090")))
    assert whole.why_file.startswith("UD-Q4_K_S: the best file that is whole on the GPU")
    assert "read slowly beside the GPU" in advised(machine(gpu(16))).why_file
    assert advised(machine(gigabytes=4)).why_file == ""
