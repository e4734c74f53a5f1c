"""The themes that ship: complete, and readable on their own backgrounds."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

THEMES = sorted((Path(__file__).parents[2] / "themes").glob("*.toml"))

COLOURS = {
    "background",
    "surface",
    "foreground",
    "muted",
    "accent",
    "added",
    "removed",
    "warning",
    "error",
}

READABLE = 4.5
"""Contrast ratio of normal text, WCAG 2.2 level AA (success criterion 1.4.3)."""


def theme_of(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))


def luminance(colour: str) -> float:
    """Relative luminance of `#rrggbb`, WCAG 2.2."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def test_there_is_a_dark_and_a_light_theme() -> None:
    assert {theme_of(path)["appearance"] for path in THEMES} == {"dark", "light"}


@pytest.mark.parametrize("path", THEMES, ids=lambda path: path.stem)
def test_a_theme_is_named_after_its_file_and_has_every_colour(path: Path) -> None:
    theme = theme_of(path)
    assert theme["name"] == path.stem
    assert set(theme["palette"]) == COLOURS


@pytest.mark.parametrize("path", THEMES, ids=lambda path: path.stem)
def test_every_text_is_readable_on_background_and_surface(path: Path) -> None:
    theme = theme_of(path)
    palette = theme["palette"]
    least = 7.0 if theme["name"] == "contrast" else READABLE
    for ground in ("background", "surface"):
        for name in COLOURS - {"background", "surface"}:
            assert contrast(palette[name], palette[ground]) >= least, f"{name} on {ground}"


@pytest.mark.parametrize("path", THEMES, ids=lambda path: path.stem)
def test_appearance_says_what_the_background_is(path: Path) -> None:
    theme = theme_of(path)
    dark = luminance(theme["palette"]["background"]) < luminance(theme["palette"]["foreground"])
    assert theme["appearance"] == ("dark" if dark else "light")
