"""Regular expressions for Python, and for ripgrep such that it never finds less.

The common part of both: literals, `.`, sets, `\\d \\w \\s \\b` and their opposites, groups, `|`,
`? * + {n,m}` and their lazy forms, `^`, `$`, `(?i)` at the start. Lines are matched one by one,
without their ends. Look-around, back-references and the like are refused with a sentence.

Two dialects are written from one reading. Neither lets anything match a carriage return or a byte
that is no UTF-8, so that line ends and broken files make no difference.
"""

import re

import msgspec

from qcode.workspace.repeats import REACH, Repeats

_FOLDS_APART = r"\u0130\u0131\u0390\u03b0\u1fd3\u1fe3\ufb05\ufb06"
"""Letters that Python takes for others where case does not count, and ripgrep does not."""
_PY_NOT = r"\r\n\udc80-\udcff"
_RG_NOT = r"\r\n"
_LETTERS = {  # (Python, ripgrep), to stand inside a set
    "d": (r"\d", r"\p{Nd}"),
    "w": (r"\w", r"\p{L}\p{N}_"),
    "s": (
        r"\t\x0b\x0c\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000",
        r"\t\x0b\x0c\x1c-\x1f\x85\p{Z}",
    ),
}
_CONTROLS = {"t": "\t", "f": "\f", "v": "\v", "a": "\a", "e": "\x1b"}
_POSIX = {
    "alpha": "A-Za-z", "digit": "0-9", "alnum": "0-9A-Za-z", "upper": "A-Z", "lower": "a-z",
    "space": r"\t\x0b\x0c\x20", "blank": r"\t\x20", "punct": r"!-/:-@\[-`\{-~",
    "xdigit": "0-9A-Fa-f", "word": "0-9A-Za-z_",
}  # fmt: skip
_HEX = "[0-9A-Fa-f]"
_CODE = re.compile(rf"[xu]\{{({_HEX}{{1,6}})\}}|x({_HEX}{{2}})|u({_HEX}{{4}})")
_NAMED = re.compile(r"\(\?P?<[A-Za-z_]\w*>")
_CLASS = re.compile(r"\[:(\w+):\]")
_EXACT = re.compile(r"\{[1-9]\d*\}")
_END = r"(?:\r?$)"
_FIXED = ("(?:", "|", "^", "$", r"\b", r"\B")
"""What cannot be repeated."""
_COUNT = re.compile(r"\{(\d{1,4})(,(\d{0,4}))?\}")


class BadPattern(ValueError):
    """`str(error)` says what is wrong; a clause."""


class Pattern(msgspec.Struct, frozen=True):
    """What to look for in each line."""

    python: re.Pattern[str]
    """For one line."""
    block: re.Pattern[str]
    """For many lines: finds nothing where no line matches."""
    rust: str
    """For ripgrep: finds whatever `python` finds, maybe more."""
    reach: int
    """So many characters of each line are searched; see `repeats`."""

    def search(self, line: str) -> re.Match[str] | None:
        """In one line, without its end; `line` decoded as UTF-8 with surrogateescape."""
        match = self.python.search(line, 0, self.reach)
        if match and match.end() == self.reach < len(line):
            return None  # `$` holds where the search ends, too
        return match


def literal(text: str, *, ignore_case: bool) -> Pattern:
    """The text as it stands."""
    python = "".join(_literal(char)[0] for char in text)
    rust = "".join(_folded(char) if ignore_case else _literal(char)[1] for char in text)
    return _pattern(python, rust, ignore_case=ignore_case, reach=REACH[0])


def read(text: str, *, ignore_case: bool) -> Pattern:
    """A regular expression. Raises BadPattern."""
    reader = _Reader(text, ignore_case=ignore_case)
    python, rust = reader.whole()
    try:
        return _pattern(
            python,
            rust,
            ignore_case=reader.ignore_case,
            reach=reader.repeats.reach,
        )
    except (re.error, OverflowError, RecursionError) as error:
        raise BadPattern(str(error)) from error


def _pattern(python: str, rust: str, *, ignore_case: bool, reach: int) -> Pattern:
    flags = re.IGNORECASE if ignore_case else re.NOFLAG
    block = re.compile(python.replace("$", _END), flags | re.MULTILINE)
    rust = f"(?i){rust}" if ignore_case else rust
    return Pattern(re.compile(python, flags), block, rust, reach)


def _literal(char: str) -> tuple[str, str]:
    """One character for both dialects, in a set or outside of one."""
    if char in "\r\n":
        raise BadPattern("lines are searched one by one, so a line end cannot be found")
    if char.isascii() and not char.isalnum() and char != "_":
        return f"\\x{ord(char):02x}", f"\\x{ord(char):02x}"
    return char, char


def _apart(one: str, other: str) -> bool:
    """True = no character is both: blanks and word characters."""
    blanks = f"[{_LETTERS['s'][0]}]"
    words = (r"[\w]", r"[\d]")
    return (one == blanks and other in words) or (other == blanks and one in words)


def _folded(char: str) -> str:
    """One character for ripgrep where case does not count: at least what Python takes it for."""
    if char in "iI":
        return "[iI\u0130\u0131]"
    return _literal(char)[1] if char.isascii() else f"[^{_RG_NOT}]"


class _Reader:
    """Goes through a pattern once and writes both dialects."""

    def __init__(self, text: str, *, ignore_case: bool) -> None:
        self.ignore_case = ignore_case or text.startswith("(?i)")
        self.text = text.removeprefix("(?i)")
        self.at = 0
        self.repeats = Repeats(_apart)
        self._depth = 0

    def whole(self) -> tuple[str, str]:
        """Both dialects. Raises BadPattern."""
        made: list[tuple[str, str]] = []
        while self.at < len(self.text):
            if count := self._count():
                raise BadPattern(f"nothing to repeat before {count!r}")
            made.append(self._item())
            if made[-1][0] not in _FIXED:
                count = self._count()
                self._weigh(made[-1][0], count)
                made.append((count, count))
        if self._depth:
            raise BadPattern("missing ), a group is not closed")
        if not self.repeats.reach:
            raise BadPattern("too many repetitions stand side by side")
        return "".join(python for python, _ in made), "".join(rust for _, rust in made)

    def _weigh(self, item: str, count: str) -> None:
        """Take note of an item and how often it may come."""
        if item == ")":
            if count and count[0] != "?":
                raise BadPattern("a group cannot be repeated, only a character or a set like [ab]+")
            self.repeats.closed(optional=bool(count))
        elif not count or _EXACT.fullmatch(count):
            self.repeats.fixed()
        else:
            self.repeats.repeated(item, count)

    def _next(self, *heads: str) -> str:
        """The head that stands here, passed over; empty = none does."""
        for head in heads:
            if self.text.startswith(head, self.at):
                self.at += len(head)
                return head
        return ""

    def _count(self) -> str:
        """A repetition, such as `*` or `{2,}?`; empty = none stands here."""
        counted = _COUNT.match(self.text, self.at)
        found = counted[0] if counted else self.text[self.at : self.at + 1]
        if not counted and (not found or found not in "*+?"):
            return ""
        self.at += len(found)
        if self._next("+"):
            raise BadPattern("possessive repetition is not supported")
        return found + self._next("?")

    def _item(self) -> tuple[str, str]:
        char = self.text[self.at]
        if self._next("()"):  # an empty group finds nothing: `main()` is meant as it stands
            return r"\x28\x29", r"\x28\x29"
        if char == "(":
            return self._open()
        if char == ")":
            return self._close()
        self.at += 1
        match char:
            case "[":
                return self._set()
            case "\\":
                return self._escape()
            case ".":
                return f"[^{_PY_NOT}]", f"[^{_RG_NOT}]"
            case "$":
                return "$", _END if self.at == len(self.text) else r"\r?"
            case "^":  # in the middle ripgrep 13 misses the empty line that `$^` finds
                return "^", "^" if self.at == 1 else ""
            case "|":
                self.repeats.branched()
                return "|", "|"
        return self._as_it_is(char)

    def _as_it_is(self, char: str) -> tuple[str, str]:
        python, rust = _literal(char)
        return python, _folded(char) if self.ignore_case else rust

    def _open(self) -> tuple[str, str]:
        if named := _NAMED.match(self.text, self.at):
            self.at = named.end()
        elif not self._next("(?:"):
            self.at += 1
            if self._next("?"):
                raise BadPattern("look-around and inline flags are not supported; (?i) comes first")
        self._depth += 1
        self.repeats.opened()
        return "(?:", "(?:"

    def _close(self) -> tuple[str, str]:
        if not self._depth:
            raise BadPattern("a ) without its (")
        self.at += 1
        self._depth -= 1
        return ")", ")"

    def _escape(self) -> tuple[str, str]:
        """Behind a backslash, outside of a set."""
        letter = self.text[self.at : self.at + 1]
        if letter in ("b", "B"):
            self.at += 1
            return f"\\{letter}", ""  # the two disagree on what a word is, outside of ASCII
        if letter.lower() in _LETTERS:
            self.at += 1
            python, rust = _LETTERS[letter.lower()]
            if letter.islower():
                return f"[{python}]", f"[{rust}]"
            return f"[^{python}{_PY_NOT}]", f"[^{rust}{_RG_NOT}]"
        return self._as_it_is(self._character())

    def _character(self) -> str:
        """The character that an escape stands for; `at` is behind the backslash."""
        if code := _CODE.match(self.text, self.at):
            self.at = code.end()
            number = int(next(group for group in code.groups() if group), 16)
            if number > 0x10FFFF or 0xD800 <= number <= 0xDFFF:
                raise BadPattern(f"there is no character \\{code[0]}")
            return chr(number)
        letter = self.text[self.at : self.at + 1]
        self.at += 1
        if letter in ("n", "r"):
            return "\n"  # refused with its reason where it is written
        if not letter or (letter.isalnum() and letter not in _CONTROLS):
            raise BadPattern(f"\\{letter} is not supported")
        return _CONTROLS.get(letter, letter)

    def _set(self) -> tuple[str, str]:
        """Behind the opening bracket."""
        negated = bool(self._next("^"))
        items = [self._literal_member("]")] if self._next("]") else []
        while not self._next("]"):
            if self.at >= len(self.text):
                raise BadPattern("missing ], a set is not closed")
            items.append(self._member())
        python, rust = ("".join(side) for side in zip(*items, strict=True))
        if negated:
            return f"[^{python}{_PY_NOT}]", f"[^{rust}{_RG_NOT}]"
        return f"[{python}]", f"[{rust}{_FOLDS_APART if self.ignore_case else ''}]"

    def _member(self) -> tuple[str, str]:
        """A character, a range, or a class, within a set."""
        named = _CLASS.match(self.text, self.at)
        if named and named[1] in _POSIX:
            self.at = named.end()
            return _POSIX[named[1]], _POSIX[named[1]]
        if self._next("\\"):
            letter = self.text[self.at : self.at + 1]
            if letter in _LETTERS:
                self.at += 1
                return _LETTERS[letter]
            if letter.lower() in _LETTERS:
                raise BadPattern(f"\\{letter} inside [] is not supported")
            return self._literal_member("\b" if self._next("b") else self._character())
        self.at += 1
        return self._literal_member(self.text[self.at - 1])

    def _literal_member(self, low: str) -> tuple[str, str]:
        """`low`, or the range that begins with it."""
        python, rust = _literal(low)
        following = self.text[self.at + 1 : self.at + 2]
        if self.text[self.at : self.at + 1] != "-" or following in ("]", ""):
            return python, rust
        self.at += 2
        high = self._character() if following == "\\" else following
        if high < low:
            raise BadPattern(f"the range {low}-{high} runs backwards")
        return f"{python}-{_literal(high)[0]}", f"{rust}-{_literal(high)[1]}"
