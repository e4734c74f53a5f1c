"""`structured_output`: the result of a run as one value that fits a JSON Schema.

A tool, and never the server's `response_format`: with that, parsers of some servers read nothing
but the JSON, and other tools or none would make the server read the whole prompt again.
"""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

import msgspec

from qcode.protocol.access import Access
from qcode.protocol.errors import InputError
from qcode.tools.base import Context, Outcome, Tool, failed

NAME = "structured_output"
RETRIES = 2
"""So often the model may try again, whether its value did not fit or it gave none."""
FAULTS = 5
"""So many faults of a value are told at once."""
INNER = "value_by_schema"
"""Holds a value that is no object: arguments of a call always are one."""

MISSING = (
    f"The result is still missing. Call `{NAME}` now, with a value that fits its schema: it is the "
    "only way to give the result."
)


class Wanted(msgspec.Struct):
    """The value that a turn is to give."""

    schema: Mapping[str, Any]
    value: Any = None
    is_there: bool = False
    missed: int = 0
    """How often there was none, or one that did not fit."""

    def begin(self) -> None:
        """Another turn."""
        self.value, self.is_there, self.missed = None, False, 0

    @property
    def is_hopeless(self) -> bool:
        """All retries are used up."""
        return self.missed > RETRIES

    def take(self, fields: Mapping[str, Any]) -> tuple[str, ...]:
        """Keep the value, or say what is wrong with it."""
        value = fields.get(INNER) if is_wrapped(self.schema) else dict(fields)
        found = faults(self.schema, value)
        if found:
            self.missed += 1
        else:
            self.value, self.is_there = value, True
        return found


def is_wrapped(schema: Mapping[str, Any]) -> bool:
    """Whether the value stands in an object of its own."""
    return schema.get("type") != "object"


def value_of(fields: Mapping[str, Any]) -> Any:
    """The value in the arguments of a call that was taken."""
    return fields[INNER] if list(fields) == [INNER] else dict(fields)


def read_schema(text: str) -> Mapping[str, Any]:
    """A schema that can be used. Raises InputError with a sentence."""
    from jsonschema.exceptions import SchemaError  # noqa: PLC0415 - 80 ms, seldom asked for
    from jsonschema.validators import validator_for  # noqa: PLC0415 - the same

    try:
        found = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        raise InputError(f"--json-schema is no JSON ({error}). Give a schema, or @FILE.") from error
    if not isinstance(found, dict):
        raise InputError('--json-schema must be an object: {"type": "object", …}.')
    try:
        validator_for(found).check_schema(found)
    except SchemaError as error:
        raise InputError(f"--json-schema is no JSON Schema: {error.message}.") from error
    except RecursionError as error:
        raise InputError("--json-schema is nested too deep to be used.") from error
    return found


def faults(schema: Mapping[str, Any], value: Any) -> tuple[str, ...]:
    """What is wrong with `value`, a clause each; empty = it fits. Nothing is fetched."""
    from jsonschema.exceptions import best_match  # noqa: PLC0415 - see `read_schema`
    from jsonschema.validators import validator_for  # noqa: PLC0415 - the same
    from referencing import Registry  # noqa: PLC0415 - the same
    from referencing.exceptions import Unresolvable  # noqa: PLC0415 - the same

    # With a registry of its own it opens no address that a `$ref` names.
    validator = validator_for(schema)(schema, registry=Registry())
    try:
        errors = sorted(validator.iter_errors(value), key=lambda error: error.json_path)
    except Unresolvable as error:
        return (f"the schema refers to {error.ref!r}, which is not in it",)
    except RecursionError:
        return ("the schema refers to itself without an end, or the value is nested too deep",)
    deep = [best_match([error]) or error for error in errors[:FAULTS]]
    return tuple(f"{error.json_path}: {error.message[:300]}" for error in deep)


def _parameters(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema as that of a call's arguments."""
    if not is_wrapped(schema):
        return schema
    own = {name: part for name, part in schema.items() if name not in ("$schema", "$id")}
    return {"type": "object", "properties": {INNER: _moved(own)}, "required": [INNER]}


def _moved(part: Any) -> Any:
    """A part of a schema whose root is another now: what points into it points there."""
    if isinstance(part, list):
        return [_moved(one) for one in part]
    if not isinstance(part, dict):
        return part
    return {name: _pointer(name, value) or _moved(value) for name, value in part.items()}


def _pointer(name: str, value: Any) -> str:
    is_one = name == "$ref" and isinstance(value, str) and value.startswith("#")
    return f"#/properties/{INNER}{value[1:]}" if is_one else ""


def tool_for(wanted: Wanted) -> type[Tool]:
    """The tool that takes the value."""
    text = msgspec.json.encode(_parameters(wanted.schema)).decode()

    class StructuredOutput(msgspec.Struct, frozen=True):
        """Give the final result of the work, once, when everything else is done."""

        name: ClassVar[str] = NAME
        effect: ClassVar[Literal["read", "write"]] = "write"
        parameters: ClassVar[str] = text

        fields: dict[str, Any]

        @classmethod
        def taken(cls, fields: Mapping[str, Any]) -> Tool:
            """See `tools.base.Whole`."""
            return cls(dict(fields))

        def summary(self) -> str:
            """Its names."""
            return ", ".join(list(self.fields)[:8])

        def accesses(self) -> tuple[Access, ...]:
            """It touches nothing."""
            return ()

        async def run(self, context: Context) -> Outcome:
            """Look at the value, and keep it."""
            found = wanted.take(self.fields)
            if found:
                return failed(f"{NAME}: the value does not fit its schema. {'; '.join(found)}.")
            return Outcome("Taken: this is the result.")

    return StructuredOutput
