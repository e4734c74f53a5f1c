"""Calls of one answer: neighbouring reads at once, everything else one after another."""

import os
from pathlib import Path

import pytest

from qcode.protocol.events import ToolCallFinished
from tests.engine.rig import YOLO, configured, rig, started
from tests.support.script import Call, Reply
from tests.support.scripted_server import StartScripted

WAITS_FOR_ANOTHER = """#!/bin/sh
touch {folder}/$$
until [ $(ls {folder} | wc -l) -ge 2 ]; do sleep 0.02; done
exit 1
"""
"""In the place of ripgrep: ends once two of its kind run at the same time."""


async def test_reads_of_one_answer_run_at_once(
    scripted: StartScripted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs, running, work = tmp_path / "bin", tmp_path / "running", tmp_path / "work"
    for folder in (programs, running, work):
        folder.mkdir()
    (programs / "rg").write_text(WAITS_FOR_ANOTHER.format(folder=running))
    (programs / "rg").chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.defpath}")
    greps = (Call("grep", {"pattern": "one"}, "a"), Call("grep", {"pattern": "two"}, "b"))
    server = scripted(Reply(calls=greps), Reply(text="Done."))
    async with rig(configured(server.base_url), started(work)) as run:
        run.seconds = 8  # a search alone waits for longer
        await run.turn("look")
    assert [message["tool_call_id"] for message in server.requests[1].messages[-2:]] == ["a", "b"]


async def test_what_has_effects_waits_for_what_stands_before_it(
    scripted: StartScripted, tmp_path: Path
) -> None:
    calls = (
        Call("shell", {"command": "sleep 0.3; echo one > f"}, "a"),
        Call("read", {"path": "f"}, "b"),
        Call("shell", {"command": "sleep 0.2; echo two >> f"}, "c"),
        Call("shell", {"command": "cat f; echo three >> f"}, "d"),
        Call("read", {"path": "f"}, "e"),
    )
    server = scripted(Reply(calls=calls), Reply(text="Done."))
    async with rig(configured(server.base_url, permission=YOLO), started(tmp_path)) as run:
        await run.turn("work")
        ended = [event.message.call_id for event in run.said(ToolCallFinished)]
    assert ended == ["a", "b", "c", "d", "e"]
    first, second, third = (server.requests[1].messages[at]["content"] for at in (-4, -2, -1))
    assert ("one" in first, "two" in first) == (True, False)
    assert ("two" in second, "three" in second) == (True, False)
    assert "three" in third
