"""A session goes on where it ended, however it ended: killed, cut, forked."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from qcode.engine.engine import LOST
from qcode.protocol.errors import SessionError
from qcode.session.conversation import fold
from qcode.session.store import Store
from tests.engine.plans import Seen, check
from tests.engine.rig import YOLO, configured, rig, started
from tests.sandbox.processes import Strays
from tests.support.llama_words import About
from tests.support.script import Call, Pace, Received, Reply
from tests.support.scripted_server import ScriptedServer, StartScripted

QWEN = About(kind="llamacpp", style="3.5")
SECONDS = 30.0

Message = dict[str, Any]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a qcode works that may be killed: its temporary folder is then left to the test."""
    work, temporary = tmp_path / "work", tmp_path / "temporary"
    work.mkdir()
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    return work


@pytest.fixture
def strays(folder: Path) -> Iterator[Strays]:
    """Commands that a killed qcode could not end."""
    it = Strays(folder / "stray")
    yield it
    if it.path.exists():
        it.kill()


def line(server: ScriptedServer, prompt: str, *flags: str) -> list[str]:
    """A command line of a user."""
    address = ("--base-url", server.base_url, "--permission-mode", "yolo")
    return [sys.executable, "-m", "qcode", "-p", prompt, *address, *flags]


def qcode(
    server: ScriptedServer, folder: Path, prompt: str, *flags: str
) -> "subprocess.CompletedProcess[str]":
    """Run it to its end."""
    return subprocess.run(
        line(server, prompt, *flags),
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


def killed(server: ScriptedServer, folder: Path, prompt: str, begun: Path | None) -> None:
    """Run it until `begun` exists (None: until the server is asked), then kill -9."""
    with subprocess.Popen(
        line(server, prompt), cwd=folder, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        deadline = time.monotonic() + SECONDS
        while not (begun.exists() if begun else server.requests):
            assert time.monotonic() < deadline
            assert process.poll() is None
            time.sleep(0.02)  # the other side is another process: there is nothing to wait on
        process.kill()


def sent(request: Received) -> bytes:
    """The bytes of the messages, without the end of their list."""
    return request.raw[request.raw.index(b'"messages":') :].rpartition(b"]")[0]


def last_results(request: Received) -> dict[str, str]:
    """By the id of the call."""
    results = (message for message in request.messages if message["role"] == "tool")
    return {result["tool_call_id"]: result["content"] for result in results}


def logs(home: Path) -> list[Path]:
    return sorted((home / "qcode").rglob("*.jsonl"))


def shell(command: str, id: str) -> Call:
    return Call("shell", {"command": command}, id)


def test_after_a_kill_in_a_tool_call_each_call_has_a_result_and_the_prompt_is_kept(
    scripted: StartScripted, folder: Path, strays: Strays
) -> None:
    endless = "echo $$ > new; mv new stray; exec sleep 600"
    calls = (shell("echo done", "one"), shell(endless, "two"), shell("touch never", "three"))
    answer = Reply("I work.", "Three things.", calls)
    server = scripted(answer, Reply(text="I go on."), about=QWEN)
    killed(server, folder, "Work.", strays.path)
    done = qcode(server, folder, "Go on.", "--continue")
    assert (done.returncode, done.stdout) == (0, "I go on.\n")
    before, after = server.requests
    assert sent(after).startswith(sent(before))
    check(Seen(before.body, answer), Seen(after.body, None), "3.5")
    results = last_results(after)
    assert list(results) == ["one", "two", "three"]
    assert "done" in results["one"]
    assert results["two"] == results["three"] == LOST
    assert after.messages[-1] == {"role": "user", "content": "Go on."}
    assert not (folder / "never").exists()


def test_after_a_kill_in_an_answer_the_next_prompt_follows_the_last(
    scripted: StartScripted, folder: Path
) -> None:
    half = Reply("one two three", pace=Pace(characters=3), end="hang")
    server = scripted(half, Reply(text="I go on."), about=QWEN)
    killed(server, folder, "Count.", None)
    done = qcode(server, folder, "Go on.", "--continue")
    assert (done.returncode, done.stdout) == (0, "I go on.\n")
    before, after = server.requests
    assert sent(after).startswith(sent(before))
    check(Seen(before.body, None), Seen(after.body, None), "3.5")
    assert after.messages == [*before.messages, {"role": "user", "content": "Go on."}]


def test_a_fork_goes_its_own_way_and_leaves_its_parent_as_it_was(
    scripted: StartScripted, folder: Path, home: Path
) -> None:
    replies = [Reply(text=text) for text in ("First.", "Forked.", "Second.")]
    server = scripted(*replies, about=QWEN)
    assert qcode(server, folder, "Begin.").returncode == 0
    (parent,) = logs(home)
    was = parent.read_bytes()
    forked = qcode(server, folder, "Go elsewhere.", "--continue", "--fork-session")
    assert (forked.returncode, forked.stdout) == (0, "Forked.\n")
    assert parent.read_bytes() == was
    (fork,) = set(logs(home)) - {parent}
    first = json.loads(fork.read_bytes().splitlines()[0])
    assert first["parent"]["session_id"] == parent.stem
    assert qcode(server, folder, "Go on.", "--resume", parent.stem).returncode == 0
    begun, elsewhere, on = server.requests
    for later in (elsewhere, on):
        assert sent(later).startswith(sent(begun))
        check(Seen(begun.body, replies[0]), Seen(later.body, None), "3.5")
    assert len(on.messages) == len(elsewhere.messages)
    assert b"elsewhere" not in on.raw


def test_a_cut_log_is_told_and_what_is_left_of_it_goes_on(
    scripted: StartScripted, folder: Path, home: Path
) -> None:
    server = scripted(
        Reply(calls=(shell("echo a", "one"),)), Reply(text="Done."), Reply(text="On."), about=QWEN
    )
    qcode(server, folder, "Begin.")
    (log,) = logs(home)
    whole = log.read_bytes()
    log.write_bytes(whole[: whole.index(b"ToolCallFinished") + 40])
    done = qcode(server, folder, "Go on.", "--continue")
    assert (done.returncode, done.stdout) == (0, "On.\n")
    assert "The log was cut" in done.stderr
    assert "part of a ToolCallFinished" in done.stderr
    assert last_results(server.requests[2]) == {"one": LOST}
    assert sent(server.requests[2]).startswith(sent(server.requests[0]))


async def test_wherever_a_log_is_cut_the_next_request_is_valid(
    scripted: StartScripted, folder: Path, tmp_path: Path
) -> None:
    store = Store(tmp_path / "sessions")
    log = store.create(folder)
    two = (shell("echo a", "one"), shell("echo b", "two"))
    server = scripted(
        Reply("Look.", "Two.", two), Reply("Seen."), Reply(calls=(shell("true", "x"),)),
        Reply("Done."), otherwise=lambda body: Reply("On."), about=QWEN,
    )  # fmt: skip
    config = configured(server.base_url, permission=YOLO)
    async with rig(config, started(folder, log=log)) as run:
        await run.turn("Begin.")
        await run.turn("And then?")
        messages = list(run.engine.stream.conversation.messages)
    asked, whole = list(server.requests), log.path.read_bytes()
    for size in range(whole.index(b"\n") + 1, len(whole), 397):
        log.path.write_bytes(whole[:size])
        resumed = store.resume(log.session_id)
        talk = fold(resumed.opened.events)
        kept = list(talk.messages)
        assert kept == messages[: len(kept)]
        async with rig(config, started(folder, log=resumed.log, conversation=talk)) as run:
            assert (await run.turn("Go on.")).reason == "end_turn"
        last = server.requests[-1]
        assert followed(last.messages)
        for request in asked:
            if len(request.messages) - 1 <= len(kept):  # the system message is not in the list
                check(Seen(request.body, None), Seen(last.body, None), "3.5")


def followed(messages: list[Message]) -> bool:
    """Each call has one result, behind it and in the order of the calls."""
    rest = messages.copy()
    while rest:
        calls = rest.pop(0).get("tool_calls", [])
        for call in calls:
            if not rest or rest.pop(0).get("tool_call_id") != call["id"]:
                return False
        if rest and rest[0]["role"] == "tool":
            return False
    return True


def test_a_log_without_its_first_line_is_refused_with_a_sentence(
    tmp_path: Path, folder: Path
) -> None:
    store = Store(tmp_path / "sessions")
    path = tmp_path / "sessions" / "p" / "20261121-0900-aaaa.jsonl"
    path.parent.mkdir(parents=True)
    path.write_text('{"v":1,"type":"SessionSta')
    with pytest.raises(SessionError, match="no whole first line"):
        store.resume(path.stem)
