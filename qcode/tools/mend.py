"""Text that was meant as a JSON object -> the object. Syntax is mended, meaning is never guessed.

A string that does not end or a brace that does not close is no syntax slip but a cut-off call:
half a file would be written. The same holds for a bare quote inside a string, since nobody can
say where such a string ends. Both are refused.
"""

import json
import re
from typing import Any, NoReturn

from qcode.protocol.text import well_formed

MOST_LEVELS = 60
MOST_DIGITS = 300

_BLANKS = re.compile(r"\s*")
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.])")
_WORD = re.compile(r"[A-Za-z_][\w-]*")
_RUN = {quote: re.compile(rf"[^\\\x00-\x1f{quote}]+") for quote in "\"'"}
_HEX = re.compile(r"[0-9a-fA-F]{4}")
_ESCAPES = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_WORDS = {"true": True, "false": False, "null": None, "True": True, "False": False, "None": None}


class Malformed(Exception):
    """It is no JSON object. `str(error)` is a clause for the model."""


def read_object(text: str) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The object, and what was mended, in words (empty = it was valid). Raises Malformed."""
    return _read(text, 2)


def read_value(text: str) -> Any:
    """The JSON value that `text` is, slips of its syntax mended. Raises Malformed."""
    try:
        return _without_surrogates(json.loads(text, parse_constant=_refuse))
    except (ValueError, RecursionError):
        return _Reader(well_formed(text)).value()


def _read(text: str, decodings: int) -> tuple[dict[str, Any], tuple[str, ...]]:
    if not text.strip():
        return {}, ("read empty arguments as {}",)
    try:
        value = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return _Reader(well_formed(text)).whole()
    match value:
        case dict():
            return _valid(value, text)
        case None:
            return {}, ("read null as {}",)
        case str() if decodings:
            inner, notes = _read(value, decodings - 1)
            return inner, ("decoded arguments that were encoded twice", *notes)
    raise Malformed("the arguments must be one JSON object")


def _valid(value: dict[str, Any], text: str) -> tuple[dict[str, Any], tuple[str, ...]]:
    if "\\u" not in text and text.isascii():
        return value, ()
    repaired = _without_surrogates(value)
    return repaired, () if repaired == value else ("replaced half characters (lone surrogates)",)


def _without_surrogates(value: Any) -> Any:
    match value:
        case str():
            return well_formed(value)
        case list():
            return [_without_surrogates(each) for each in value]
        case dict():
            return {well_formed(key): _without_surrogates(each) for key, each in value.items()}
    return value


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")


class _Reader:
    """Reads one object at a time from `text`, noting what a strict reader would have refused."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.notes: dict[str, None] = {}

    def whole(self) -> tuple[dict[str, Any], tuple[str, ...]]:
        """The one object in the text, whatever prose or fence stands around it."""
        start = self.text.find("{")
        if start < 0:
            raise Malformed("the arguments must be one JSON object, {…}")
        before = self.text[:start].strip()
        if '"' in before or before.endswith("'"):
            raise Malformed("the arguments must begin with {")
        self.at = start
        value = self._object(1)
        while (again := self._skip_to_brace()) >= 0:
            self.at = again
            another = self._object(1)
            if value and another and another != value:
                raise Malformed("the arguments hold several different objects")
            if value == another:
                self._note("took an object that was written twice once")
            else:
                self._note("left out an empty object beside the arguments")
            value = value or another
        if before or self.text[self.at :].strip():
            self._note("left out the text around the object")
        return value, tuple(self.notes)

    def value(self) -> Any:
        """The one value that the text is."""
        found = self._value(1)
        if self._next():
            self._fail("the end")
        return found

    def _skip_to_brace(self) -> int:
        """Where one more object begins, or -1; what goes on as JSON is no text around one."""
        if (sign := self._next()) and sign in "\"',:":
            self._fail("the end")
        return self.text.find("{", self.at)

    def _value(self, level: int) -> Any:
        match self._next():
            case "{":
                return self._object(level)
            case "[":
                return self._array(level)
            case '"' | "'":
                return self._string()
        if number := _NUMBER.match(self.text, self.at):
            if len(number[0]) > MOST_DIGITS:
                self._fail("a shorter number")
            self.at = number.end()
            return json.loads(number[0])
        return self._word()

    def _word(self) -> Any:
        word = _WORD.match(self.text, self.at)
        if word is None or word[0] not in _WORDS:
            self._fail("a value")
        self.at = word.end()
        if word[0][0].isupper():
            self._note(f"read {word[0]} as JSON")
        return _WORDS[word[0]]

    def _object(self, level: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        self._open(level)
        while not self._closes("}"):
            key = self._key()
            if self._next() != ":":
                self._fail("a colon")
            self.at += 1
            value = self._value(level + 1)
            if key in found and found[key] != value:
                raise Malformed(f"the field `{key}` occurs twice with different values")
            found[key] = value
            self._separate("}")
        return found

    def _array(self, level: int) -> list[Any]:
        found: list[Any] = []
        self._open(level)
        while not self._closes("]"):
            found.append(self._value(level + 1))
            self._separate("]")
        return found

    def _open(self, level: int) -> None:
        if level > MOST_LEVELS:
            raise Malformed(f"the arguments are nested more than {MOST_LEVELS} levels deep")
        self.at += 1

    def _closes(self, bracket: str) -> bool:
        if self._next() != bracket:
            return False
        self.at += 1
        return True

    def _separate(self, bracket: str) -> None:
        """Past the comma; a last comma before `bracket` is a slip."""
        sign = self._next()
        if sign == ",":
            self.at += 1
            if self._next() == bracket:
                self._note("dropped a comma before a closing bracket")
        elif sign != bracket:
            self._fail(f"a comma or {bracket}")

    def _key(self) -> str:
        if self._next() in ('"', "'"):
            return self._string()
        word = _WORD.match(self.text, self.at)
        if word is None:
            self._fail("a field name in quotes")
        self.at = word.end()
        self._note("put field names into quotes")
        return word[0]

    def _string(self) -> str:
        quote = self.text[self.at]
        if quote == "'":
            self._note("put strings into double quotes")
        self.at += 1
        pieces: list[str] = []
        while (sign := self._peek()) != quote:
            if run := _RUN[quote].match(self.text, self.at):
                pieces.append(run[0])
                self.at = run.end()
            elif sign == "\\":
                pieces.append(self._escape())
            elif sign:
                self._note("escaped line breaks or tabs in strings")
                pieces.append(sign)
                self.at += 1
            else:
                raise Malformed("the arguments end inside a string")
        self.at += 1
        return _paired("".join(pieces))

    def _escape(self) -> str:
        sign = self.text[self.at + 1 : self.at + 2]
        self.at += 2
        if sign in _ESCAPES:
            return _ESCAPES[sign]
        if sign == "u" and (digits := _HEX.match(self.text, self.at)):
            self.at = digits.end()
            return chr(int(digits[0], 16))
        if sign == "'":
            self._note("put strings into double quotes")
            return sign
        self._note("doubled backslashes that begin no escape")
        self.at -= 1 if sign else 0  # the sign is read again, for itself
        return "\\"

    def _next(self) -> str:
        """The next sign that is not blank, looked at only; empty at the end."""
        blanks = _BLANKS.match(self.text, self.at)
        self.at = blanks.end() if blanks else self.at
        return self._peek()

    def _peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def _note(self, what: str) -> None:
        self.notes[what] = None

    def _fail(self, expected: str) -> NoReturn:
        if self.at >= len(self.text):
            raise Malformed("the arguments end too early: a bracket is not closed")
        near = self.text[max(0, self.at - 15) : self.at + 15]
        raise Malformed(f"at character {self.at + 1}, near {near!r}, {expected} was expected")


def _paired(text: str) -> str:
    """Two escaped halves of one character become it; a lone half becomes U+FFFD."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
