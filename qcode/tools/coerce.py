"""A value as the model wrote it -> a value of the declared type, where that is plain.

Lists and objects come as text, one object in the place of a list, numbers in quotes. A declared
string is never decoded: the content of a JSON file stays text. What does not fit comes back as it
is, and the tool's own check says so.
"""

import json
import re
from typing import Any

from msgspec import inspect

from qcode.tools.mend import Malformed, read_value

_INTEGER = re.compile(r"\s*([+-]?\d{1,18})(?:\.0*)?\s*")
_NUMBER = re.compile(r"\s*[+-]?(?:\d{1,18}(?:\.\d{0,18})?|\.\d{1,18})(?:[eE][+-]?\d{1,2})?\s*")
_BOOLEANS = {"true": True, "false": False}


def plain(kind: inspect.Type) -> inspect.Type:
    """A declared type without its description; of an optional one, what it is if it is given."""
    if isinstance(kind, inspect.Metadata):
        return plain(kind.type)
    if isinstance(kind, inspect.UnionType):
        given = [each for each in kind.types if not isinstance(each, inspect.NoneType)]
        return plain(given[0]) if len(given) == 1 else kind
    return kind


def as_declared(value: Any, kind: inspect.Type) -> Any:
    """`value` as a `kind`; the very same object where nothing is to be done."""
    match plain(kind):
        case inspect.StrType():
            return _as_text(value)
        case inspect.IntType():
            return as_integer(value)
        case inspect.FloatType():
            return float(value) if isinstance(value, str) and _NUMBER.fullmatch(value) else value
        case inspect.BoolType():
            return _BOOLEANS.get(value.strip().lower(), value) if isinstance(value, str) else value
        case inspect.ListType(item_type=item) | inspect.VarTupleType(item_type=item):
            return _as_list(value, item)
        case inspect.DictType(value_type=item):
            return _as_object(value, {}, item)
        case inspect.StructType(fields=fields):
            return _as_object(value, {each.encode_name: each.type for each in fields}, None)
    return value


def as_integer(value: Any) -> Any:
    """Of `200` in quotes, and of `200.0`."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str) and (match := _INTEGER.fullmatch(value)):
        return int(match[1])
    return value


def _as_text(value: Any) -> Any:
    """A string was meant; what the model wrote as JSON is that string's text."""
    if value is None or isinstance(value, str):
        return value
    indent = 2 if isinstance(value, dict | list) else None
    return json.dumps(value, ensure_ascii=False, indent=indent)


def _as_list(value: Any, item: inspect.Type) -> Any:
    """Also of its text; one object alone is a list of one."""
    found = _decoded(value, list)
    if not isinstance(found, list):
        return [as_declared(found, item)] if _is_one(found, plain(item)) else value
    return _unless_equal([as_declared(each, item) for each in found], value)


def _is_one(value: Any, item: inspect.Type) -> bool:
    """Whether it is a member of the list; a list that was cut off is none."""
    if isinstance(item, inspect.StrType):
        return isinstance(value, str) and not value.lstrip().startswith("[")
    return isinstance(value, dict)


def _as_object(value: Any, kinds: dict[str, inspect.Type], other: inspect.Type | None) -> Any:
    """Also of its text; each member as it is declared, one that is not as `other`."""
    found = _decoded(value, dict)
    if not isinstance(found, dict):
        return value
    members = {}
    for name, each in found.items():
        kind = kinds.get(name, other)
        members[name] = each if kind is None else as_declared(each, kind)
    return _unless_equal(members, value)


def _decoded(value: Any, kind: type) -> Any:
    """The JSON in a text, if it is a `kind`, or one object; else `value`."""
    if not isinstance(value, str) or value.lstrip()[:1] not in ("[", "{"):
        return value
    try:
        found = read_value(value)
    except Malformed:
        return value
    return found if isinstance(found, kind | dict) else value


def _unless_equal(made: Any, value: Any) -> Any:
    """`value` where nothing was done (`1 == 1.0`, so the types are compared as well)."""
    return value if repr(made) == repr(value) else made
