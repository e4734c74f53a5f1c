"""A command line -> its words and operators, as bash reads them; or `Unclear`.

Covers only what a rule may trust: plain words, quotes, backslashes, `$name`, globs, redirections.
Everything else raises, so that no half-understood line is ever allowed. `loose` and `scan` are for
the other direction: they see words in whatever was written, so that a deny rule still bites.
"""

import re
import unicodedata
from collections.abc import Iterator
from typing import Literal

import msgspec

CONTROL = ("&&", "||", "|&", ";", "|", "&", "(", ")", "\n")
REDIRECTS = ("&>>", "&>", ">>", ">&", ">|", "<&", ">", "<")
_REFUSED = {
    "<<": "a here-document or here-string",
    "<(": "a process substitution",
    ">(": "a process substitution",
    "<>": "a file opened for reading and writing",
    "((": "arithmetic",
    ";;": "a case list",
    ";&": "a case list",
}
_OPERATORS = (*CONTROL[:3], *REDIRECTS[:6], *CONTROL[3:], *REDIRECTS[6:])
_NAME = re.compile(r"\$[A-Za-z_][A-Za-z0-9_]*")
_NUMBERED = re.compile(r"[0-9]+(?=[<>])")
_BRACES = re.compile(r"\{[^{}]*(?:,|\.\.)|^\{[A-Za-z_]\w*\}$")
_ANSI = re.compile(r"\\(?:x([0-9a-fA-F]{1,2})|u([0-9a-fA-F]{1,4})|([0-7]{1,3})|(.))", re.DOTALL)
_ANSI_STRING = re.compile(r"\$'((?:[^'\\]|\\.)*)'", re.DOTALL)
_SEPARATORS = re.compile(r"\$IFS\b|\$\{IFS[^}{$]*\}|[\s;|&()<>`{},=$!]+")

Kind = Literal["fixed", "glob", "computed"]


class Unclear(Exception):
    """The line cannot be told; `str()` is a clause such as `it has a here-document`."""


class Word(msgspec.Struct, frozen=True):
    """One word of a command."""

    text: str
    """Without quotes; `$name` and globs stay as written."""
    kind: Kind = "fixed"
    """`glob` = file names take its place, `computed` = a variable does (or it is not known)."""
    start: int = -1
    end: int = -1
    """Place in the line; -1 = not taken from it."""
    spelling: Literal["bare", "quoted"] = "bare"
    """`quoted` = some of it was, so that it is no reserved word."""


def names(text: str) -> frozenset[str]:
    """The blank-separated words of `text`, as a set."""
    return frozenset(text.split())


UNKNOWN = Word("…", "computed")
"""Arguments that are known only when the command runs."""


def lex(line: str) -> tuple[Word | str, ...]:
    """Words and operators of `line`, comments left out. Raises Unclear."""
    return tuple(_tokens(line))


def _tokens(line: str) -> Iterator[Word | str]:
    at = 0
    while at < len(line):
        if line[at] in " \t":
            at += 1
        elif line[at] == "#":
            end = line.find("\n", at)
            at = end if end >= 0 else len(line)
        elif operator := _operator(line, at):
            at += len(operator)
            yield operator.lstrip("0123456789")
        else:
            word = _word(line, at)
            at = word.end
            yield word


def _operator(line: str, at: int) -> str:
    """The operator that starts at `at`, with its descriptor number; empty = none does."""
    number = _NUMBERED.match(line, at)
    start = number.end() if number else at
    if reason := _REFUSED.get(line[start : start + 2]):
        raise Unclear(f"it has {reason}")
    found = next((sign for sign in _OPERATORS if line.startswith(sign, start)), "")
    return line[at:start] + found if found else ""


def _word(line: str, start: int) -> Word:
    """The word that starts at `start`."""
    pieces: list[tuple[str, str]] = []
    at = start
    while at < len(line) and line[at] not in " \t\n;|&()<>":
        text, at, seen = _piece(line, at)
        pieces.append((text, seen))
    # Quoted signs are masked: only unquoted ones are braces and globs.
    outline = "".join(text if seen == "bare" else "_" * len(text) for text, seen in pieces)
    if _BRACES.search(outline):
        raise Unclear("it has a brace expansion")
    return Word(
        "".join(text for text, _ in pieces),
        _kind(outline, {seen for _, seen in pieces}),
        start,
        at,
        "bare" if all(seen == "bare" for _, seen in pieces) else "quoted",
    )


def _kind(outline: str, seen: set[str]) -> Kind:
    if "computed" in seen:
        return "computed"
    return "glob" if re.search(r"[*?\[]", outline) else "fixed"


def _piece(line: str, at: int) -> tuple[str, int, str]:
    """A run of one sort of quoting: (text, where it ends, bare | quoted | computed)."""
    sign = line[at]
    if sign == "'":
        end = _closing(line, "'", at + 1)
        return line[at + 1 : end], end + 1, "quoted"
    if sign == '"':
        return _double(line, at + 1)
    if sign == "\\":
        if at + 1 >= len(line) or line[at + 1] == "\n":
            raise Unclear("it has a line continuation")
        return line[at + 1], at + 2, "quoted"
    if sign in "$`":
        name = _variable(line, at)
        return name, at + len(name), "computed"
    return sign, at + 1, "bare"


def _closing(line: str, sign: str, at: int) -> int:
    end = line.find(sign, at)
    if end < 0:
        raise Unclear("a quote in it is not closed")
    return end


def _double(line: str, at: int) -> tuple[str, int, str]:
    """The inside of a double-quoted string that begins at `at`."""
    text, seen = "", "quoted"
    while at < len(line) and line[at] != '"':
        if line[at] == "\\" and line[at + 1 : at + 2] in tuple('$`"\\'):
            text, at = text + line[at + 1], at + 2
        elif line[at] == "\\" and line[at + 1 : at + 2] == "\n":
            raise Unclear("it has a line continuation")
        elif line[at] == "$" and line[at + 1 : at + 2] in ("", " ", '"', "/", ",", ".", ")", "|"):
            text, at = text + "$", at + 1  # a lone dollar is a dollar
        elif line[at] in "$`":
            name = _variable(line, at)
            text, at, seen = text + name, at + len(name), "computed"
        else:
            text, at = text + line[at], at + 1
    _closing(line, '"', at)
    return text, at + 1, seen


def _variable(line: str, at: int) -> str:
    """`$name` at `at`. All other expansions can run code or are not understood."""
    name = _NAME.match(line, at)
    if name:
        return name[0]
    if line.startswith("$'", at):
        raise Unclear("it has a $'…' string")
    if line.startswith(("$(", "`"), at):
        raise Unclear("it has a substitution")
    raise Unclear("it has an expansion beyond a plain $name")


def oddities(line: str) -> Iterator[str]:
    """What makes any reading of `line` doubtful before it is read."""
    if "\\\n" in line:
        yield "it has a line continuation"
    if any(_invisible(sign) for sign in line if not " " <= sign <= "~"):
        yield "it has invisible or control characters"


def _invisible(sign: str) -> bool:
    return sign not in "\t\n" and unicodedata.category(sign)[0] in "CZ"


def loose(raw: str) -> Word:
    """`raw` without quotes and backslashes, whatever it is. Never raises."""
    decoded = _ANSI_STRING.sub(lambda found: _ANSI.sub(_unescaped, found[1]), raw)
    text = re.sub(r"['\"\\]", "", decoded)
    return Word(text, "computed" if re.search(r"[$`*?\[{]", raw) else "fixed")


def scan(line: str) -> tuple[str, ...]:
    """Every word that stands somewhere in `line`, quotes, expansions and operators undone."""
    joined = line.replace("\\\n", "")
    bare = loose(joined).text
    visible = "".join(sign for sign in bare if sign in " \t\n" or not _invisible(sign))
    return tuple(word for word in _SEPARATORS.split(visible) if word)


def _unescaped(found: "re.Match[str]") -> str:
    hexadecimal, wide, octal, other = found.groups()
    if octal:
        return chr(int(octal, 8) & 0xFF)
    if hexadecimal or wide:
        return chr(int(hexadecimal or wide, 16))
    return {"n": "\n", "t": "\t", "r": "\r"}.get(other, other)
