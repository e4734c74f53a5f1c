"""The palette: a style for every name, on every kind of terminal."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qcode.tui.lines import STYLES
from qcode.tui.palette import ANSI, Colours, Depth, Palette, contrast, depth, mix
from qcode.tui.themes import Theme, load

THEMES = load().themes
COLOURS = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")


def palette(name: str, deep: Depth = "true") -> Palette:
    theme = load().get(name)
    assert theme
    return Palette(theme.colours, deep)


@pytest.mark.parametrize(("theme", "deep"), [*product(THEMES, ("true", "256", "16", "none"))])
def test_every_name_has_a_style(theme: Theme, deep: Depth) -> None:
    paint = Palette(theme.colours, deep)
    assert all(paint(name) is not None for name in STYLES)


def test_names_are_laid_over_one_another() -> None:
    paint = palette("night")
    both = paint("add syntax.keyword")
    assert both.bgcolor == paint("add").bgcolor
    assert both.color == paint("syntax.keyword").color
    assert paint("dim add").color == paint("add").color
    assert paint("add syntax.keyword") is both


def test_an_unknown_name_is_a_mistake_of_ours() -> None:
    with pytest.raises(KeyError):
        palette("night")("text colour")


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
def test_without_colours_only_bold_dim_reverse_and_underline_are_left(theme: Theme) -> None:
    paint = Palette(theme.colours, "none")
    allowed = {"none", "bold", "dim", "reverse", "underline"}
    assert {word for name in STYLES for word in str(paint(name)).split()} <= allowed


def test_without_colours_what_matters_is_still_told_apart() -> None:
    paint = palette("night", "none")
    for one, other in (("add", "remove"), ("add.word", "add"), ("error", "text"), ("dim", "text")):
        assert paint(one) != paint(other), one
    assert paint("focus").reverse
    assert paint("cursor").reverse


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
def test_sixteen_colours_are_the_terminals_own(theme: Theme) -> None:
    paint = Palette(theme.colours, "16")
    used = {paint(name).color for name in STYLES} | {paint(name).bgcolor for name in STYLES}
    assert {colour.name for colour in used if colour} <= {*ANSI, "default"}


def test_sixteen_colours_of_a_light_terminal_leave_out_cyan_and_yellow() -> None:
    paint = palette("paper", "16")
    colours = {colour.name for name in STYLES if (colour := paint(name).color)}
    assert not colours & {"cyan", "yellow", "bright_yellow", "bright_cyan", "white"}


@pytest.mark.parametrize(
    ("system", "environ", "expected"),
    [
        ("truecolor", {}, "true"),
        ("256", {}, "256"),
        ("standard", {}, "16"),
        ("windows", {}, "16"),
        (None, {}, "none"),
        ("truecolor", {"NO_COLOR": "1"}, "none"),
        ("truecolor", {"NO_COLOR": ""}, "true"),
    ],
)
def test_as_many_colours_as_the_terminal_shows(
    system: str | None, environ: dict[str, str], expected: Depth
) -> None:
    assert depth(system, environ) == expected


@given(COLOURS, COLOURS, st.floats(0, 1))
def test_a_mix_lies_between(under: str, over: str, share: float) -> None:
    assert mix(under, over, 0) == under
    assert mix(under, over, 1) == over
    assert mix(under, under, share) == under


@given(COLOURS, COLOURS)
def test_contrast_is_from_1_to_21_whichever_is_named_first(one: str, other: str) -> None:
    assert contrast(one, other) == contrast(other, one)
    assert 1 <= contrast(one, other) <= 21.01
    assert round(contrast("#000000", "#ffffff"), 2) == 21


def test_nine_colours_are_enough() -> None:
    paint = Palette(
        Colours(
            background="#101010",
            surface="#202020",
            foreground="#f0f0f0",
            muted="#a0a0a0",
            accent="#80a0ff",
            added="#80ff80",
            removed="#ff8080",
            warning="#ffff80",
            error="#ff4040",
        )
    )
    assert paint("syntax.keyword").color == paint("accent").color
