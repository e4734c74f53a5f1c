"""A call in Hermes' form, `{"name": …, "arguments": {…}}`, found in text; or a list of them.

The arguments are handed on as they were written; slips of their syntax are mended by the engine.
"""

import json
import re
from typing import Any

from qcode.server.found import Found, Look, NotYet
from qcode.server.members import CLOSER, Members
from qcode.server.offered import Offered

_HEAD = re.compile(r"""\{\s*["']?(?:name|arguments|parameters|type|function|id)?""")
_BARE = re.compile(r"""\{\s*["']name["']\s*:\s*(?P<name>"[^"\n]*"?)""")
_BLANKS_AND_BRACES = re.compile(r"[\s}]*")
_BLANKS_AND_COMMA = re.compile(r"\s*,?\s*")
_CLOSER = re.compile(rf"\s*{CLOSER}", re.IGNORECASE)
_PAYLOADS = ("arguments", "parameters")
_FIELDS = frozenset({"name", *_PAYLOADS, "id", "type", "index"})

_Call = tuple[str, str]
"""Name and arguments."""


def look(text: str, at: int) -> Look:
    """At the brace or bracket behind `<tool_call>`."""
    if text[at] == "[":
        return _look_list(text, at + 1)
    members = Members(text, at)
    if members.end < 0:
        return _not_yet(text, at)
    call = _call(members)
    if call is None:
        return "none"
    end = members.end
    braces = _BLANKS_AND_BRACES.match(text, end)  # a brace too many is no text
    behind = braces.end() if braces else end
    closer = _CLOSER.match(text, behind)
    if behind == len(text):
        end = behind
    return Found(*call, closer.end() if closer else end, is_wrapped=True, is_closed=bool(closer))


def look_bare(text: str, offered: Offered) -> Look:
    """At a brace without any tag before it, at the start of `text`."""
    head = _BARE.match(text)
    if head is None:
        return NotYet() if not text.lstrip("{").strip() else "none"
    name = head["name"].strip('"')
    if not (offered.has(name) if head["name"].endswith('"') else offered.has_begin(name)):
        return "none"
    members = Members(text, 0)
    if members.end < 0:
        return NotYet(name)
    call = _call(members)
    if call is None or not members.names.intersection(_PAYLOADS):
        return "none"
    closer = _CLOSER.match(text, members.end)
    if closer:
        return Found(*call, closer.end(), is_wrapped=True, is_closed=True)
    if not members.names <= _FIELDS or _is_schema(call[1]):
        return "none"  # somebody describes a tool
    return Found(*call, members.end, is_wrapped=False, is_bare_json=True)


def object_at(text: str, at: int) -> tuple[str, int] | None:
    """The arguments in the object that begins at `at`, and where it ends; None = it does not."""
    members = Members(text, at)
    if members.end < 0 or text[members.end - 1] != "}":
        return None
    return _arguments(text[at : members.end]), members.end


def _look_list(text: str, at: int) -> Look:
    """Behind its bracket."""
    calls: list[_Call] = []
    while True:
        at = _past(_BLANKS_AND_COMMA, text, at)
        if text[at : at + 1] != "{":
            break
        members = Members(text, at)
        if members.end < 0:
            return _not_yet(text, at)
        if (call := _call(members)) is None:
            return "none"
        calls.append(call)
        at = members.end
    if at >= len(text):
        return NotYet(calls[0][0] if calls else "", is_wrapped=True)
    if text[at] != "]" or not calls:
        return "none"
    closer = _CLOSER.match(text, at + 1)
    end = closer.end() if closer else at + 1
    first, *others = calls
    return Found(*first, end, is_wrapped=True, is_closed=bool(closer), others=tuple(others))


def _past(pattern: re.Pattern[str], text: str, at: int) -> int:
    match = pattern.match(text, at)
    return match.end() if match else at


def _not_yet(text: str, at: int) -> Look:
    """An object has no end: whether it may be a call all the same."""
    if not _HEAD.match(text, at):
        return "none"
    named = _BARE.match(text, at)
    return NotYet(named["name"].strip('"') if named else "", is_wrapped=True)


def _call(members: Members) -> _Call | None:
    """Also of OpenAI's `{"function": {"name": …, "arguments": …}}`."""
    if "function" in members.names and "name" not in members.names:
        inner = members.inner("function")
        return _call(inner) if inner else None
    name = members.value("name").strip("\"' ") if "name" in members.names else ""
    if not name:
        return None
    payload = next((each for each in _PAYLOADS if each in members.names), None)
    return name, _arguments(members.value(payload)) if payload else "{}"


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


def _is_schema(arguments: str) -> bool:
    """Whether they are a JSON schema, as in the description of a tool."""
    try:
        value = json.loads(arguments)
    except (ValueError, RecursionError):
        return False
    return isinstance(value, dict) and value.get("type") == "object" and "properties" in value
