"""docs/themes.md shows the themes as they are."""

from xml.etree import ElementTree

import pytest

from qcode.tui.themes import Theme, load
from tests.house.themes import PAGE, PICTURES, SAMPLE, made, picture

RENEW = "Run `python -m tests.house.themes`."


def test_the_page_and_its_pictures_are_up_to_date() -> None:
    for path, text in made().items():
        assert path.read_text(encoding="utf-8") == text, f"{path.name} is out of date. {RENEW}"


def test_no_picture_is_left_of_a_theme_that_is_gone() -> None:
    assert set(PICTURES.iterdir()) == set(made()) - {PAGE}, RENEW


@pytest.mark.parametrize("theme", load().themes, ids=lambda theme: theme.name)
def test_a_picture_is_small_and_fetches_nothing(theme: Theme) -> None:
    text = picture(theme)
    assert len(text) < 12_000
    root = ElementTree.fromstring(text)
    assert "http" not in text.replace('xmlns="http://www.w3.org/2000/svg"', "")
    words = "".join(root.itertext()).replace("\xa0", " ")
    assert "The pagination test fails on an empty page." in words
    assert len(root.findall("{http://www.w3.org/2000/svg}text")) > len(SAMPLE)
