"""A call as the model wrote it -> a tool to run, or a text that tells the model what was expected.

Slips of syntax, of names and of types are mended and told; what a call means is never guessed.
A call that was cut off by the token limit is not for here: it must not run at all.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from difflib import SequenceMatcher
from typing import Any

import msgspec

from qcode.protocol.messages import ToolCall
from qcode.protocol.names import folded, tool_name
from qcode.tools.base import Tool, Whole
from qcode.tools.fit import bare_type, declared, fit
from qcode.tools.mend import Malformed, read_object


class Parsed(msgspec.Struct, frozen=True):
    """A call that can run."""

    tool: Tool
    name: str
    """The tool's own, whatever the model called it."""
    arguments: str
    """JSON text as it is to be stored: the model's own bytes when nothing was wrong."""
    repairs: tuple[str, ...] = ()
    """What was mended, in words."""


class Misfit(msgspec.Struct, frozen=True):
    """A call that cannot run."""

    text: str
    """For the model: what was wrong, what is expected."""
    name: str
    """The tool's own where it was found, else as the model wrote it."""
    arguments: str
    """A JSON object that may be stored in the place of what the model wrote."""


def parse(tool_types: Sequence[type[Tool]], call: ToolCall) -> Parsed | Misfit:
    """Never raises, whatever `call` holds."""
    by_name = {tool_type.name: tool_type for tool_type in tool_types}
    name = tool_name(call.name, by_name)
    try:
        given, mended = read_object(call.arguments)
    except Malformed as error:
        said = _unknown(call.name, by_name) if name is None else _not_json(by_name[name], error)
        return Misfit(said, name or call.name, "{}")
    if name is None:
        text = _dumped(given) if mended else call.arguments
        return Misfit(_unknown(call.name, by_name), call.name, text)
    if isinstance(whole := by_name[name], Whole):
        text = _dumped(given) if mended else call.arguments
        return Parsed(whole.taken(given), name, text, (*_renamed(call.name, name), *mended))
    fitted, notes = fit(given, by_name[name])
    repairs = (*mended, *notes)
    text = _dumped(fitted) if repairs else call.arguments
    try:
        tool = msgspec.convert(fitted, by_name[name])
    except msgspec.ValidationError as error:
        return Misfit(_misfit(by_name[name], fitted, error), name, text)
    return Parsed(tool, name, text, (*_renamed(call.name, name), *repairs))


def _renamed(written: str, name: str) -> tuple[str, ...]:
    return () if written == name else (f"took `{written}` as `{name}`",)


def _dumped(fields: Mapping[str, Any]) -> str:
    return json.dumps(fields, ensure_ascii=False)


def _unknown(name: str, known: Collection[str]) -> str:
    def likeness(each: str) -> float:
        return SequenceMatcher(None, folded(name), folded(each)).ratio()

    names = ", ".join(sorted(known, key=likeness, reverse=True))
    return f"There is no tool `{name[:60]}`. The tools are: {names}. Nothing was done."


def _not_json(tool_type: type[Tool], error: Malformed) -> str:
    return (
        f"{tool_type.name}: the arguments are not valid JSON: {error}. Nothing was done. Inside "
        f'strings write \\" for a quote and \\n for a line break. {_expected(tool_type)}'
    )


def _misfit(tool_type: type[Tool], given: Mapping[str, Any], error: Exception) -> str:
    fields = declared(tool_type)
    missing = [name for name, field in fields.items() if field.required and name not in given]
    extra = [name for name in given if name not in fields]
    wrong = []
    if missing:
        wrong.append(f"{_named(missing)} missing")
    if extra:
        wrong.append(f"{_named(extra)} unknown")
    if not wrong:
        wrong.append(_wrong_type(tool_type, given, error))
    return f"{tool_type.name}: {'; '.join(wrong)}. Nothing was done. {_expected(tool_type)}"


def _named(names: Sequence[str]) -> str:
    listed = ", ".join(f"`{name[:60]}`" for name in names[:8])
    return f"the field {listed} is" if len(names) == 1 else f"the fields {listed} are"


def _wrong_type(tool_type: type[Tool], given: Mapping[str, Any], error: Exception) -> str:
    name = str(error).rpartition("`$.")[2].rstrip("`")
    field = declared(tool_type).get(name)
    if field is None:
        return str(error)
    written = json.dumps(given.get(name), ensure_ascii=False)
    return f"`{name}` must be {_kind(field)}, not {written[:60]}"


def _expected(tool_type: type[Tool]) -> str:
    rows = [
        f"`{name}` ({_kind(field)}{'' if field.required else ', may be left out'})"
        for name, field in declared(tool_type).items()
    ]
    return f"Fields: {', '.join(rows)}."


def _kind(field: msgspec.inspect.Field) -> str:
    match bare_type(field):
        case msgspec.inspect.StrType():
            return "a string"
        case msgspec.inspect.IntType():
            return "an integer"
        case msgspec.inspect.FloatType():
            return "a number"
        case msgspec.inspect.BoolType():
            return "true or false"
        case msgspec.inspect.ListType() | msgspec.inspect.VarTupleType():
            return "a list"
        case msgspec.inspect.DictType() | msgspec.inspect.StructType():
            return "an object"
        case msgspec.inspect.LiteralType(values=words):
            return "one of " + ", ".join(f'"{word}"' for word in words)
    return "a value"
