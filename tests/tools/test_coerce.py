"""Lists and objects that came as text, members alone, numbers in quotes: read by the type that is
declared. What is declared as text is never decoded, however deep it stands."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import inspect

from qcode.tools.coerce import as_declared


class Edit(msgspec.Struct, frozen=True):
    """A member of a list."""

    old: str
    new: str
    line: int = 0


def read(value: Any, declared: Any) -> Any:
    """`value` as a field of this type is read; and its own check takes it."""
    found = as_declared(value, inspect.type_info(declared))
    msgspec.convert(found, declared)
    return found


ONE = {"old": "a", "new": "[1]"}


@pytest.mark.parametrize(
    "written",
    [
        [ONE],
        json.dumps([ONE]),
        [json.dumps(ONE)],
        json.dumps([json.dumps(ONE)]),
        ONE,
        json.dumps(ONE),
        "[{'old': 'a', 'new': '[1]',},]",
        ' [\n{"old": "a", "new": "[1]"}\n] ',
    ],
)
def test_a_list_of_objects_is_read_however_it_is_wrapped(written: Any) -> None:
    assert read(written, list[Edit]) == [ONE]


@pytest.mark.parametrize(
    ("written", "members"),
    [
        (["a", "b"], ["a", "b"]),
        ('["a", "b"]', ["a", "b"]),
        ("['a', 'b']", ["a", "b"]),
        ("bug", ["bug"]),
        ('["[1]", "{}"]', ["[1]", "{}"]),
        ("[]", []),
        ([1, {"a": 2}], ["1", '{\n  "a": 2\n}']),
    ],
)
def test_a_list_of_strings_is_read_and_its_strings_are_left_alone(
    written: Any, members: list[str]
) -> None:
    assert read(written, list[str]) == members


@pytest.mark.parametrize(
    ("written", "declared", "value"),
    [
        ('{"a": 1}', dict[str, Any], {"a": 1}),
        ("{'a': True, 'b': None}", dict[str, Any], {"a": True, "b": None}),
        ('{"a": "200"}', dict[str, int], {"a": 200}),
        ('{"old": "{}", "new": "1", "line": "7"}', Edit, {"old": "{}", "new": "1", "line": 7}),
        ("2.5", float, 2.5),
        (" 1e3 ", float, 1000.0),
        ("TRUE", bool, True),
        ("False", bool, False),
        ("12", int | None, 12),
        (["1", "2"], tuple[int, ...], [1, 2]),
    ],
)
def test_values_are_read_by_the_declared_type(written: Any, declared: Any, value: Any) -> None:
    found = read(written, declared)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("written", "declared"),
    [
        ('[{"old": "a", "new": "b"}', list[Edit]),
        ('["a", "b', list[str]),
        ("[1, 2] and more", list[int]),
        ("ten", float),
        ("1.5.2", float),
        ("yes", bool),
        (1, bool),
        ("[1]", dict[str, int]),
        ("{", dict[str, int]),
        (7, list[int]),
        ("7", int | str),
        (None, str),
    ],
)
def test_what_is_cut_off_or_does_not_fit_comes_back_as_it_is(written: Any, declared: Any) -> None:
    assert as_declared(written, inspect.type_info(declared)) is written


texts = st.text() | st.sampled_from(["[1]", '{"a": 1}', '"x"', "12", "true", "null"])
values: list[tuple[Any, st.SearchStrategy[Any]]] = [
    (str, texts),
    (list[str], st.lists(texts)),
    (dict[str, str], st.dictionaries(st.text(), texts)),
    (list[Edit], st.lists(st.fixed_dictionaries({"old": texts, "new": texts}))),
    (float, st.floats(allow_nan=False)),
    (int | None, st.none() | st.integers()),
]


@given(st.data())
def test_what_fits_is_the_same_object_afterwards(data: st.DataObject) -> None:
    declared, strategy = data.draw(st.sampled_from(values))
    value = data.draw(strategy)
    assert as_declared(value, inspect.type_info(declared)) is value


@given(st.lists(st.fixed_dictionaries({"old": texts, "new": texts}), min_size=1))
def test_encoding_a_list_once_more_changes_nothing(edits: list[dict[str, str]]) -> None:
    assert read(json.dumps(edits), list[Edit]) == edits
    assert read([json.dumps(one) for one in edits], list[Edit]) == edits
