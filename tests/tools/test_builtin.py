"""The tools of a session: all of them, in one order, each as the contract wants it."""

import json
from typing import Any

import msgspec
import pytest

from qcode.protocol.messages import ToolCall
from qcode.tools.arguments import Parsed, parse
from qcode.tools.base import Tool
from qcode.tools.builtin import BUILTIN, WITHOUT_ASK, usable
from qcode.tools.fit import bare_type, declared


def test_the_order_never_changes() -> None:
    names = ["read", "write", "edit", "glob", "grep", "shell", "todo", "ask", "fetch"]
    assert [tool.name for tool in BUILTIN] == names
    assert [tool.name for tool in WITHOUT_ASK] == names[:-2]


def names(tools: tuple[type[Tool], ...]) -> set[str]:
    return {tool.name for tool in tools}


def test_fetch_is_offered_where_a_host_may_be_allowed() -> None:
    assert "fetch" in names(usable((), "present"))
    assert "fetch" in names(usable((), "absent", "ruled"))
    assert "fetch" not in names(usable((), "absent"))


def test_fetch_is_never_offered_where_no_host_is_reached() -> None:
    assert "fetch" not in names(usable((), "present", "closed"))
    assert names(usable(("read", "fetch"), "present", "closed")) == {"read"}


def test_a_session_from_before_keeps_its_tools() -> None:
    known = [tool.name for tool in WITHOUT_ASK]
    assert usable(known, "present", "ruled") == WITHOUT_ASK


@pytest.mark.parametrize("tool", BUILTIN, ids=lambda tool: tool.name)
def test_every_tool_is_a_frozen_struct_without_booleans(tool: Any) -> None:
    assert issubclass(tool, msgspec.Struct)
    assert tool.__struct_config__.frozen
    assert tool.__struct_config__.forbid_unknown_fields
    assert tool.effect in ("read", "write")
    plain = msgspec.inspect.StrType | msgspec.inspect.IntType | msgspec.inspect.LiteralType
    assert all(isinstance(bare_type(field), plain) for field in declared(tool).values())


@pytest.mark.parametrize(
    ("name", "arguments", "ours"),
    [
        ("Read", {"file_path": "a", "offset": 5, "limit": 2}, ("read", "a", 5, 6)),
        ("Write", {"file_path": "a", "content": "b"}, ("write", "a", "b")),
        ("create_file", {"path": "a", "file_text": "b"}, ("write", "a", "b")),
        (
            "Edit",
            {"file_path": "a", "old_string": "b", "new_string": "c", "replace_all": True},
            ("edit", "a", "b", "c", "all"),
        ),
        ("replace", {"file_path": "a", "old_str": "b", "new_str": "c"}, ("edit", "a", "b", "c")),
        ("list_files", {"pattern": "*.py", "directory": "src"}, ("glob", "*.py", "src")),
        (
            "Grep",
            {"pattern": "x", "include": "*.py", "-i": True, "-n": True, "-C": 2}
            | {"output_mode": "content"},
            ("grep", "x", ".", "*.py", "ignore", "lines", 2),
        ),
        (
            "Bash",
            {"command": "ls", "description": "List", "run_in_background": True, "timeout": 5},
            ("shell", "ls", "start", "", 5),
        ),
        ("TodoWrite", {"todos": ["a"]}, ("todo", '[\n  "a"\n]')),
        ("WebFetch", {"url": "https://e.com", "prompt": "What?"}, ("fetch", "https://e.com")),
        ("fetch_url", {"uri": "https://e.com"}, ("fetch", "https://e.com")),
        ("ask_user", {"question": "Well?", "options": "a\nb"}, ("ask", "Well?", "a\nb")),
    ],
)
def test_calls_that_were_learned_elsewhere_reach_the_tool_that_was_meant(
    name: str, arguments: dict[str, Any], ours: tuple[Any, ...]
) -> None:
    found = parse(BUILTIN, ToolCall("call-1", name, json.dumps(arguments)))
    assert isinstance(found, Parsed), found
    values = msgspec.structs.astuple(found.tool)  # type: ignore[arg-type]  # every tool is one
    assert (found.name, *values[: len(ours) - 1]) == ours


def test_the_tuples_hold_tools() -> None:
    tools: tuple[type[Tool], ...] = BUILTIN
    assert set(WITHOUT_ASK) < set(tools)
