"""Every key of the app in one table, Textual's own among them.

The rows stand beside the code that answers them (`chat.keys`, `prompt.keys`, `review.keys`,
`picker.keys`); here they are put together: which of them are live at once, and who takes a key
first. A test reads this table and finds keys that two would take.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from qcode.tui.chat import keys as chat
from qcode.tui.picker import keys as picker
from qcode.tui.prompt import keys as prompt
from qcode.tui.review import keys as review


class Shown(NamedTuple):
    """A row of the table."""

    context: str
    """A name in `CONTEXTS`."""
    keys: tuple[str, ...]
    """As Textual names them."""
    what: str
    """The action."""
    help: str


TEXTUAL_APP = (
    ("ctrl+q", "quit", "Textual: quit"),
    ("ctrl+c", "help_quit", "Textual: says how to quit"),
)
TEXTUAL_SCREEN = (
    ("tab", "app.focus_next", "Textual: next field"),
    ("shift+tab", "app.focus_previous", "Textual: field before"),
    ("ctrl+c,super+c", "screen.copy_text", "Textual: copy what is selected"),
)
TEXTUAL_TEXT = (
    ("up", "cursor_up", ""),
    ("down", "cursor_down", ""),
    ("left", "cursor_left", ""),
    ("right", "cursor_right", ""),
    ("ctrl+left", "cursor_word_left", ""),
    ("ctrl+right", "cursor_word_right", ""),
    ("home,ctrl+a", "cursor_line_start", ""),
    ("end,ctrl+e", "cursor_line_end", ""),
    ("pageup", "cursor_page_up", ""),
    ("pagedown", "cursor_page_down", ""),
    ("ctrl+shift+left", "cursor_word_left(True)", ""),
    ("ctrl+shift+right", "cursor_word_right(True)", ""),
    ("shift+home", "cursor_line_start(True)", ""),
    ("shift+end", "cursor_line_end(True)", ""),
    ("shift+up", "cursor_up(True)", ""),
    ("shift+down", "cursor_down(True)", ""),
    ("shift+left", "cursor_left(True)", ""),
    ("shift+right", "cursor_right(True)", ""),
    ("f6", "select_line", "Textual: select the line"),
    ("f7", "select_all", "Textual: select all"),
    ("backspace", "delete_left", ""),
    ("ctrl+w,ctrl+backspace,alt+backspace", "delete_word_left", ""),
    ("delete,ctrl+d", "delete_right", ""),
    ("alt+delete", "delete_word_right", ""),
    ("ctrl+x,super+x", "cut", "Textual: cut"),
    ("ctrl+c,super+c", "copy", "Textual: copy"),
    ("ctrl+v", "paste", "Textual: paste what was cut here"),
    ("ctrl+u,super+backspace", "delete_to_start_of_line", ""),
    ("ctrl+k", "delete_to_end_of_line_or_delete_line", ""),
    ("ctrl+shift+k", "delete_line", "Textual: delete the line"),
    ("ctrl+z,super+z", "undo", ""),
    ("ctrl+y,super+y", "redo", ""),
)
"""What Textual's own classes bind; a test compares it with the Textual that is installed. No help
= the prompt has a row of its own for it."""

CONTEXTS: Mapping[str, str] = {
    "app": "everywhere",
    "approval": "while a call waits for you",
    "chat": "conversation",
    "prompt": "prompt",
    "text": "text",
    "then": "when the prompt does not need it",
    "typing": "search line",
    "sessions": "sessions",
    "rewind": "rewind",
    "picker": "list",
    "review": "review",
    "textual.text": "Textual, in text",
    "textual.screen": "Textual, on every screen",
    "textual.app": "Textual, everywhere",
}
"""Name of a context -> heading in the help."""

_PLAIN = {"keeps": "accept", "drops": "refuse", "applies": "apply"}
"""Words of a review of what was proposed; other reviews have others."""

_ROWS: Mapping[str, Iterable[tuple[str, str, str]]] = {
    "app": chat.APP,
    "approval": [(row.key, row.what, row.help) for row in chat.STRIP],
    "chat": [(row.key, row.what, row.help) for row in chat.FIRST],
    "prompt": [(row.key, row.what, row.help) for row in prompt.ASKING],
    "text": [(row.key, row.what, row.help) for row in prompt.EDITING],
    "then": [(row.key, row.what, row.help) for row in chat.THEN],
    "typing": picker.TYPING,
    "sessions": picker.SESSIONS,
    "rewind": picker.REWIND,
    "picker": picker.KEYS,
    "review": [(row.key, row.what, row.help.format_map(_PLAIN)) for row in review.KEYS],
    "textual.text": TEXTUAL_TEXT,
    "textual.screen": TEXTUAL_SCREEN,
    "textual.app": TEXTUAL_APP,
}

TABLE: tuple[Shown, ...] = tuple(
    Shown(context, tuple(keys.split(",")), what, words)
    for context, rows in _ROWS.items()
    for keys, what, words in rows
)
"""All of it."""

_CHAT = ("app", "chat", "prompt", "text", "then")
_TEXTUAL = ("textual.screen", "textual.app")

SCREENS: Mapping[str, Sequence[str]] = {
    "chat": (*_CHAT, "textual.text", *_TEXTUAL),
    "approval": ("app", "approval", *_CHAT[1:], "textual.text", *_TEXTUAL),
    "picker": ("app", "typing", "picker", *_TEXTUAL),
    "sessions": ("app", "typing", "sessions", "picker", *_TEXTUAL),
    "rewind": ("app", "typing", "rewind", "picker", *_TEXTUAL),
    "review": ("app", "review", *_TEXTUAL),
}
"""What is live at once on each screen, who takes a key first first."""

SHARED: Mapping[str, str] = {
    "up": "the earlier prompt only from the first line of the text",
    "down": "the later prompt only from the last line",
    "ctrl+d": "deletes while there is text; leaves when there is none",
    "escape": "the topmost thing first: an approval, then what is open, then the turn",
    "enter": "what waits for approval first",
    "ctrl+c": "copies only while something is selected",
}
"""Keys that more than one of our own rows answer on one screen, and why that is no clash."""


def rows(contexts: Iterable[str]) -> tuple[Shown, ...]:
    """The rows of these contexts, in their order."""
    return tuple(row for context in contexts for row in TABLE if row.context == context)


def live(screen: str) -> tuple[Shown, ...]:
    """What the keys of a screen do: a key that one context takes is gone from those behind it."""
    found: list[Shown] = []
    taken: set[str] = set()
    for context in SCREENS[screen]:
        here = rows((context,))
        for row in here:
            left = tuple(key for key in row.keys if key not in taken or _falls(key, context))
            if left and row.help:
                found.append(row._replace(keys=left))
            elif left and found and goes_with(row, found[-1]):
                found[-1] = found[-1]._replace(keys=(*found[-1].keys, *left))
        taken.update(key for row in here for key in row.keys)
    return tuple(found)


def goes_with(row: Shown, before: Shown) -> bool:
    """Whether a row without words is spoken of in the one before it: `n` and `p` in one."""
    same = row.what.partition("(")[0] == before.what.partition("(")[0]
    return not row.help and same and row.context == before.context


def _falls(key: str, context: str) -> bool:
    """Whether a key that is taken before may still come here."""
    return key in SHARED and not context.startswith("textual.")


_SIGNS = {
    "enter": "⏎",
    "escape": "Esc",
    "up": "↑",
    "down": "↓",
    "left": "←",
    "right": "→",
    "pageup": "PgUp",
    "pagedown": "PgDn",
    "backspace": "⌫",
    "delete": "Del",
    "full_stop": ".",
    "comma": ",",
    "question_mark": "?",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "underscore": "_",
    "slash": "/",
    "plus": "+",
    "minus": "-",
    "equals_sign": "=",
}


def written(key: str) -> str:
    """A key as people read it.

    >>> written("ctrl+shift+left"), written("alt+full_stop"), written("f1")
    ('Ctrl+Shift+←', 'Alt+.', 'F1')
    """
    *held, last = key.split("+")
    if last.startswith("upper_"):
        held, last = [*held, "shift"], last.removeprefix("upper_")
    sign = _SIGNS.get(last) or (last if len(last) == 1 and not held else last.capitalize())
    return "+".join([*(one.capitalize() for one in held), sign])


SENT_AS: Mapping[str, str] = {
    "ctrl+i": "tab",
    "ctrl+m": "enter",
    "ctrl+left_square_bracket": "escape",
    "ctrl+h": "backspace",
}
"""Keys that most terminals send as another: they may only do what the other does."""


def needs_protocol(key: str) -> bool:
    """Whether only terminals with the kitty keyboard protocol tell it apart: never the only key."""
    *held, last = key.split("+")
    if last in ("enter", "tab", "backspace", "escape", "space"):
        return bool(held) and held != ["alt"] and key != "shift+tab"
    return "super" in held or (len(last) == 1 and {"ctrl", "shift"} <= {*held})
