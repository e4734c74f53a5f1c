"""The keys of a review, once: key, action, words for the foot and for the help."""

from collections.abc import Iterable
from typing import NamedTuple

from qcode.tui.review.outcome import Deeds
from qcode.tui.review.state import ReviewState


class Key(NamedTuple):
    """A row of the table."""

    key: str
    """As Textual names it."""
    what: str
    """The action."""
    sign: str
    """As people read it."""
    short: str
    """At the foot; empty = only in the help."""
    help: str


KEYS = (
    Key("a", "decide('keep')", "a", "{keeps}", "{keeps} the hunk"),
    Key("r", "decide('drop')", "r", "{drops}", "{drops} the hunk"),
    Key("e", "edit", "e", "edit", "edit the hunk's new lines: Ctrl+S keeps them, Esc leaves"),
    Key("c", "comment", "c", "comment", "a comment on the hunk, for the model"),
    Key("t", "stage", "t", "stage", "stage the hunk, or take it out of the index, at once"),
    Key("n,j,down", "move(1)", "n/p", "hunk", "the next hunk; p: the one before"),
    Key("p,k,up", "move(-1)", "", "", ""),
    Key("right_square_bracket", "file(1)", "]/[", "file", "the next file; [: the one before"),
    Key("left_square_bracket", "file(-1)", "", "", ""),
    Key("A,upper_a", "rest('keep')", "A", "{keeps} rest", "{keeps} all that is left"),
    Key("R,upper_r", "rest('drop')", "R", "{drops} rest", "{drops} all that is left"),
    Key("u", "undo", "u", "undo", "take the last decision back"),
    Key("s", "beside", "s", "side by side", "side by side, or one below the other"),
    Key("plus,equals_sign", "expand(5)", "+/-", "context", "more of the file around; -: less"),
    Key("minus", "expand(-5)", "", "", ""),
    Key("space,pagedown", "page(1)", "space", "", "a page down; b: a page up"),
    Key("b,pageup", "page(-1)", "", "", ""),
    Key("enter", "apply", "⏎", "{applies}", "{applies}; what is undecided stays as it is proposed"),
    Key("question_mark,f1", "help", "?", "", "these keys"),
    Key("ctrl+c", "stop", "Ctrl+C", "", "copy; else interrupt the turn; else leave"),
    Key("ctrl+z", "app.suspend_process", "Ctrl+Z", "", "to the background; fg comes back"),
    Key("escape,q", "cancel", "Esc", "", "leave; nothing is applied"),
)
"""Those without a sign stand with the one before."""

_LEAVE = Key("escape", "", "Esc", "leave it", "")
WHILE_EDITING = (Key("ctrl+s", "", "Ctrl+S", "keep the edit", ""), _LEAVE)
WHILE_COMMENTING = (Key("enter", "", "Enter", "keep it", ""), _LEAVE)
WHILE_ASKED = (
    Key("enter", "apply", "⏎", "keep them too", ""),
    Key("r", "decide('drop')", "r", "refuse them", ""),
    Key("escape", "cancel", "esc", "back", ""),
)
"""What becomes of the hunks about which nothing was decided."""
WHILE_LEAVING = (
    Key("enter", "apply", "⏎", "carries them out", ""),
    Key("escape", "cancel", "Esc", "leaves without", ""),
)
NOTHING_TO_DO = (Key("escape", "cancel", "Esc", "leave", ""),)
"""At the foot in place of `KEYS`."""


def offered(deeds: Deeds) -> tuple[Key, ...]:
    """The keys that do something here, in the words of what is reviewed."""
    absent = set()
    if deeds.stage is None and deeds.unstage is None:
        absent.add("stage")
    if deeds.edits == "no":
        absent.add("edit")
    if deeds.look is None:
        absent |= {"expand(5)", "expand(-5)"}
    return tuple(_said(key, deeds) for key in KEYS if key.what not in absent)


def at_the_foot(keys: Iterable[Key], state: ReviewState, deeds: Deeds) -> tuple[Key, ...]:
    """Those that lead somewhere, with what Enter would do by now, where nothing was done yet."""
    alone = {"move", "rest"} if len(state.items) == 1 else set[str]()
    alone |= {"file"} if len(state.files) == 1 else set()
    useful = tuple(key for key in keys if key.what.partition("(")[0] not in alone)
    if deeds.rewrite is not None:
        return useful
    said = _would(deeds.applies, state)
    return tuple(key._replace(short=said) if key.what == "apply" else key for key in useful)


def _would(applies: str, state: ReviewState) -> str:
    left = len(state.undecided)
    if not left:
        return applies
    if decided := len(state.choices):
        return f"{applies} {decided}, {left} undecided"
    return f"{applies} all {left}" if left > 1 else f"{applies} it"


def _said(key: Key, deeds: Deeds) -> Key:
    words = {"keeps": deeds.keeps, "drops": deeds.drops, "applies": deeds.applies}
    return key._replace(short=key.short.format(**words), help=key.help.format(**words))
