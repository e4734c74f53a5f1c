"""Slash commands: what each sends or opens, and sentences for what is wrong."""

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qcode.permission.modes import modes
from qcode.protocol.errors import InputError
from qcode.protocol.inputs import (
    ClosePort,
    Compact,
    ListPorts,
    OpenPort,
    Prompt,
    Redo,
    Rename,
    SetMode,
    SetModel,
    SetSampling,
    SetThinking,
    Undo,
)
from qcode.tui.commands import COMMANDS, Action, built, meant
from qcode.tui.keys import TABLE
from qcode.tui.prompt.sending import parted


@pytest.mark.parametrize(
    ("text", "does"),
    [
        ("/rename A better name", Rename("A better name")),
        ("/rename", Action("rename")),
        ("/mode plan", SetMode("plan")),
        ("/mode acceptEdits", SetMode("edit")),
        ("/mode", Action("modes")),
        ("/think high", SetThinking(16_000)),
        ("/think 1234", SetThinking(1234)),
        ("/think off", SetThinking(0)),
        ("/think max", SetThinking(28_768)),
        ("/model qwen3.6", SetModel("qwen3.6")),
        ("/profile deep", SetModel("deep")),
        ("/server http://127.0.0.1:9000/v1", SetModel("", "http://127.0.0.1:9000/v1")),
        ("/sampling temperature=0.3 top_k=20", SetSampling(temperature=0.3, top_k=20)),
        ("/sampling auto", SetSampling()),
        ("/compact", Compact()),
        ("/compact the tests", Compact("the tests")),
        ("/port", ListPorts()),
        ("/port 3001", OpenPort(3001)),
        ("/port close 3001", ClosePort(3001)),
        ("/undo", Undo()),
        ("/redo", Redo()),
        ("/clear", Action("new_session")),
        ("/QUIT", Action("leave")),
        ("/export out.html", Action("export", "out.html")),
        ("/diff staged", Action("diff", "staged")),
        ("/theme nord", Action("themes", "nord")),
        ("/?", Action("help")),
    ],
)
def test_what_a_command_does(text: str, does: object) -> None:
    words = parted(text)
    assert words
    assert meant(*words)[1] == does


def test_the_modes_that_are_offered_are_those_of_the_table() -> None:
    [row] = [one for one in COMMANDS if one.name == "mode"]
    assert row.hint == f"[{'|'.join(modes())}]"


def test_the_table_needs_no_reader_of_command_lines() -> None:
    code = "import sys, qcode.tui.commands; print('qcode.permission.shell' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_init_asks_the_model_for_agents_md() -> None:
    sent = meant("init")[1]
    assert isinstance(sent, Prompt)
    assert "AGENTS.md" in sent.text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("/frok", "no command /frok. Did you mean /fork?"),
        ("/sess", "Did you mean /sessions?"),
        ("/xyzzy", "/help lists the commands."),
        ("/fork now", "/fork takes nothing behind it"),
        ("/mode plam", "Did you mean plan?"),
        ("/mode yolo", "only be given at the start"),
        ("/think much", "is no thinking budget"),
        ("/server here", "takes an address"),
        ("/sampling hot", "not 'hot'"),
        ("/sampling temperature=9", "a number from 0 to 5"),
        ("/sampling temperature=warm", "not 'warm'"),
        ("/sampling temperature=nan", "not 'nan'"),
        ("/port web", "/port takes a number"),
        ("/port close", "/port takes a number"),
        ("/port open 3001", "/port takes a number"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(text: str, words: str) -> None:
    found = parted(text)
    assert found
    with pytest.raises(InputError) as told:
        meant(*found)
    assert words in str(told.value)
    assert str(told.value).endswith((".", "?"))


@pytest.mark.parametrize(
    "text", ["/usr/bin is full", "/", "/tmp/a.py: why?", "//", "/ fork", "fork", "/1", "/a_b"]
)
def test_a_path_is_not_a_command(text: str) -> None:
    assert parted(text) is None


def test_no_name_stands_twice() -> None:
    names = [name for row in COMMANDS for name in (row.name, *row.aliases)]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("row", COMMANDS, ids=lambda row: row.name)
def test_every_command_does_something_and_says_what(row: object) -> None:
    assert row in COMMANDS
    command = next(one for one in COMMANDS if one is row)
    assert command.action or command.says
    assert command.help
    assert not command.help.endswith(".")
    assert bool(command.hint) == (command.takes != "nothing")
    assert len(command.usage) + len(command.help) < 78


def test_a_command_whose_part_is_missing_is_not_in_the_table() -> None:
    names = {row.name for row in built(COMMANDS, {"fork", "help"}.__contains__)}
    assert names == {"fork", "help", "compact", "undo", "redo", "init"}
    with pytest.raises(InputError, match="no command /theme"):
        meant("theme", commands=built(COMMANDS, lambda name: name == "fork"))


@pytest.mark.parametrize("fence", ["", "holds", "none", "off"])
def test_ports_are_spoken_of_only_where_a_fence_holds(fence: str) -> None:
    names = {row.name for row in built(COMMANDS, lambda name: True, fence)}
    assert ("port" in names) == (fence == "holds")


def test_quitting_is_one_action_for_key_and_command() -> None:
    assert any(row.what == "leave" for row in TABLE)
    assert meant("quit")[1] == Action("leave")


@given(st.from_regex(r"[a-z-]+", fullmatch=True), st.text())
def test_whatever_is_typed_there_is_a_deed_or_a_sentence(name: str, argument: str) -> None:
    known = {word for row in COMMANDS for word in (row.name, *row.aliases)}
    if name in known:
        return
    with pytest.raises(InputError, match="There is no command"):
        meant(name, argument)


@given(st.sampled_from([row for row in COMMANDS if row.takes == "perhaps"]), st.text())
def test_the_argument_is_what_stands_behind_the_name(row: object, argument: str) -> None:
    command = next(one for one in COMMANDS if one is row)
    assert parted(f"/{command.name} {argument}") == (command.name, argument.strip())
