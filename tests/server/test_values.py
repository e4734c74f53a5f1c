"""Raw values take the type that the schema declares, and a declared string stays as it is."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qcode.server.values import typed

JSON_TYPES = ["string", "integer", "number", "boolean", "array", "object", "null"]


@given(st.text())
def test_a_declared_string_is_never_changed(raw: str) -> None:
    for schema in ({"type": "string"}, {}, None, {"type": ""}):
        assert typed(raw, schema) == raw


@pytest.mark.parametrize("raw", ["12345", '{"a":1}', '""', "  x ", "true", "null", "[1]"])
def test_a_string_that_looks_like_something_else_is_a_string(raw: str) -> None:
    assert typed(raw, {"type": "string"}) == raw


@pytest.mark.parametrize(
    ("raw", "schema", "value"),
    [
        ("200", {"type": "integer"}, 200),
        (" -3\n", {"type": "integer"}, -3),
        ("100.0", {"type": "integer"}, 100),
        ("1.23e5", {"type": "integer"}, 123000),
        ("1.5", {"type": "integer"}, "1.5"),
        ("ten", {"type": "integer"}, "ten"),
        ("1" * 400, {"type": "integer"}, "1" * 400),
        ("1.5", {"type": "number"}, 1.5),
        ("7", {"type": "number"}, 7),
        ("1e999", {"type": "number"}, "1e999"),
        ("NaN", {"type": "number"}, "NaN"),
        ("True", {"type": "boolean"}, True),
        ("false", {"type": "boolean"}, False),
        ("yes", {"type": "boolean"}, "yes"),
        ('["a", 1]', {"type": "array"}, ["a", 1]),
        ("['a', True]", {"type": "array"}, ["a", True]),
        ('{"a": "x\ny"}', {"type": "object"}, {"a": "x\ny"}),
        ('{"a": 1}', {"type": "array"}, '{"a": 1}'),
        ("{1, 2}", {"type": "array"}, "{1, 2}"),
        ("[" * 100_000, {"type": "array"}, "[" * 100_000),
        ("null", {"type": ["string", "null"]}, None),
        ("None", {"anyOf": [{"type": "integer"}, {"type": "null"}]}, None),
        ("5", {"anyOf": [{"type": "string"}, {"type": "integer"}]}, 5),
        ("5 apples", {"anyOf": [{"type": "string"}, {"type": "integer"}]}, "5 apples"),
        ("null", {"type": "integer", "nullable": True}, None),
    ],
)
def test_values_take_the_declared_type(raw: str, schema: dict[str, Any], value: Any) -> None:
    found = typed(raw, schema)
    assert found == value
    assert type(found) is type(value)


@given(st.text(), st.lists(st.sampled_from(JSON_TYPES), max_size=3))
def test_nothing_that_a_model_writes_raises(raw: str, kinds: list[str]) -> None:
    typed(raw, {"type": kinds})
