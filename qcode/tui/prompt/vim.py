"""Vim's keys on a text, as a machine without a screen: a key and a text give another text.

In insert mode it takes nothing but Esc; a change is what happened between two returns to normal
mode, and `u` takes it back.
"""

from dataclasses import dataclass
from typing import Literal

from qcode.tui.prompt.motions import (
    MOTIONS,
    SEEKING,
    Target,
    clamp,
    first_word,
    line_end,
    line_start,
    motion,
    seek,
    word_at,
)

UNDONE = 100
"""Changes that can be taken back."""
_DIGITS = frozenset("0123456789")
_MOST = 9999
"""Of a count."""


@dataclass(frozen=True, slots=True)
class Buffer:
    """A text, and how many characters are before the cursor."""

    text: str
    cursor: int


Answer = Buffer | Literal["older", "newer"] | None
"""What is there now; `older` and `newer`: another prompt is wanted; None = the key is not vim's."""


class Vim:
    """One prompt's state."""

    def __init__(self) -> None:
        self.mode: Literal["insert", "normal"] = "insert"
        self._typed = ""
        """Keys of a command that is not whole yet, without its counts."""
        self._count, self._second = "", ""
        """Before it, and between operator and motion."""
        self._kept = ""
        """What was deleted or copied last; ends with a line end if it was whole lines."""
        self._past: list[Buffer] = []

    @property
    def pending(self) -> str:
        """What was pressed of a command that is not whole yet."""
        return self._count + self._typed[:1] + self._second + self._typed[1:]

    def fresh(self) -> None:
        """The text was sent: typing begins anew."""
        self.mode = "insert"
        self._forget()
        self._past.clear()

    def press(self, key: str, character: str | None, now: Buffer) -> Answer:
        """Never raises, whatever the key."""
        if self.mode == "insert":
            if key != "escape":
                return None
            self.mode = "normal"
            return Buffer(now.text, _one_left(now))
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
        self._forget()
        if operator:
            return self._operated(operator, rest, count, now)
        if rest in ("k", "j") and motion(now.text, now.cursor, rest, 1) is None:
            return "older" if rest == "k" else "newer"
        target = _target(rest, count, now)
        if target is not None:
            return Buffer(now.text, clamp(now.text, target.at))
        return self._did(rest, count, now)

    # -- commands without a motion

    def _did(self, key: str, count: int, now: Buffer) -> Answer:
        text, at = now.text, now.cursor
        end = line_end(text, at)
        places = {"i": at, "a": min(at + 1, end), "I": first_word(text, at), "A": end}
        if key in places:
            return self._insert(now, Buffer(text, places[key]))
        match key:
            case "o":
                return self._insert(now, Buffer(f"{text[:end]}\n{text[end:]}", end + 1))
            case "O":
                start = line_start(text, at)
                return self._insert(now, Buffer(f"{text[:start]}\n{text[start:]}", start))
            case "x" | "s":
                return self._cut(now, at, min(at + count, end), "c" if key == "s" else "d")
            case "X":
                return self._cut(now, max(line_start(text, at), at - count), at, "d")
            case "D" | "C":
                return self._cut(now, at, end, key.lower())
            case "S":
                return self._operated("c", "c", count, now)
            case "Y":
                return self._operated("y", "y", count, now)
            case "p" | "P":
                return self._put(key, count, now)
            case "u":
                return self._past.pop() if self._past else now
            case _:
                return self._changed_signs(key, count, now)

    def _changed_signs(self, key: str, count: int, now: Buffer) -> Buffer:
        text, at = now.text, now.cursor
        end = min(at + count, line_end(text, at))
        if key == "~":
            return self._change(now, Buffer(text[:at] + text[at:end].swapcase() + text[end:], end))
        if key.startswith("r") and end - at == count:
            return self._change(now, Buffer(text[:at] + key[1] * count + text[end:], end - 1))
        if key == "J" and (cut := line_end(text, at)) < len(text):
            joined = f"{text[:cut]} {text[cut + 1 :].lstrip(' ')}"
            return self._change(now, Buffer(joined, cut))
        return now

    # -- commands with a motion

    def _operated(self, operator: str, rest: str, count: int, now: Buffer) -> Buffer:
        text, at = now.text, now.cursor
        if rest == operator:
            last = at
            for _ in range(count - 1):
                last = min(line_end(text, last) + 1, len(text))
            return self._lines(operator, at, last, now)
        if rest in ("iw", "aw"):
            start, stop = word_at(text, at, rest[0])
            return self._cut(now, start, stop, operator)
        if operator == "c" and rest == "w":  # vim's exception: the blanks behind stay
            rest = "e" if at < len(text) and not text[at].isspace() else "w"
        target = _target(rest, count, now)
        if target is None:
            return now
        if target.reach == "lines":
            return self._lines(operator, min(at, target.at), max(at, target.at), now)
        start, stop = sorted((at, target.at))
        stop = min(len(text), stop + (target.reach == "through"))
        if rest == "w" and "\n" in text[start:stop]:
            stop = line_end(text, start) if text[start : start + 1] != "\n" else start
        return self._cut(now, start, stop, operator)

    def _lines(self, operator: str, first: int, last: int, now: Buffer) -> Buffer:
        text = now.text
        start, stop = line_start(text, first), line_end(text, last)
        kept = f"{text[start:stop]}\n"
        if operator == "c":
            answer = self._cut(now, start, stop, "c")
            self._kept = kept
            return answer
        self._kept = kept
        if operator == "y":
            return Buffer(text, start)
        if stop < len(text):
            stop += 1
        elif start > 0:
            start -= 1
        left = text[:start] + text[stop:]
        return self._change(now, Buffer(left, first_word(left, min(start, len(left)))))

    def _cut(self, now: Buffer, start: int, stop: int, operator: str) -> Buffer:
        self._kept = now.text[start:stop] or self._kept
        if operator == "y":
            return Buffer(now.text, start)
        left = Buffer(now.text[:start] + now.text[stop:], start)
        return self._insert(now, left) if operator == "c" else self._change(now, left)

    def _put(self, key: str, count: int, now: Buffer) -> Buffer:
        text, at, kept = now.text, now.cursor, self._kept * min(count, 100)
        if not kept:
            return now
        if not self._kept.endswith("\n"):
            place = at if key == "P" or at >= line_end(text, at) else at + 1
            return self._change(
                now, Buffer(text[:place] + kept + text[place:], place + len(kept) - 1)
            )
        if key == "P":
            start = line_start(text, at)
            return self._change(now, Buffer(text[:start] + kept + text[start:], start))
        end = line_end(text, at)
        return self._change(now, Buffer(f"{text[:end]}\n{kept[:-1]}{text[end:]}", end + 1))

    # -- changes

    def _insert(self, now: Buffer, then: Buffer) -> Buffer:
        self._remember(now)
        self.mode = "insert"
        return then

    def _change(self, now: Buffer, then: Buffer) -> Buffer:
        if now.text != then.text:
            self._remember(now)
        return Buffer(then.text, clamp(then.text, then.cursor))

    def _remember(self, now: Buffer) -> None:
        self._past.append(now)
        del self._past[:-UNDONE]


def _one_left(now: Buffer) -> int:
    return max(line_start(now.text, now.cursor), now.cursor - 1)


def _target(keys: str, count: int, now: Buffer) -> Target | None:
    """Where the keys of a motion lead; None = they are none, or lead nowhere."""
    if len(keys) == 2 and keys[0] in SEEKING:
        return seek(now.text, now.cursor, keys[0], keys[1], count)
    if keys == "gg":
        return motion(now.text, now.cursor, "g", count)
    if keys in MOTIONS and keys != "g":
        return motion(now.text, now.cursor, keys, count)
    return None
