"""How tools are offered: the golden file is what every session's prompt begins with."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import msgspec
import pytest
from msgspec import Meta

from qcode.protocol.access import Access
from qcode.protocol.messages import ToolSpec
from qcode.tools.base import Context, Outcome
from qcode.tools.builtin import BUILTIN
from qcode.tools.schema import spec

GOLDEN = Path(__file__).parent / "golden" / "tools.jsonl"


class Row(msgspec.Struct, frozen=True):
    """One row."""

    text: str
    kind: Literal["a", "b"] = "a"


class Sample(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """First line of
    one paragraph.

    Second paragraph.
    """

    name: ClassVar[str] = "sample"
    effect: ClassVar[Literal["read", "write"]] = "read"

    path: Annotated[str, Meta(description="Where — exactly.")]
    rows: tuple[Row, ...] = ()
    word: Annotated[Literal["one", "all"], Meta(description="How many.")] = "one"
    level: Literal[1, 2] = 1
    limit: int = 5
    note: str = ""

    def summary(self) -> str:
        """The path."""
        return self.path

    def accesses(self) -> tuple[Access, ...]:
        """None."""
        return ()

    async def run(self, context: Context) -> Outcome:
        """Nothing."""
        return Outcome(self.path)


def keys(schema: Any) -> list[str]:
    match schema:
        case dict():
            return [*schema, *(key for value in schema.values() for key in keys(value))]
        case list():
            return [key for value in schema for key in keys(value)]
    return []


def test_references_are_resolved_and_every_enum_has_a_type() -> None:
    made = spec(Sample)
    assert made.name == "sample"
    assert made.description == "First line of one paragraph.\nSecond paragraph."
    assert json.loads(made.parameters) == {
        "type": "object",
        "properties": {
            "path": {"type": "string", "description": "Where — exactly."},
            "rows": {
                "type": "array",
                "items": {
                    "type": "object",
                    "description": "One row.",
                    "properties": {
                        "text": {"type": "string"},
                        "kind": {"type": "string", "enum": ["a", "b"], "default": "a"},
                    },
                    "required": ["text"],
                },
                "default": [],
            },
            "word": {
                "type": "string",
                "description": "How many.",
                "enum": ["all", "one"],
                "default": "one",
            },
            "level": {"type": "integer", "enum": [1, 2], "default": 1},
            "limit": {"type": "integer", "default": 5},
            "note": {"type": "string"},
        },
        "required": ["path"],
    }


def test_the_order_of_keys_is_fixed_and_characters_stay_as_they_are() -> None:
    text = spec(Sample).parameters
    assert text.startswith(
        '{"type":"object","properties":{"path":{"type":"string","description":"Where — exactly."}'
    )
    assert text.endswith('"required":["path"]}')


def test_the_golden_file_holds_the_builtin_tools() -> None:
    golden = [msgspec.json.decode(line, type=ToolSpec) for line in GOLDEN.read_bytes().splitlines()]
    assert [spec(tool) for tool in BUILTIN] == golden, (
        "The schemas changed: each session's prompt begins with them. If that is meant, run "
        "`python -m tests.tools.golden`."
    )


@pytest.mark.parametrize("tool", BUILTIN, ids=lambda tool: tool.name)
def test_schemas_are_plain_enough_for_small_models(tool: Any) -> None:
    schema = json.loads(spec(tool).parameters)
    assert not {"$ref", "title", "anyOf", "oneOf", "allOf", "$defs"} & set(keys(schema))
    for field in schema["properties"].values():
        assert field["type"] in ("string", "integer")
    assert len(spec(tool).parameters) + len(spec(tool).description) < 1_200


def test_the_text_does_not_depend_on_the_run() -> None:
    script = (
        "from qcode.tools.builtin import BUILTIN; from qcode.tools.schema import spec; "
        "print([spec(tool) for tool in BUILTIN])"
    )
    runs = {
        subprocess.run(
            [sys.executable, "-c", script],
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("0", "1")
    }
    assert len(runs) == 1
