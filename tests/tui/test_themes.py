"""Themes: those that ship are complete and readable, a bad one is named and left out."""

from itertools import combinations
from pathlib import Path

import pytest

from qcode.tui.palette import Colours, contrast, luminance, mix, triplet
from qcode.tui.themes import (
    Theme,
    chosen,
    keep,
    load,
    read,
    shipped,
    textual_theme,
    usual,
)

THEMES = load().themes
COLOURED = [theme for theme in THEMES if theme.colours.blends]

READABLE = 4.5
"""Contrast ratio of normal text, WCAG 2.2 level AA (success criterion 1.4.3)."""

WORDS = "foreground muted accent added removed warning error keyword name string number kind"

GOOD = (shipped() / "night.toml").read_text(encoding="utf-8")


def named(theme: Theme) -> str:
    return theme.name


def test_the_themes_that_people_look_for_ship() -> None:
    names = {theme.name for theme in THEMES}
    assert names >= {"night", "paper", "contrast", "colourblind", "colourblind-light", "ansi"}
    assert names >= {"catppuccin-mocha", "catppuccin-latte", "gruvbox-dark", "gruvbox-light"}
    assert names >= {"nord", "solarized-dark", "solarized-light", "tokyo-night"}
    assert load().notices == ()


@pytest.mark.parametrize("theme", THEMES, ids=named)
def test_a_shipped_theme_is_named_after_its_file(theme: Theme) -> None:
    assert theme.name == theme.path.stem
    assert theme.path.parent == shipped()


@pytest.mark.parametrize("theme", COLOURED, ids=named)
def test_every_word_is_readable_on_background_and_surface(theme: Theme) -> None:
    least = 7.0 if theme.name == "contrast" else READABLE
    for part in WORDS.split():
        for ground in (theme.colours.background, theme.colours.surface):
            assert contrast(theme.colours.part(part), ground) >= least, part


@pytest.mark.parametrize("theme", COLOURED, ids=named)
def test_words_stay_readable_in_a_diff_and_in_the_row_at_hand(theme: Theme) -> None:
    colours = theme.colours
    for part in ("added", "removed"):
        tint = mix(colours.background, colours.part(part), 0.11)
        assert contrast(colours.part(part), tint) >= 3.6
        assert contrast(colours.foreground, tint) >= READABLE
        for syntax in ("keyword", "name", "string", "number", "kind", "muted"):
            assert contrast(colours.part(syntax), tint) >= 3.6, syntax
    assert contrast(colours.foreground, mix(colours.background, colours.accent, 0.17)) >= READABLE


@pytest.mark.parametrize("theme", COLOURED, ids=named)
def test_line_numbers_and_rules_are_seen_and_stay_behind(theme: Theme) -> None:
    faint = contrast(theme.colours.part("faint"), theme.colours.background)
    assert 2.0 <= faint <= contrast(theme.colours.muted, theme.colours.background)


@pytest.mark.parametrize("theme", COLOURED, ids=named)
def test_appearance_says_what_the_background_is(theme: Theme) -> None:
    dark = luminance(theme.colours.background) < luminance(theme.colours.foreground)
    assert theme.appearance == ("dark" if dark else "light")


SIGHT = {
    "no red": ((0.152, 1.053, -0.205), (0.115, 0.786, 0.099), (-0.004, -0.048, 1.052)),
    "no green": ((0.367, 0.861, -0.228), (0.280, 0.673, 0.047), (-0.012, 0.043, 0.969)),
    "no blue": ((1.256, -0.077, -0.179), (-0.078, 0.931, 0.148), (0.005, 0.691, 0.304)),
}
"""What is left of linear red, green and blue: Machado, Oliveira and Fernandes 2009, severity 1."""


def linear(colour: str) -> list[float]:
    parts = [part / 255 for part in triplet(colour)]
    return [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]


def lab(rgb: list[float]) -> tuple[float, float, float]:
    """CIE L*a*b* of linear sRGB, white point D65."""
    to_xyz = ((0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505))
    white = (0.9505, 1.0, 1.089)
    xyz = [sum(a * b for a, b in zip(row, rgb, strict=True)) for row in to_xyz]
    fx, fy, fz = (
        (part / full) ** (1 / 3) if part / full > 0.008856 else 7.787 * part / full + 16 / 116
        for part, full in zip(xyz, white, strict=True)
    )
    return 116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)


def seen(colour: str, sight: str) -> tuple[float, float, float]:
    rgb = linear(colour)
    rows = SIGHT[sight]
    return lab([min(1, max(0, sum(a * b for a, b in zip(row, rgb, strict=True)))) for row in rows])


def apart(one: str, other: str, sight: str) -> float:
    pairs = zip(seen(one, sight), seen(other, sight), strict=True)
    return float(sum((a - b) ** 2 for a, b in pairs) ** 0.5)


@pytest.mark.parametrize("sight", SIGHT)
@pytest.mark.parametrize("name", ["colourblind", "colourblind-light"])
def test_added_and_removed_are_told_apart_without_one_colour(name: str, sight: str) -> None:
    theme = load().get(name)
    assert theme
    assert apart(theme.colours.added, theme.colours.removed, sight) > 40
    tints = [mix(theme.colours.background, theme.colours.part(p), 0.32) for p in ADDED_REMOVED]
    assert apart(tints[0], tints[1], sight) > 12


ADDED_REMOVED = ("added", "removed")


def test_the_measure_tells_what_red_green_blindness_is() -> None:
    assert apart("#c05050", "#70803c", "no green") < 25
    assert apart("#c05050", "#5070c0", "no green") > 60


def test_no_two_themes_look_the_same() -> None:
    for one, other in combinations(THEMES, 2):
        assert one.colours != other.colours, (one.name, other.name)


def written(folder: Path, text: str, name: str = "mine") -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_theme_of_the_users_own_joins_and_takes_the_place_of_ours(tmp_path: Path) -> None:
    written(tmp_path, GOOD.replace('"night"', '"mine"'))
    written(tmp_path, GOOD.replace("#14161b", "#000000"), "other")
    found = load([tmp_path, tmp_path / "missing"])
    assert found.notices == ()
    by_name = {theme.name: theme for theme in found.themes}
    assert by_name["mine"].path.parent == tmp_path
    assert by_name["night"].colours.background == "#000000"
    assert len(found.themes) == len(THEMES) + 1


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ('muted = "#8b919e"', 'muted = "grey"', 10, "muted is 'grey'"),
        ('muted = "#8b919e"', 'muted = "bright_black"', 10, "cannot be mixed"),
        ('muted = "#8b919e"', "muted = 7", 10, "muted is 7"),
        ('muted = "#8b919e"\n', "", 6, "missing: muted"),
        ('muted = "#8b919e"', 'mutter = "#8b919e"', 10, "no colour is called 'mutter'"),
        ('appearance = "dark"', 'appearance = "dim"', 4, "Write dark or light"),
        ('name = "night"', 'name = "two words"', 2, "Write one word"),
        ("[palette]", "[palette", 6, "not valid TOML"),
        ("[palette]", "[colours]", 6, "no key 'colours'"),
    ],
)
def test_a_bad_theme_is_named_with_its_line_and_left_out(
    tmp_path: Path, old: str, new: str, line: int, words: str
) -> None:
    assert old in GOOD
    path = written(tmp_path, GOOD.replace(old, new, 1))
    found = load([tmp_path])
    assert len(found.themes) == len(THEMES)
    assert len(found.notices) == 1
    assert found.notices[0].startswith(f"{path}:{line}: ")
    assert words in found.notices[0]


def test_what_is_no_text_or_too_long_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_bytes(b'name = "a"\n\xff')
    (tmp_path / "b.toml").write_text("#" * 70_000)
    (tmp_path / "c.toml").mkdir()
    (tmp_path / "d.toml").write_text("a = " + "[" * 5_000)
    notices = load([tmp_path]).notices
    assert [Path(notice.split(":")[0].split(" ")[0]).name for notice in notices] == [
        *("a.toml", "b.toml", "c.toml", "d.toml")
    ]


def test_the_choice_is_remembered(tmp_path: Path) -> None:
    state = tmp_path / "state"
    assert chosen(state) == ""
    keep(state, "nord")
    assert chosen(state) == "nord"


def test_a_light_terminal_begins_light() -> None:
    assert usual({}) == "night"
    assert usual({"COLORFGBG": "15;0"}) == "night"
    assert usual({"COLORFGBG": "0;default;15"}) == "paper"


@pytest.mark.parametrize("theme", THEMES, ids=named)
def test_textual_takes_every_theme(theme: Theme) -> None:
    css = textual_theme(theme, "true").to_color_system().generate()
    assert css["text-muted"].startswith("#" if theme.colours.blends else "ansi_")
    assert css["background"].lower() == (
        theme.colours.background if theme.colours.blends else "ansi_default"
    )


def test_without_colours_textual_gets_none() -> None:
    theme = textual_theme(read(shipped() / "nord.toml"), "none")
    assert theme.ansi
    assert {theme.primary, theme.error, *theme.variables.values()} == {"ansi_default"}


def test_left_out_colours_come_from_the_others() -> None:
    few = Colours(
        **{part: f"#{n}{n}0000" for n, part in enumerate(Colours.__struct_fields__) if n < 9}
    )
    assert few.part("string") == few.added
    assert few.part("faint") == mix(few.background, few.muted, 0.62)
