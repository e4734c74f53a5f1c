"""Vim's keys on a text, as a machine without a screen: a key and a text give another text.

In insert mode it takes nothing but Esc; a change is what happened between two returns to normal
mode, and `u` takes it back.
"""

from collections.abc import Mapping
from string import ascii_lowercase

import msgspec
from msgspec.structs import replace

from qcode.tui.prompt.motions import SEEKING, clamp, line_start, motion, word_at
from qcode.tui.prompt.operating import NOWHERE, Answer, Buffer, Operating, aim
from qcode.tui.prompt.visual import OPERATORS, Extent, Marked, Whole, extent, widened

_DIGITS = frozenset("0123456789")
_REGISTERS = frozenset(ascii_lowercase + NOWHERE)
_MOST = 9999
"""Of a count."""
_WHOLE: Mapping[str, Whole] = {"v": "signs", "V": "lines"}


class _Change(msgspec.Struct, frozen=True):
    """The last one, as `.` does it again."""

    typed: str
    count: int
    inserted: str = ""
    """What was written then, until Esc."""
    extent: Extent | None = None
    """It was one of visual mode, of so much text."""


class Vim(Operating):
    """One prompt's state."""

    def __init__(self) -> None:
        super().__init__()
        self._typed = ""
        """Keys of a command that is not whole yet, without its counts."""
        self._count, self._second = "", ""
        """Before it, and between operator and motion."""
        self._names = False
        """The next key is the name of a register."""
        self._last: _Change | None = None
        self._marked: Marked | None = None
        """In visual mode."""

    @property
    def pending(self) -> str:
        """What was pressed of a command that is not whole yet."""
        register = '"' * (self._names or bool(self._register)) + self._register
        return register + self._count + self._typed[:1] + self._second + self._typed[1:]

    def fresh(self) -> None:
        """The text was sent: typing begins anew."""
        self.mode = "insert"
        self._forget()
        self._past.clear()
        self._began = self._marked = None

    def press(self, key: str, character: str | None, now: Buffer) -> Answer:
        """Never raises, whatever the key."""
        if self.mode == "insert":
            if key != "escape":
                return None
            self._written(now)
            self.mode = "normal"
            return Buffer(now.text, _one_left(now))
        if self._named(character):
            return now if self._marked is None else self._mark(self._marked, now)
        then = self._in_normal(key, character, now)
        if not (self._typed or self._count):
            self._register = ""
        return then

    def _named(self, character: str | None) -> bool:
        """`"a`: the command behind it keeps and takes there. False = the key is of the command."""
        if self._names:
            self._names = False
            self._register = character if character and character in _REGISTERS else ""
            return True
        self._names = character == '"' and not self._typed
        return self._names

    def _in_normal(self, key: str, character: str | None, now: Buffer) -> Answer:
        if self._marked is not None:
            return self._in_visual(key, character, now, self._marked)
        if key == "escape":
            self._forget()
            return now
        if character is None or not character.isprintable():
            return None
        if character in _DIGITS and not self._seeks() and self._counted(character):
            return now
        self._typed += character
        return self._whole(now)

    def _seeks(self) -> bool:
        """The next key is a character of the text."""
        return self._typed[-1:] in ("f", "F", "t", "T", "r")

    def _counted(self, digit: str) -> bool:
        """False = it is no count but the motion `0`."""
        before = self._second if self._typed else self._count
        if digit == "0" and not before:
            return False
        count = str(min(int(before + digit), _MOST))
        if self._typed:
            self._second = count
        else:
            self._count = count
        return True

    def _forget(self) -> None:
        self._typed = self._count = self._second = ""

    def _whole(self, now: Buffer) -> Answer:
        """Do the command if all its keys are there."""
        typed = self._typed
        count = min(int(self._count or 1) * int(self._second or 1), _MOST)
        operator, rest = (typed[0], typed[1:]) if typed[0] in "dcy" else ("", typed)
        if rest in ("", "g", "r", *SEEKING) or (operator and rest in ("i", "a")):
            return now
        has_count = bool(self._count)
        self._forget()
        if rest in ("v", "V") and not operator:
            return self._mark(Marked(now.cursor, now.cursor, _WHOLE[rest]), now)
        if rest == "." and not operator:
            return self._again(count if has_count else 0, now)
        then = self._done(operator, rest, count, now)
        self._note(_Change(typed, count), now, then)
        return then

    def _done(self, operator: str, rest: str, count: int, now: Buffer) -> Answer:
        if operator:
            return self._operated(operator, rest, count, now)
        if rest in ("k", "j") and motion(now.text, now.cursor, rest, 1) is None:
            return "older" if rest == "k" else "newer"
        target = aim(rest, count, now)
        if target is not None:
            return Buffer(now.text, clamp(now.text, target.at))
        return self._did(rest, count, now)

    # -- the last change, again

    def _note(self, change: _Change, now: Buffer, then: Answer) -> None:
        """It is what `.` does again, if it changed something; `u` and motions do not."""
        changes = isinstance(then, Buffer) and (then.text != now.text or self.mode == "insert")
        if changes and change.typed != "u":
            self._last = change

    def _written(self, now: Buffer) -> None:
        """Insert mode ends. What was written counts only if it stands where it was begun."""
        began, self._began = self._began, None
        if began is None or self._last is None:
            return
        before, behind = began.text[: began.cursor], began.text[began.cursor :]
        if now.text.startswith(before) and now.text[len(before) :].endswith(behind):
            inserted = now.text[len(before) : len(now.text) - len(behind)]
            self._last = replace(self._last, inserted=inserted)

    def _again(self, count: int, now: Buffer) -> Buffer:
        """The last change, here; `count` in place of its own, 0 = as it was."""
        if (last := self._last) is None:
            return now
        last = self._last = replace(last, count=count or last.count)
        if last.extent is not None:
            then = self._changed_marked(last.typed, last.extent.at(now.text, now.cursor), now)
        else:
            parts = (last.typed[0], last.typed[1:]) if last.typed[0] in "dcy" else ("", last.typed)
            done = self._done(*parts, last.count, now)
            then = done if isinstance(done, Buffer) else now
        if self.mode != "insert":
            return then
        self.mode, self._began = "normal", None
        text = then.text[: then.cursor] + last.inserted + then.text[then.cursor :]
        return Buffer(text, _one_left(Buffer(text, then.cursor + len(last.inserted))))

    # -- visual mode

    def _mark(self, marked: Marked, now: Buffer) -> Buffer:
        self._marked = marked
        self.mode = "lines" if marked.whole == "lines" else "visual"
        return Buffer(now.text, marked.at, marked.shown(now.text))

    def _unmark(self) -> None:
        self._marked = None
        self.mode = "normal"
        self._forget()

    def _in_visual(
        self, key: str, character: str | None, now: Buffer, marked: Marked
    ) -> Buffer | None:
        now = Buffer(now.text, clamp(now.text, marked.at))
        if key == "escape":
            self._unmark()
            return now
        if character is None or not character.isprintable():
            return None
        if not (character in _DIGITS and not self._seeks() and self._counted(character)):
            self._typed += character
            if self._typed not in ("g", "r", "i", "a", *SEEKING):
                return self._on_marked(self._typed, marked, now)
        return self._mark(marked, now)

    def _on_marked(self, typed: str, marked: Marked, now: Buffer) -> Buffer:
        count = min(int(self._count or self._second or 1), _MOST)
        self._forget()
        if typed in _WHOLE:
            if marked.whole == _WHOLE[typed]:
                self._unmark()
                return now
            return self._mark(marked._replace(whole=_WHOLE[typed]), now)
        if typed == "o":
            return self._mark(marked._replace(anchor=marked.at, at=marked.anchor), now)
        if typed in ("iw", "aw"):
            start, stop = word_at(now.text, now.cursor, typed[0])
            return self._mark(Marked(start, max(start, stop - 1), "signs"), now)
        if typed in OPERATORS or (typed[0] == "r" and len(typed) == 2):
            marked = widened(marked, typed)
            self._unmark()
            then = self._changed_marked(typed, marked, now)
            change = _Change(typed, 1, extent=extent(marked, now.text))
            self._note(change, now, then)
            return then
        target = aim(typed, count, now)
        at = now.cursor if target is None else clamp(now.text, target.at)
        return self._mark(marked._replace(at=at), now)


def _one_left(now: Buffer) -> int:
    return max(line_start(now.text, now.cursor), now.cursor - 1)
