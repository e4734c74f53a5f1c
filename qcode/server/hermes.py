"""A call in Hermes' form, `{"name": …, "arguments": {…}}`, found in text; or a list of them.

The arguments are handed on as they were written; slips of their syntax are mended by the engine.
"""

import json
import re
from collections.abc import Sequence
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
    """At the brace or bracket behind `<tool_call>`: one call, or several with or without commas."""
    is_list = text[at] == "["
    calls: list[_Call] = []
    at += is_list
    while _goes_on(text, at, is_free=is_list or not calls):
        at = _past(_BLANKS_AND_COMMA, text, at)
        members = Members(text, at)
        if members.end < 0:
            return _not_yet(text, at)
        call = _call(members)
        if call is None:
            return "none"
        calls.append(call)
        at = members.end
    return _found(text, at, calls, is_list=is_list)


def _goes_on(text: str, at: int, *, is_free: bool) -> bool:
    """Whether an object follows; not `is_free` = one that is a call for sure."""
    at = _past(_BLANKS_AND_COMMA, text, at)
    return text.startswith("{", at) and (is_free or bool(_BARE.match(text, at)))


def _found(text: str, at: int, calls: Sequence[_Call], *, is_list: bool) -> Look:
    """What stands behind the last call: a bracket, braces too many, the closing tag."""
    rest = _past(_BLANKS_AND_COMMA, text, at)
    if rest == len(text) and (is_list or text[at:].strip() == ","):  # more was to come
        return NotYet(calls[0][0] if calls else "", is_wrapped=True)
    if is_list and (text[rest] != "]" or not calls):
        return "none"
    behind = rest + 1 if is_list else _past(_BLANKS_AND_BRACES, text, at)
    closer = _CLOSER.match(text, behind)
    if is_list or closer or behind == len(text):
        at = closer.end() if closer else behind
    first, *others = calls
    return Found(*first, at, is_wrapped=True, others=tuple(others))


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
        return Found(*call, closer.end(), is_wrapped=True)
    if not members.names <= _FIELDS or _is_schema(call[1]):
        return "none"  # somebody describes a tool
    return Found(*call, members.end, is_wrapped=False, is_bare_json=True)


def object_at(text: str, at: int) -> tuple[str, int] | None:
    """The arguments in the object that begins at `at`, and where it ends; None = it does not."""
    members = Members(text, at)
    if members.end < 0 or text[members.end - 1] != "}":
        return None
    return _arguments(text[at : members.end]), members.end


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
