"""What vim's commands do to a text: operators, pastes, single signs; and what takes them back."""

from typing import Literal

import msgspec

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
from qcode.tui.prompt.visual import OPERATORS, Marked, changed

NOWHERE = "_"
"""The register that keeps nothing."""
UNDONE = 100
"""Changes that can be taken back."""


class Buffer(msgspec.Struct, frozen=True):
    """A text, and how many characters are before the cursor."""

    text: str
    cursor: int
    selected: tuple[int, int] | None = None
    """In visual mode: where what is marked begins, and where it ends with the cursor."""


Answer = Buffer | Literal["older", "newer"] | None
"""What is there now; `older` and `newer`: another prompt is wanted; None = the key is not vim's."""


class Operating:
    """Changes texts, and remembers them. Which keys mean what is `vim.Vim`'s."""

    def __init__(self) -> None:
        self.mode: Literal["insert", "normal", "visual", "lines"] = "insert"
        self._register = ""
        """The one that the next command was given; empty = none."""
        self._registers: dict[str, str] = {}
        self._past: list[Buffer] = []
        self._began: Buffer | None = None
        """What was there as insert mode was begun by a command."""

    @property
    def _kept(self) -> str:
        """What was deleted or copied last, in the register that is named; ends with a line end if
        it was whole lines."""
        return self._registers.get(self._register, "")

    @_kept.setter
    def _kept(self, text: str) -> None:
        if self._register != NOWHERE:
            self._registers |= {"": text, self._register: text}

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
        target = aim(rest, count, now)
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
        self._began = then
        return then

    def _change(self, now: Buffer, then: Buffer) -> Buffer:
        if now.text != then.text:
            self._remember(now)
        return Buffer(then.text, clamp(then.text, then.cursor))

    def _remember(self, now: Buffer) -> None:
        self._past.append(now)
        del self._past[:-UNDONE]

    # -- what is marked

    def _changed_marked(self, typed: str, marked: Marked, now: Buffer) -> Buffer:
        start, stop = marked.span(now.text)
        now = Buffer(now.text, min(marked.anchor, marked.at))  # where `u` comes back to
        operator = OPERATORS.get(typed, "r")
        if operator in ("d", "c", "y"):
            if marked.whole == "lines":
                return self._lines(operator, start, stop, now)
            return self._cut(now, start, stop, operator)
        if operator in ("p", "P"):
            return self._put_over(operator, marked, now)
        new = changed(now.text, start, stop, typed)
        return self._change(now, Buffer(now.text[:start] + new + now.text[stop:], start))

    def _put_over(self, operator: str, marked: Marked, now: Buffer) -> Buffer:
        """What was kept, in place of what is marked; `p` keeps that instead."""
        start, stop = marked.span(now.text)
        kept, whole = self._kept.removesuffix("\n"), self._kept.endswith("\n")
        out = now.text[start:stop]
        if whole and marked.whole == "signs":
            kept = f"\n{kept}\n"
        if operator == "p":
            self._kept = f"{out}\n" if marked.whole == "lines" else out
        cursor = start + (max(len(kept) - 1, 0) if not whole else kept.startswith("\n"))
        return self._change(now, Buffer(now.text[:start] + kept + now.text[stop:], cursor))


def aim(keys: str, count: int, now: Buffer) -> Target | None:
    """Where the keys of a motion lead; None = they are none, or lead nowhere."""
    if len(keys) == 2 and keys[0] in SEEKING:
        return seek(now.text, now.cursor, keys[0], keys[1], count)
    if keys == "gg":
        return motion(now.text, now.cursor, "g", count)
    if keys in MOTIONS and keys != "g":
        return motion(now.text, now.cursor, keys, count)
    return None
