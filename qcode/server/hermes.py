"""A call in Hermes' form, `{"name": …, "arguments": {…}}`, found in text.

Strings may hold anything. The arguments are handed on as they were written; slips of their syntax
are mended by the engine.
"""

import json
import re
from typing import Any

from qcode.server.found import Found, Look, NotYet
from qcode.server.offered import Offered

_TOKEN = re.compile(
    r'"[^"\\]*(?:\\.[^"\\]*)*"|\'[^\'\\]*(?:\\.[^\'\\]*)*\'|[{}\[\]:,]|[A-Za-z_]\w*|["\']'
    r"|</(?:tool_call|function_calls)[ \t]*>",
    re.DOTALL,
)
_HEAD = re.compile(r"""\{\s*["']?(?:name|arguments|parameters|type|function|id)?""")
_BARE = re.compile(r"""\{\s*["']name["']\s*:\s*(?P<name>"[^"\n]*"?)""")
_BLANKS_AND_BRACES = re.compile(r"[\s}]*")
_CLOSER = re.compile(r"\s*</(?:tool_call|function_calls)[ \t]*>")
_PAYLOADS = ("arguments", "parameters")


class _Members:
    """The members of one object: name -> (start, end) of its value; found by counting brackets."""

    def __init__(self, text: str, at: int) -> None:
        self.spans: dict[str, tuple[int, int]] = {}
        self.end = -1
        """Behind the closing brace, or before a closing tag that stands in its place; -1 = open."""
        self.is_hopeless = False
        self._read(text, at)

    def _read(self, text: str, at: int) -> None:
        depth, key, start = 0, "", -1
        for token in _TOKEN.finditer(text, at):
            sign = token[0]
            if sign in ('"', "'"):  # a string without an end
                return
            if sign in "{[":
                depth += 1
            elif sign.startswith("</") or sign in "}]":
                depth -= sign in "}]"
                if depth == 0 or sign.startswith("</"):
                    if depth > 1:  # cut off within the arguments, and then closed
                        return
                    self._keep(key, start, token.start(), text)
                    self.end = token.end() if depth == 0 else token.start()
                    return
            elif depth == 1:
                if sign == ",":
                    self._keep(key, start, token.start(), text)
                    key, start = "", -1
                elif sign == ":" and start < 0:
                    start = token.end()
                elif start < 0:
                    key = sign.strip("\"'")

    def _keep(self, key: str, start: int, end: int, text: str) -> None:
        if key and start >= 0:
            value = text[start:end]
            lead = len(value) - len(value.lstrip())
            self.spans[key] = (start + lead, start + len(value.rstrip()))


def look(text: str, at: int, offered: Offered) -> Look:
    """At the brace behind `<tool_call>`."""
    members = _Members(text, at)
    if members.end < 0:
        head = _HEAD.match(text, at)
        named = _BARE.match(text, at)
        return (
            NotYet(named["name"].strip('"') if named else "", is_wrapped=True) if head else "none"
        )
    call = _call(text, members)
    if call is None:
        return "none"
    end, closer = members.end, None
    if braces := _BLANKS_AND_BRACES.match(text, end):  # a brace too many is no text
        closer = _CLOSER.match(text, braces.end())
        end = braces.end() if braces.end() == len(text) else end
    return Found(*call, closer.end() if closer else end, is_wrapped=True, is_closed=bool(closer))


def look_bare(text: str, offered: Offered) -> Look:
    """At a brace without any tag before it, at the start of `text`."""
    head = _BARE.match(text)
    if head is None:
        return NotYet() if not text.lstrip("{").strip() else "none"
    name = head["name"].strip('"')
    if not (offered.has(name) if head["name"].endswith('"') else offered.has_begin(name)):
        return "none"
    members = _Members(text, 0)
    if members.end < 0:
        return NotYet(name)
    call = _call(text, members)
    if call is None or not any(payload in members.spans for payload in _PAYLOADS):
        return "none"
    closer = _CLOSER.match(text, members.end)
    end = closer.end() if closer else members.end
    return Found(
        *call, end, is_wrapped=bool(closer), is_closed=bool(closer), is_bare_json=not closer
    )


def object_at(text: str, at: int) -> tuple[str, int] | None:
    """The arguments in the object that begins at `at`, and where it ends; None = it does not."""
    members = _Members(text, at)
    if members.end < 0 or text[members.end - 1] != "}":
        return None
    return _arguments(text[at : members.end]), members.end


def _call(text: str, members: _Members) -> tuple[str, str] | None:
    """Name and arguments; also of OpenAI's `{"function": {"name": …, "arguments": …}}`."""
    spans = members.spans
    if "function" in spans and "name" not in spans:
        start, _ = spans["function"]
        if text[start : start + 1] == "{":
            inner = _Members(text, start)
            return _call(text, inner) if inner.end >= 0 else None
    if "name" not in spans:
        return None
    start, end = spans["name"]
    name = text[start:end].strip("\"' ")
    payload = next((spans[each] for each in _PAYLOADS if each in spans), None)
    if not name:
        return None
    return name, _arguments(text[slice(*payload)]) if payload else "{}"


def _arguments(written: str) -> str:
    """Valid JSON as it stands; a string's inner text; raw line breaks escaped."""
    for strict in (True, False):
        value: Any = None
        try:
            value = json.loads(written, strict=strict)
        except (ValueError, RecursionError):
            continue
        if isinstance(value, str):
            return value if value.strip() else "{}"
        if value is None:
            return "{}"
        return written if strict else json.dumps(value, ensure_ascii=False)
    return written
