"""Small samples: laws that every result keeps, and figures of text books."""

import math
from random import Random
from statistics import median

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from qcode.bench.stats import (
    LEAST_VALUES,
    Interval,
    about_median,
    change,
    holm,
    mcnemar,
    sign_test,
    spread,
    wilson,
)

counts = st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
rates = st.floats(0.1, 1e5, allow_nan=False)


@given(counts)
def test_an_interval_lies_within_0_and_1_and_holds_the_share(count: tuple[int, int]) -> None:
    solved, tried = count
    found = wilson(solved, tried)
    assert 0 <= found.low <= solved / tried <= found.high <= 1


@given(counts)
def test_more_of_the_same_makes_the_interval_narrower(count: tuple[int, int]) -> None:
    solved, tried = count
    few, many = wilson(solved, tried), wilson(solved * 4, tried * 4)
    assert many.high - many.low < few.high - few.low


@given(counts)
def test_what_failed_mirrors_what_was_solved(count: tuple[int, int]) -> None:
    solved, tried = count
    one, other = wilson(solved, tried), wilson(tried - solved, tried)
    assert one.low == pytest.approx(1 - other.high, abs=1e-9)


def test_of_nothing_tried_nothing_is_known() -> None:
    assert (wilson(0, 0).low, wilson(0, 0).high) == (0.0, 1.0)


def test_known_figures_of_wilson() -> None:
    # Newcombe 1998, Statistics in Medicine 17: 81 of 263, 15 of 148, 0 of 20
    for (solved, tried), (low, high) in {
        (81, 263): (0.2553, 0.3662),
        (15, 148): (0.0624, 0.1605),
        (0, 20): (0.0, 0.1611),
    }.items():
        found = wilson(solved, tried)
        assert (found.low, found.high) == pytest.approx((low, high), abs=5e-5)


@given(st.integers(0, 60), st.integers(0, 60))
def test_the_sign_test_is_symmetric_and_a_chance(one: int, other: int) -> None:
    assert sign_test(one, other) == sign_test(other, one)
    assert 0 < sign_test(one, other) <= 1


@given(st.integers(0, 40), st.integers(1, 20))
def test_a_more_uneven_split_is_less_likely(total: int, step: int) -> None:
    assume(step <= total // 2)
    even = total // 2
    assert sign_test(even - step, total - even + step) <= sign_test(even, total - even)


def test_known_figures_of_the_sign_test() -> None:
    assert sign_test(0, 0) == 1.0
    assert sign_test(0, 5) == 2 / 32
    assert sign_test(0, 6) == 2 / 64  # the first that is proven
    assert sign_test(1, 9) == pytest.approx(22 / 1024)


@given(st.lists(st.tuples(st.booleans(), st.booleans())))
def test_pairs_that_agree_say_nothing(pairs: list[tuple[bool, bool]]) -> None:
    unlike = [pair for pair in pairs if pair[0] != pair[1]]
    assert mcnemar(pairs) == mcnemar(unlike)
    assert mcnemar(pairs) == mcnemar([(two, one) for one, two in pairs])


@given(st.lists(st.floats(0, 1), max_size=8))
def test_a_correction_never_makes_a_chance_smaller(chances: list[float]) -> None:
    found = holm(chances)
    assert all(before <= after <= 1 for before, after in zip(chances, found, strict=True))
    assert [x for _, x in sorted(zip(chances, found, strict=True))] == sorted(found)


def test_known_figures_of_holm() -> None:
    assert holm((0.01, 0.04, 0.03, 0.005)) == pytest.approx((0.03, 0.06, 0.06, 0.02))
    assert holm((0.2,)) == (0.2,)


@given(st.lists(rates, min_size=LEAST_VALUES, max_size=12))
def test_the_median_lies_in_its_interval_which_is_always_the_same(values: list[float]) -> None:
    found = about_median(values)
    assert found is not None
    assert min(values) <= found.low <= median(values) <= found.high <= max(values)
    assert about_median(values[::-1]) == found


def test_too_few_values_have_no_interval() -> None:
    assert about_median((1.0, 2.0, 3.0, 4.0, 5.0)) is None
    assert about_median((1.0, 2.0, 3.0, 4.0, 5.0, 6.0)) == Interval(1.0, 6.0)


@pytest.mark.parametrize("count", [6, 8, 9, 15, 25])
def test_the_interval_holds_the_median_as_often_as_it_says(count: int) -> None:
    chance = Random(count)
    found = (about_median([chance.gauss() for _ in range(count)]) for _ in range(2000))
    held = sum(it is not None and it.low <= 0.0 <= it.high for it in found)
    assert held >= 0.94 * 2000


@given(st.lists(rates, min_size=1, max_size=9), st.floats(0.5, 2.0))
def test_spread_does_not_hang_on_the_unit(values: list[float], unit: float) -> None:
    one, other = spread(values), spread([value * unit for value in values])
    if one is None:
        assert other is None
    else:
        assert other == pytest.approx(one)
        assert one >= 0


@given(st.lists(rates, min_size=2, max_size=8))
def test_the_same_sample_twice_is_no_change(values: list[float]) -> None:
    found = change(values, values)
    assert found is not None
    assert not found.is_proven
    assert found.share == pytest.approx(0, abs=1e-9)


@given(st.lists(rates, min_size=2, max_size=5), st.lists(rates, min_size=2, max_size=5))
def test_the_way_back_is_the_inverse(one: list[float], other: list[float]) -> None:
    there, back = change(one, other), change(other, one)
    assert there is not None
    assert back is not None
    assert (1 + there.share) * (1 + back.share) == pytest.approx(1)


def test_a_change_beyond_noise_is_told_from_one_within() -> None:
    steady, slower = (100.0, 101.0, 99.5), (80.0, 81.0, 79.5)
    found = change(steady, slower)
    assert found is not None
    assert found.is_proven
    assert found.share == pytest.approx(-0.2, abs=0.01)
    noisy = change((100.0, 60.0, 130.0), (80.0, 120.0, 50.0))
    assert noisy is not None
    assert not noisy.is_proven


def test_one_measurement_proves_nothing_and_a_hair_is_no_change() -> None:
    single = change((100.0,), (50.0,))
    assert single is not None
    assert single.noise is None
    assert not single.is_proven
    hair = change((100.0, 100.0, 100.0), (101.0, 101.0, 101.0))
    assert hair is not None
    assert not hair.is_proven


def test_what_was_not_measured_is_not_compared() -> None:
    assert change((), (1.0,)) is None
    assert change((0.0, 1.0), (1.0,)) is None


def test_the_noise_covers_the_truth_as_often_as_it_says() -> None:
    import random  # noqa: PLC0415 - beside its only use

    chance = random.Random(3)
    wrong = 0
    for _ in range(400):
        draw = [[math.exp(chance.gauss(0, 0.05)) for _ in range(3)] for _ in range(2)]
        found = change(*draw)
        assert found is not None
        wrong += found.is_proven
    assert wrong <= 400 * 0.08
