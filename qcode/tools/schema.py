"""A tool as the model sees it: name, description, JSON Schema of its arguments.

The text heads every prompt of a session, so its bytes depend on the tool's source alone: not on
the Python version (3.13 strips docstrings), nor on the order in which a library fills its tables.
"""

import inspect
import json
from typing import Any

import msgspec

from qcode.protocol.messages import ToolSpec
from qcode.tools.base import Tool, Whole

_ORDER = ("type", "description", "enum", "items", "properties", "required", "default")
_DROPPED = frozenset({"title", "additionalProperties"})
"""`additionalProperties: false` is what grammars of servers assume anyway (llama.cpp, xgrammar);
eight times it would cost tokens, and what is unknown is refused by `arguments.parse`."""


def spec(tool_type: type[Tool]) -> ToolSpec:
    """How `tool_type` is offered to the model."""
    if isinstance(tool_type, Whole):
        return ToolSpec(tool_type.name, description(tool_type), tool_type.parameters)
    return ToolSpec(tool_type.name, description(tool_type), _text(_parameters(tool_type)))


def description(tool_type: type[Tool]) -> str:
    """The docstring: one line per paragraph, however its source is wrapped."""
    paragraphs = inspect.cleandoc(tool_type.__doc__ or "").split("\n\n")
    return "\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


def _parameters(tool_type: type[Tool]) -> dict[str, Any]:
    (top,), components = msgspec.json.schema_components((tool_type,), ref_template="{name}")
    schema = _tidy(top, components)
    schema.pop("description", None)  # it stands beside the name
    return {key: schema[key] for key in ("type", "properties", "required") if schema.get(key)}


def _tidy(schema: dict[str, Any], components: dict[str, Any]) -> dict[str, Any]:
    """Without `$ref` and titles; a `type` beside each `enum`, which some servers' parsers need."""
    if "$ref" in schema:
        schema = {**components[schema["$ref"]], **schema}
    if "enum" in schema:
        kind = "integer" if isinstance(schema["enum"][0], int) else "string"
        schema = {"type": kind, **schema}
    keys = [*(key for key in _ORDER if key in schema), *sorted(schema.keys() - set(_ORDER))]
    dropped = _DROPPED | {"$ref"}
    if schema.get("default") == "":  # that a field may be left out is in `required`
        dropped |= {"default"}
    return {key: _value(key, schema[key], components) for key in keys if key not in dropped}


def _value(key: str, value: Any, components: dict[str, Any]) -> Any:
    match key:
        case "properties":
            return {name: _tidy(field, components) for name, field in value.items()}
        case "items":
            return _tidy(value, components)
        case "anyOf":
            return [_tidy(option, components) for option in value]
        case _:
            return value


def _text(schema: dict[str, Any]) -> str:
    return json.dumps(schema, ensure_ascii=False, separators=(",", ":"))
