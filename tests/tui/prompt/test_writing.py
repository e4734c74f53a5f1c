"""Folding and expanding pastes loses nothing; what a text asks for is understood."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qcode.protocol.text import plain
from qcode.tui.prompt.asked import Asked, Mention, asked, file_row, mentions
from qcode.tui.prompt.pastes import Tokens, cleaned, dropped_pictures, folded_again
from qcode.tui.prompt.sending import Command, Shell, Unknown, Words, meant
from qcode.tui.prompt.writing import Writing

PASTE = st.lists(st.sampled_from([*"ab#[1:]\n é", "[pasted #1: 2 lines]"])).map("".join)


@given(st.lists(st.tuples(st.text("xy \n", max_size=5), PASTE, st.integers(1, 400)), max_size=4))
def test_what_is_folded_is_expanded_as_it_was(parts: list[tuple[str, str, int]]) -> None:
    tokens, shown, whole = Tokens(), "", ""
    for typed, paste, times in parts:
        long = cleaned(paste * times) + "\n" * 11
        shown += typed + tokens.paste(long)
        whole += typed + long
    assert tokens.writing(shown).expanded() == whole


@given(st.text(max_size=200))
def test_a_paste_has_no_control_characters(text: str) -> None:
    assert plain(cleaned(text)) == cleaned(text)


def test_a_long_paste_says_its_size_and_a_short_one_stays() -> None:
    tokens = Tokens()
    assert tokens.paste("a\n" * 42) == "[pasted #1: 42 lines]"
    assert tokens.paste("x" * 1001) == "[pasted #2: 1001 characters]"
    assert tokens.paste("short\ntext") == "short\ntext"


def test_what_no_token_stands_for_is_forgotten() -> None:
    tokens = Tokens()
    first, second = tokens.paste("a\n" * 20), tokens.paste("b\n" * 20)
    assert tokens.writing(f"see {second}").pastes == {2: "b\n" * 20}
    assert first != second


def test_an_unchanged_paste_is_a_token_again_after_the_editor() -> None:
    pastes = {1: "long\ntext"}
    assert folded_again("new: long\ntext!", pastes, "[pasted #1: 2 lines]") == (
        "new: [pasted #1: 2 lines]!"
    )
    assert folded_again("new: long", pastes, "[pasted #1: 2 lines]") == "new: long"


@pytest.mark.parametrize(
    "text",
    [
        "/tmp/my shot.png",
        r"/tmp/my\ shot.png ",
        "'/tmp/my shot.png'",
        '"/tmp/my shot.png"',
        "file:///tmp/my%20shot.png",
    ],
)
def test_a_dragged_picture_is_known_however_the_terminal_writes_it(text: str) -> None:
    assert dropped_pictures(text, Path("/work")) == (Path("/tmp/my shot.png"),)


def test_several_pictures_and_relative_ones_are_known_and_sentences_are_not() -> None:
    assert dropped_pictures("/a.png /b.JPG\nc.webp", Path("/w")) == (
        Path("/a.png"),
        Path("/b.JPG"),
        Path("/w/c.webp"),
    )
    assert dropped_pictures("look at shot.png please", Path("/w")) == ()
    assert dropped_pictures("it isn't", Path("/w")) == ()


@pytest.mark.parametrize(
    ("text", "kind", "letters"),
    [
        ("/", "command", ""),
        ("/mo", "command", "mo"),
        ("see @", "file", ""),
        ("see @src/a", "file", "src/a"),
        ('see @"my fi', "file", "my fi"),
    ],
)
def test_what_is_completed_begins_with_a_sign(text: str, kind: str, letters: str) -> None:
    found = asked(text, len(text))
    assert isinstance(found, Asked)
    assert (found.kind, found.letters) == (kind, letters)
    assert found.end == len(text)


@pytest.mark.parametrize("text", ["a/b", "mail@host", "/model x", "@a.py:10", "@a b", 'say "@x" '])
def test_what_is_none_is_not_completed(text: str) -> None:
    assert asked(text, len(text)) is None


def test_names_with_blanks_are_quoted_and_folders_go_on() -> None:
    assert file_row("my file.py", ()).put == '@"my file.py" '
    assert file_row("src/", ()).put == "@src/"
    assert file_row("my dir/", ()).put == '@"my dir/'


def test_mentions_have_their_lines() -> None:
    text = 'Fix @src/a.py:10-40, @b.py:7 (not c@d.py) @"e f.py":3- and @src/.'
    assert mentions(text) == (
        Mention("src/a.py", 10, 40),
        Mention("b.py", 7, 7),
        Mention("e f.py", 3, 0),
        Mention("src/"),
    )


@given(st.text(st.sampled_from('@"ab.py:10- \n'), max_size=30))
def test_a_mention_is_never_empty(text: str) -> None:
    assert all(one.path.strip('"') or one.path for one in mentions(text))


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("  ", None),
        ("hello\nworld ", Words("hello\nworld")),
        ("/model a b", Command("model", "a b")),
        ("/model", Command("model", "")),
        ("/etc/hosts is wrong", Words("/etc/hosts is wrong")),
        (" /model", Words("/model")),
        ("!ls -l", Shell("ls -l", "keep")),
        ("!! ls", Shell("ls", "tell")),
        ("!", None),
    ],
)
def test_what_a_text_means(text: str, wanted: object) -> None:
    assert meant(text, {"model"}) == wanted


def test_a_command_that_is_none_is_said() -> None:
    assert isinstance(meant("/modle x", {"model"}), Unknown)


def test_pictures_come_in_the_order_of_the_text_each_once() -> None:
    text = "[image #2: b.png] [image #1: a.png] [image #2: b.png] [image #9: x.png]"
    assert Writing(text, {}, {1: "/a.png", 2: "/b.png"}).shown_pictures() == ("/b.png", "/a.png")
