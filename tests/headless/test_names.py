"""Claude's names on the wire: a golden table, and the way back."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qcode.headless.names import TABLE, inward, outward, tool
from qcode.tools.builtin import BUILTIN

GOLDEN = Path(__file__).with_name("golden") / "names.json"
FOLDER = "/w"


def test_the_wire_is_what_the_golden_file_says() -> None:
    for row in json.loads(GOLDEN.read_text()):
        (ours, arguments), (theirs, given_out) = row["ours"], row["theirs"]
        assert outward(ours, arguments, FOLDER) == (theirs, given_out)
        assert inward(theirs, given_out, FOLDER) == tuple(row.get("back", row["ours"]))


def test_every_tool_has_a_name_on_the_wire() -> None:
    assert {one.name for one in BUILTIN} <= set(TABLE)
    assert len({row.theirs for row in TABLE.values()}) == len(TABLE)
    assert tool("mine") == "mine"


TEXT = st.text(max_size=20)
PATH = st.from_regex(r"[a-z]{1,5}(/[a-z.]{1,5}){0,2}", fullmatch=True)
CALLS = st.one_of(
    st.tuples(
        st.just("read"),
        st.fixed_dictionaries(
            {"path": PATH},
            optional={"first_line": st.integers(1, 99), "last_line": st.integers(100, 999)},
        ),
    ),
    st.tuples(st.just("write"), st.fixed_dictionaries({"path": PATH, "content": TEXT})),
    st.tuples(
        st.just("edit"),
        st.fixed_dictionaries(
            {"path": PATH, "old_string": TEXT, "new_string": TEXT},
            optional={"count": st.just("all")},
        ),
    ),
    st.tuples(
        st.just("grep"),
        st.fixed_dictionaries(
            {"pattern": TEXT},
            optional={
                "case": st.just("ignore"),
                "show": st.sampled_from(["files", "lines"]),
                "context": st.integers(0, 9),
            },
        ),
    ),
    st.tuples(
        st.just("shell"),
        st.fixed_dictionaries(
            {"command": TEXT},
            optional={"action": st.just("start"), "timeout_seconds": st.integers(1, 1800)},
        ),
    ),
    st.tuples(
        st.just("shell"),
        st.fixed_dictionaries({"action": st.sampled_from(["read", "stop"]), "job": st.just("j")}),
    ),
)


@given(CALLS)
def test_what_goes_out_comes_back_as_it_was(call: tuple[str, dict[str, Any]]) -> None:
    name, arguments = call
    assert inward(*outward(name, arguments, FOLDER), FOLDER) == (name, arguments)


@given(st.sampled_from([*TABLE, "other"]), st.dictionaries(TEXT, st.none() | TEXT | st.integers()))
def test_no_arguments_make_the_table_fail(name: str, arguments: dict[str, Any]) -> None:
    theirs, given_out = outward(name, arguments, FOLDER)
    inward(theirs, given_out, FOLDER)
    inward(theirs, arguments, FOLDER)


@pytest.mark.parametrize("path", ["/etc/passwd", "/w2/a.py"])
def test_a_path_outside_stays_absolute(path: str) -> None:
    assert outward("read", {"path": path}, FOLDER)[1] == {"file_path": path}
    assert inward("Read", {"file_path": path}, FOLDER)[1] == {"path": path}
