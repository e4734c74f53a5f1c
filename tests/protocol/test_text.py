"""What is shown cannot steer a terminal, and what is written can be encoded."""

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qcode.protocol.cells import cells, fit, pad
from qcode.protocol.text import escaped, legible, one_line, plain, visible, well_formed

ANY = st.text(st.characters(codec=None))
STEERING = st.lists(
    st.sampled_from(
        ["\x1b", "[", "]", "0;t", "\x07", "\x9b", "\x9d", "\x9c", "\\", "31m", "a", "\r"]
    )
    | st.characters(codec=None)
).map("".join)


@given(STEERING)
def test_nothing_that_steers_a_terminal_is_left(text: str) -> None:
    made = plain(text)
    assert {sign for sign in made if unicodedata.category(sign) == "Cc"} <= {"\n", "\t"}
    assert plain(made) == made


@given(st.text(st.characters(exclude_categories=["Cc"])))
def test_words_stay_as_they_are(text: str) -> None:
    assert plain(text) == text


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07a", "a"),
        ("\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x9b2Ja", "a"),
        ("\x1bP1;2|secret\x1b\\a", "a"),
        ("one\r\ntwo\tthree", "one\ntwo\tthree"),
        ("a\x00b\x7fc", "abc"),
    ],
)
def test_a_sequence_goes_as_a_whole(text: str, wanted: str) -> None:
    assert plain(text) == wanted


@given(ANY)
def test_what_is_well_formed_can_be_encoded_and_is_as_long(text: str) -> None:
    made = well_formed(text)
    assert len(made) == len(text)
    assert made.encode().decode() == made
    for before, after in zip(text, made, strict=True):
        assert after == before or (after == "\ufffd" and "\ud800" <= before <= "\udfff")


@given(ANY, st.integers(1, 40))
def test_a_line_is_one_and_not_too_long(text: str, width: int) -> None:
    line = one_line(text, width)
    assert len(line) <= width
    assert len(line.splitlines()) <= 1
    assert bool(line) == bool(legible(text).strip())


@given(st.text(st.characters(exclude_categories=["Cs"])), st.integers(0, 40))
def test_what_is_fitted_and_padded_has_its_width(text: str, width: int) -> None:
    cut = fit(text, width)
    assert cells(cut) <= width
    assert cells(pad(cut, width)) == width


def test_wide_signs_take_two_cells_and_accents_none() -> None:
    assert cells("漢字") == 4
    assert cells("e\u0301") == 1
    assert fit("漢字漢字", 5) == "漢字…"


@pytest.mark.parametrize("sign", "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
def test_a_line_is_read_in_the_direction_in_which_it_is_written(sign: str) -> None:
    assert one_line(f"a{sign}txt.exe") == f"a‹U+{ord(sign):04X}›txt.exe"


UNSEEN = (
    "\u00ad", "\u034f", "\u061c", "\u115f", "\u180e", "\u200b", "\u200e", "\u200f", "\u2060",
    "\u2063", "\u206a", "\u3164", "\ufeff", "\uffa0", "\ufff9", "\U000e0041", "\U000e0100",
    "\ufe00", "\u200c", "\u200d", "\U0001d173",
)  # fmt: skip


@pytest.mark.parametrize("sign", UNSEEN)
def test_what_nobody_sees_is_left_out_of_names_and_named_in_code(sign: str) -> None:
    assert legible(f"a{sign}b") == "ab"
    assert one_line(f"{sign}a{sign}{sign}b{sign}") == "ab"
    assert visible(f"a{sign}b") == f"a‹U+{ord(sign):04X}›b"


@pytest.mark.parametrize(
    "text",
    [
        "👩\u200d💻",
        "⚠\ufe0f",
        "1\ufe0f\u20e3",
        "\u0645\u06cc\u200c\u062e",
        "क्\u200dष",
        "e\u0301 中文",
        "שלום",
    ],
)
def test_emoji_and_other_scripts_stay_as_they_are(text: str) -> None:
    assert legible(text) == text


INVISIBLE = st.lists(
    st.sampled_from(
        [*UNSEEN, "\u202e", "\u2066", "\u2028", "\x1b", "\x9b", "\x85", "a", "é", "‍👩", "\r"]
    )
    | st.characters(codec=None)
).map("".join)


@given(INVISIBLE)
def test_whatever_is_shown_steers_turns_and_hides_nothing(text: str) -> None:
    for made in (legible(text), visible(text)):
        kinds = {unicodedata.category(sign) for sign in made if sign not in "\n\t"}
        assert not kinds & {"Cc", "Cs", "Zl", "Zp"}
        assert not set(made) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
        assert not set(made) & {*UNSEEN} - {"\u200c", "\u200d", "\ufe00"}
        assert not any("\U000e0000" <= sign <= "\U000e0fff" for sign in made)
    assert legible(legible(text)) == legible(text)


@given(INVISIBLE)
def test_json_that_is_printed_means_the_same_and_steers_nothing(text: str) -> None:
    made = escaped(json.dumps({"a": well_formed(text)}, ensure_ascii=False))
    assert json.loads(made) == {"a": well_formed(text)}
    assert not any(unicodedata.category(sign) == "Cc" for sign in made)
    assert not set(made) & set("\u202a\u202e\u2066\u2069\u2028")
