"""A curve as a file, as a table, as a plot, and beside another one."""

import json
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qcode.bench.curve import Curve, LeftOut, Point, load, save
from qcode.bench.curve_tables import comparison_data, comparison_text, curve_text
from qcode.bench.measuring import expected_seconds
from qcode.bench.plot import ASCII, FINE, binary, plot
from qcode.bench.stats import change
from qcode.protocol.cells import cells
from qcode.protocol.errors import InputError

rates = st.floats(0.01, 1e6, allow_nan=False)


def curve(factor: float = 1.0, sizes: tuple[int, ...] = (512, 4096, 32768), n: int = 3) -> Curve:
    wobble = (1.0, 1.01, 0.99, 1.0, 1.0)[:n]
    return Curve(
        qcode="0",
        date="2026-11-21T20:15:00Z",
        kind="llamacpp",
        server="llama.cpp b11549",
        base_url="http://127.0.0.1:8080/v1",
        model="tiny",
        context_tokens=65_536,
        generated_tokens=64,
        points=tuple(
            Point(
                asked_tokens=size,
                prompt_tokens=(size + 3,) * n,
                reading=tuple(1000 * factor * it / (1 + size / 40_000) for it in wobble),
                writing=tuple(40 * it / (1 + size / 90_000) for it in wobble),
                first_seconds=(0.5,) * n,
            )
            for size in sizes
        ),
        left_out=(LeftOut(131_072, "the loaded context is 65,536 tokens"),),
    )


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    save(curve(), tmp_path / "a.json")
    assert load(tmp_path / "a.json") == curve()
    assert json.loads((tmp_path / "a.json").read_text())["format"] == "qcode-bench-server-1"


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"format": "other"}', "\x00"])
def test_what_is_no_curve_is_a_sentence(text: str, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(InputError, match="is no curve"):
        load(tmp_path / "a.json")
    with pytest.raises(InputError, match="cannot be read"):
        load(tmp_path / "none.json")
    with pytest.raises(InputError, match="cannot be written"):
        save(curve(), tmp_path / "no" / "a.json")


def test_the_table_tells_each_length_with_its_noise_and_what_is_lacking() -> None:
    told = curve_text(curve())
    assert "      515          987 ± 1.0 %         39.8 ± 1.0 %        0.50 s   3\n" in told
    assert "131,072 left out: the loaded context is 65,536 tokens" in told
    assert max(map(cells, told.splitlines())) <= 80


def test_a_prompt_that_was_remembered_is_told() -> None:
    point = Point(asked_tokens=512, prompt_tokens=(512,), cached_tokens=400, reading=(9e9,))
    told = curve_text(msgspec.structs.replace(curve(), points=(point,)))
    assert "512: the server remembered 400 all the same" in told
    assert "not told" in told


def test_figures_that_scatter_are_doubted_and_steady_ones_are_not() -> None:
    point = Point(asked_tokens=512, prompt_tokens=(512,) * 3, reading=(100.0, 300.0, 200.0))
    told = curve_text(msgspec.structs.replace(curve(), points=(point,)))
    assert "up to ±50.0 %: is something else at work" in told
    assert "something else" not in curve_text(curve())


def test_two_curves_are_told_apart_beyond_noise_alone() -> None:
    told = comparison_text(curve(), curve(0.8))
    assert told.count("slower") == 3
    assert told.count("in the noise") == 3
    assert max(map(cells, told.splitlines())) <= 80
    changes = comparison_data(curve(), curve(0.8))["changes"]
    assert [it["reading"]["verdict"] for it in changes] == ["slower"] * 3
    assert changes[0]["reading"]["share"] == pytest.approx(-0.2)


def test_the_percentage_is_that_of_the_two_columns() -> None:
    one = change((100.0, 400.0, 401.0), (1_700.0, 1_703.0, 9_000.0))
    assert one
    assert one.of_medians == pytest.approx(1_703 / 400 - 1)
    assert one.share != pytest.approx(one.of_medians)
    told = comparison_text(curve(), curve(0.8))
    assert "-20.0 %" in told


def test_one_request_a_length_proves_nothing() -> None:
    told = comparison_text(curve(n=1), curve(0.5, n=1))
    assert told.count("n too small") == 6
    assert "slower" not in told


def test_what_is_unlike_of_two_servers_stands_above_their_figures() -> None:
    plain, other = (
        curve(),
        msgspec.structs.replace(curve(), context_tokens=8192, told={"slots": "2"}),
    )
    told = comparison_text(plain, other)
    assert "unlike: context A 65,536 tokens, B 8,192 tokens" in told
    assert "unlike: slots A not told, B 2" in told
    assert "answers" not in told
    assert "unlike" not in comparison_text(plain, curve(0.5))


def test_a_wide_noise_is_told_with_what_narrows_it() -> None:
    wide = msgspec.structs.replace(
        curve(n=2), points=(Point(asked_tokens=512, reading=(100.0, 300.0)),)
    )
    told = comparison_text(
        wide,
        msgspec.structs.replace(wide, points=(Point(asked_tokens=512, reading=(400.0, 250.0)),)),
    )
    assert "2 requests a length prove little: --repeat 5 narrows" in told
    assert "--repeat 5" not in comparison_text(curve(n=5), curve(0.5, n=5))
    assert "--repeat 5" in comparison_text(curve(n=1), curve(0.5, n=1))


def test_lengths_that_one_alone_has_are_named() -> None:
    told = comparison_text(curve(), curve(sizes=(512, 8192)))
    assert "only A has 4,096, 32,768" in told
    assert "only B has 8,192" in told


def test_two_curves_are_told_apart_without_colours() -> None:
    told = comparison_text(curve(), curve(0.5), ASCII)
    assert "\x1b" not in told
    lines = plot([{512: 10.0, 4096: 8.0}, {512: 5.0, 4096: 8.0}], ASCII).splitlines()
    assert sum(line.count("o") for line in lines) == 1
    assert sum(line.count("x") for line in lines) == 1
    assert sum(line.count("*") for line in lines) == 1


series = st.dictionaries(st.integers(1, 300_000).map(float), rates, min_size=1, max_size=9)


@given(st.lists(series, min_size=1, max_size=2), st.sampled_from((FINE, ASCII)))
def test_a_plot_keeps_to_its_width_and_shows_every_curve(
    curves: list[dict[float, float]], signs: object
) -> None:
    assert signs in (FINE, ASCII)
    chosen = FINE if signs is FINE else ASCII
    drawn = plot(curves, chosen)
    assert max(map(cells, drawn.splitlines())) <= 80
    assert len(drawn.splitlines()) == 11
    for mark, _ in zip(chosen.marks, curves, strict=False):
        assert mark in drawn or chosen.both in drawn


def test_nothing_measured_draws_nothing() -> None:
    assert plot([{}]) == ""
    assert plot([]) == ""


def test_lengths_are_spoken_of_in_1024s() -> None:
    assert [binary(it) for it in (512, 4096, 1536, 262_144)] == ["512", "4k", "1.5k", "256k"]


def test_what_gets_slower_is_expected_to_go_on_so() -> None:
    points = curve().points
    steady = 65_536 * (1 / points[-1].reading[0])
    assert expected_seconds(points, 65_536, 64) > steady
    assert expected_seconds((), 65_536, 64) == pytest.approx(6.4)
