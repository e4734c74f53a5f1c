"""The raw text of a value -> a value of the type that the tool's schema declares.

A declared string stays as it is, whatever it looks like. What does not fit stays text too, and
the tool's own check says so to the model.
"""

import ast
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

_INTEGER = re.compile(r"[+-]?\d{1,300}(?:\.0*)?")
_NUMBER = re.compile(r"[+-]?(?:\d{1,300}(?:\.\d{0,300})?|\.\d{1,300})(?:[eE][+-]?\d{1,3})?")
_BOOLEANS = {"true": True, "false": False}
_LONGEST_LITERAL = 100_000
_UNREAD = object()


def typed(raw: str, schema: Mapping[str, Any] | None) -> Any:
    """`raw` as the schema's type; None for a schema = a string."""
    kinds = _kinds(schema or {})
    for kind, read in _READERS.items():  # strings last: of a union, what parses completely wins
        if kind in kinds and (value := read(raw.strip())) is not _UNREAD:
            return value
    return raw


def _kinds(schema: Mapping[str, Any]) -> set[str]:
    declared = schema.get("type")
    kinds = {declared} if isinstance(declared, str) else set(declared or ())
    for union in ("anyOf", "oneOf"):
        for member in schema.get(union) or ():
            kinds |= _kinds(member)
    if schema.get("nullable") is True:
        kinds.add("null")
    return kinds


def _null(text: str) -> Any:
    return None if text in ("null", "None", "NULL") else _UNREAD


def _boolean(text: str) -> Any:
    return _BOOLEANS.get(text.lower(), _UNREAD)


def _integer(text: str) -> Any:
    if _INTEGER.fullmatch(text):
        return int(text.partition(".")[0])
    number = _number(text)
    return int(number) if isinstance(number, float) and number.is_integer() else _UNREAD


def _number(text: str) -> Any:
    if not _NUMBER.fullmatch(text):
        return _UNREAD
    number = float(text)
    if number in (float("inf"), float("-inf")):
        return _UNREAD
    return int(text) if text.lstrip("+-").isdigit() else number


def _list(text: str) -> Any:
    return _literal(text, list)


def _mapping(text: str) -> Any:
    return _literal(text, dict)


def _literal(text: str, kind: type) -> Any:
    """JSON, also with raw line breaks in its strings; else a Python literal."""
    for read in (_json, ast.literal_eval):
        try:
            value = read(text) if len(text) <= _LONGEST_LITERAL or read is _json else _UNREAD
            json.dumps(value)  # a literal may hold what JSON cannot: bytes, sets
        except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
            continue
        if isinstance(value, kind):
            return value
    return _UNREAD


def _json(text: str) -> Any:
    return json.loads(text, strict=False)


_READERS: Mapping[str, Callable[[str], Any]] = {
    "null": _null,
    "boolean": _boolean,
    "integer": _integer,
    "number": _number,
    "array": _list,
    "object": _mapping,
}
