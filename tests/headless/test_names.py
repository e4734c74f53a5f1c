"""Claude's names on the wire: a golden table, and the way back."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qcode.headless.names import JOBS, TABLE, inward, outward, tool
from qcode.permission.words import names
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


NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
KNOWN = (
    "path file_path first_line last_line offset limit count replace_all case -i show output_mode "
    "action run_in_background timeout_seconds timeout job bash_id shell_id items todos question "
    "questions choices options command"
)
WORDS = st.sampled_from(["all", "ignore", "start", "read", "list", "stop", "run", "[x] a\n[ ]"])
WILD = st.dictionaries(st.sampled_from(sorted(names(KNOWN))) | TEXT, JSON | WORDS, max_size=5)
NAMES = sorted({*TABLE, *(row.theirs for row in TABLE.values()), *JOBS.values(), "other", ""})


@given(st.sampled_from(NAMES), WILD)
@settings(max_examples=1000)
def test_no_arguments_make_the_table_fail(name: str, arguments: dict[str, Any]) -> None:
    theirs, given_out = outward(name, arguments, FOLDER)
    msgspec.json.encode(given_out)
    for back in (given_out, arguments):
        ours, found = inward(theirs, back, FOLDER)
        msgspec.json.encode(found)
        outward(ours, found, FOLDER)


@given(st.sampled_from(NAMES), st.lists(JSON, max_size=3))
def test_no_rows_of_a_host_make_the_table_fail(name: str, rows: list[Any]) -> None:
    for key in ("todos", "questions"):
        inward(name, {key: rows}, FOLDER)
        inward(name, {key: [{"options": row, "status": row} for row in rows]}, FOLDER)


@pytest.mark.parametrize("path", ["/etc/passwd", "/w2/a.py"])
def test_a_path_outside_stays_absolute(path: str) -> None:
    assert outward("read", {"path": path}, FOLDER)[1] == {"file_path": path}
    assert inward("Read", {"file_path": path}, FOLDER)[1] == {"path": path}
