"""The table of keys: whole, without clashes, and of keys that terminals can send."""

from collections import defaultdict

import pytest
from textual.app import App
from textual.binding import Binding
from textual.keys import Keys, _character_to_key
from textual.screen import Screen
from textual.widgets import TextArea

from qcode.tui.chat import keys as chat
from qcode.tui.keys import (
    CONTEXTS,
    SCREENS,
    SENT_AS,
    SHARED,
    TABLE,
    TEXTUAL_APP,
    TEXTUAL_SCREEN,
    TEXTUAL_TEXT,
    Shown,
    goes_with,
    live,
    needs_protocol,
    rows,
    written,
)
from qcode.tui.prompt import keys as prompt
from qcode.tui.review import keys as review

OURS = [row for row in TABLE if not row.context.startswith("textual.")]


def bound(kind: type) -> set[tuple[str, str]]:
    """Key and action of a class's own bindings."""
    found = set()
    for binding in kind.__dict__["BINDINGS"]:
        assert isinstance(binding, Binding | tuple)
        keys, action = binding[:2] if isinstance(binding, tuple) else (binding.key, binding.action)
        found |= {(key.strip(), action) for key in keys.split(",")}
    return found


@pytest.mark.parametrize(
    ("kind", "table"),
    [(App, TEXTUAL_APP), (Screen, TEXTUAL_SCREEN), (TextArea, TEXTUAL_TEXT)],
)
def test_textual_binds_what_the_table_says(kind: type, table: tuple[tuple[str, ...], ...]) -> None:
    assert bound(kind) == {(key, row[1]) for row in table for key in row[0].split(",")}


def test_only_quitting_comes_before_our_keys() -> None:
    first = [row.key for row in App.BINDINGS if isinstance(row, Binding) and row.priority]
    assert first == ["ctrl+q"]
    assert any("ctrl+q" in row.keys and row.context == "chat" for row in OURS)


def test_the_table_holds_the_rows_of_every_part() -> None:
    for part in (chat.KEYS, chat.STRIP, prompt.KEYS, review.KEYS):
        for key in part:
            assert any(row.keys == tuple(key.key.split(",")) for row in OURS), key
    assert {row.context for row in TABLE} == set(CONTEXTS)
    assert {context for contexts in SCREENS.values() for context in contexts} == set(CONTEXTS)


@pytest.mark.parametrize("context", CONTEXTS)
def test_a_key_does_one_thing_in_one_place(context: str) -> None:
    seen: dict[str, str] = {}
    for row in rows([context]):
        for key in row.keys:
            assert seen.setdefault(key, row.what) == row.what, key


@pytest.mark.parametrize("screen", SCREENS)
def test_no_key_is_taken_by_two_of_us_at_once(screen: str) -> None:
    takers: dict[str, list[Shown]] = defaultdict(list)
    for row in rows(context for context in SCREENS[screen] if not context.startswith("textual.")):
        for key in row.keys:
            takers[key].append(row)
    for key, found in takers.items():
        if len({row.what for row in found}) > 1 and not first_alone(screen, key):
            assert key in SHARED, (key, found)


def first_alone(screen: str, key: str) -> bool:
    """Whether the first taker never passes the key on: then the others are not reached by it."""
    first = next(row for row in rows(SCREENS[screen]) if key in row.keys)
    behind = [row for row in live(screen) if key in row.keys]
    return first.context in ("app", "chat", "typing", "sessions", "rewind", "approval") and (
        behind == [row for row in behind if row.context == first.context]
    )


@pytest.mark.parametrize("screen", SCREENS)
def test_help_shows_a_key_once_unless_it_is_shared(screen: str) -> None:
    count: dict[str, int] = defaultdict(int)
    for row in live(screen):
        for key in row.keys:
            count[key] += 1
    assert {key for key, times in count.items() if times > 1} <= set(SHARED)


def test_a_row_whose_keys_are_all_taken_before_is_not_shown() -> None:
    shown = {row.what for row in live("chat")}
    assert {"page_up", "submit", "stop", "help", "commands"} <= shown
    assert not {"cursor_page_up", "app.focus_next", "screen.copy_text", "help_quit"} & shown


@pytest.mark.parametrize("row", OURS, ids=lambda row: f"{row.context}-{row.keys[0]}")
def test_every_row_says_what_it_does(row: Shown) -> None:
    before = OURS[OURS.index(row) - 1]
    assert row.help or goes_with(row, before)
    assert row.what
    assert not row.help.endswith(".")


@pytest.mark.parametrize("row", OURS, ids=lambda row: f"{row.context}-{row.keys[0]}")
def test_a_key_is_one_that_textual_names(row: Shown) -> None:
    names = {key.value for key in Keys} | {
        _character_to_key(chr(code)) for code in range(0x20, 0x7F)
    }
    for key in row.keys:
        *held, last = key.split("+")
        assert set(held) <= {"ctrl", "alt", "shift", "super"}, key
        assert last.removeprefix("upper_") in names, key


def test_a_key_that_terminals_send_as_another_does_what_the_other_does() -> None:
    for row in OURS:
        for key in row.keys:
            if key in SENT_AS:
                assert SENT_AS[key] in row.keys, key


@pytest.mark.parametrize("row", OURS, ids=lambda row: f"{row.context}-{row.keys[0]}")
def test_no_deed_hangs_on_a_key_that_some_terminals_cannot_send(row: Shown) -> None:
    same = [key for other in OURS if other.what == row.what for key in other.keys]
    assert not all(map(needs_protocol, same)), row


@pytest.mark.parametrize(
    ("key", "needs"),
    [
        ("shift+enter", True),
        ("ctrl+enter", True),
        ("ctrl+backspace", True),
        ("ctrl+shift+z", True),
        ("super+c", True),
        ("alt+enter", False),
        ("shift+tab", False),
        ("ctrl+r", False),
        ("ctrl+left", False),
        ("enter", False),
    ],
)
def test_which_keys_need_the_protocol(key: str, needs: bool) -> None:  # noqa: FBT001 - a column
    assert needs_protocol(key) is needs


def test_keys_are_written_as_people_read_them() -> None:
    pairs = {"ctrl+shift+left": "Ctrl+Shift+←", "a": "a", "A": "A", "f1": "F1", "enter": "⏎"}
    pairs |= {"alt+full_stop": "Alt+.", "ctrl+c": "Ctrl+C", "upper_a": "Shift+A"}
    assert {key: written(key) for key in pairs} == pairs
