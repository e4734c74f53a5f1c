"""An object as the model wrote it -> the fields that a tool declares.

Names through the table of aliases, values by the declared type (`coerce`).
"""

import json
from functools import cache
from typing import Any

import msgspec

from qcode.tools.aliases import IDLE, WORDS, field_name
from qcode.tools.base import Tool
from qcode.tools.coerce import as_declared, as_integer, plain

_ENVELOPES = ("arguments", "parameters", "input", "args")

Fields = dict[str, Any]


@cache
def declared(tool_type: type[Tool]) -> dict[str, msgspec.inspect.Field]:
    """The fields of a tool by name, in their order."""
    info = msgspec.inspect.type_info(tool_type)
    if not isinstance(info, msgspec.inspect.StructType):
        raise TypeError(f"{tool_type!r} is no struct of arguments")
    return {field.encode_name: field for field in info.fields}


def bare_type(field: msgspec.inspect.Field) -> msgspec.inspect.Type:
    """The declared type, without its description."""
    return plain(field.type)


def fit(given: Fields, tool_type: type[Tool]) -> tuple[Fields, tuple[str, ...]]:
    """The fields under declared names and of declared types as far as that is plain; and notes."""
    fields = declared(tool_type)
    notes: list[str] = []
    named = _renamed(_unwrapped(given, fields, notes), fields, notes)
    fitted = {}
    for name, value in named.items():
        if value is None and name in fields and not fields[name].required:
            notes.append(f"left out `{name}`, which was null")
        else:
            fitted[name] = _typed(name, value, fields, notes)
    return _counted(fitted, fields, notes), tuple(notes)


def _counted(fitted: Fields, fields: Fields, notes: list[str]) -> Fields:
    """`limit` lines from the first one on, where a tool takes the last line."""
    limit, first = as_integer(fitted.get("limit")), fitted.get("first_line", 1)
    if "limit" in fields or "last_line" not in fields or "last_line" in fitted:
        return fitted
    if not isinstance(limit, int) or not isinstance(first, int) or limit < 1:
        return fitted
    notes.append("turned `limit` into `last_line`")
    last = max(first, 1) + limit - 1
    return {name: value for name, value in fitted.items() if name != "limit"} | {"last_line": last}


def _unwrapped(given: Fields, fields: Fields, notes: list[str]) -> Fields:
    """The arguments inside of `{"name": …, "arguments": {…}}`."""
    for envelope in _ENVELOPES:
        inner = given.get(envelope)
        if (
            isinstance(inner, dict)
            and envelope not in fields
            and given.keys() <= {envelope, "name"}
        ):
            notes.append(f"took the arguments out of `{envelope}`")
            return inner
    return given


def _renamed(given: Fields, fields: Fields, notes: list[str]) -> Fields:
    result: Fields = {}
    for name, value in given.items():
        ours = name if name in fields else field_name(name, fields, given.keys() | result.keys())
        if ours is None and name in IDLE:
            notes.append(f"left out `{name}`")
            continue
        if ours is not None and ours != name:
            notes.append(f"renamed `{name}` to `{ours}`")
        result[ours or name] = value
    return result


def _typed(
    name: str, value: Any, fields: dict[str, msgspec.inspect.Field], notes: list[str]
) -> Any:
    if name not in fields:
        return value
    kind = bare_type(fields[name])
    if isinstance(kind, msgspec.inspect.LiteralType):
        typed = _as_word(name, value, kind.values)
    else:
        typed = as_declared(value, kind)
    if typed is not value:
        notes.append(f"`{name}`: read {_brief(value)} as {_brief(typed)}")
    return typed


def _as_word(name: str, value: Any, words: tuple[Any, ...]) -> Any:
    if value in words:
        return value
    text = str(value).strip().casefold()
    text = WORDS.get((name, text), text)
    return text if text in words else value


def _brief(value: Any) -> str:
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 40 else "text"
