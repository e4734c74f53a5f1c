"""Nothing hides in what is drawn."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qcode.tui.drawing.visible import safe, visible


@pytest.mark.parametrize(
    "sign", ["\u202e", "\u2066", "\u200b", "\u200d", "\u00ad", "\U000e0041", "\u3164", "\x1b", "\r"]
)
def test_what_cannot_be_seen_in_code_is_named(sign: str) -> None:
    assert visible(f"a{sign}b") == f"a‹U+{ord(sign):04X}›b"


def test_emoji_and_accents_are_left_alone_in_code() -> None:
    text = "warn ⚠\ufe0f e\u0301 中文\n\tend"
    assert visible(text) == text


def test_prose_keeps_its_joiners_but_turns_nothing_round() -> None:
    assert safe("👩\u200d💻 a\u202eb") == "👩\u200d💻 a‹U+202E›b"


@given(st.text())
def test_no_control_character_and_no_override_passes(text: str) -> None:
    for made in (safe(text), visible(text)):
        left = {sign for sign in made if unicodedata.category(sign) in ("Cc", "Cs")}
        assert left <= {"\n", "\t"}
        assert not set(made) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
