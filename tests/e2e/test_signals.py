"""SIGINT, SIGTERM, SIGHUP: children end, the session can go on, the code says which."""

import os
import select
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.e2e.rig import LLAMA, YOLO, Cli, Ran, calling, logs, words
from tests.support.script import Pace, Reply
from tests.support.scripted_server import ScriptedServer

Serve = Callable[..., ScriptedServer]
BACK = Reply(text="Back.")


def noted(folder: Path, name: str) -> int:
    """The process that wrote its number into a file; waits for it."""
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        text = (folder / name).read_text() if (folder / name).exists() else ""
        if text.endswith("\n"):
            return int(text)
        time.sleep(0.02)
    raise AssertionError(f"no {name} within 15 s")


def runs(process: int) -> bool:
    """Whether it is there and no zombie."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{process}/stat")
    return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] != "Z"


def ends(process: int) -> bool:
    """Whether it is gone within some seconds."""
    deadline = time.monotonic() + 5
    while runs(process) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not runs(process)


def deaf() -> None:
    """In the child: nobody hangs up."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)


def goes_on(cli: Cli, serve: Serve) -> list[str]:
    """Roles of what the resumed session sends."""
    server = serve(BACK)
    assert cli.ask("--continue").out == "Back.\n"
    messages = server.requests[0].messages
    for message in messages:  # every call has its result
        for call in message.get("tool_calls", ()):
            assert [m for m in messages if m.get("tool_call_id") == call["id"]]
    return [message["role"] for message in messages[1:]]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_command_and_background_job(
    cli: Cli, serve: Serve, number: int, code: int
) -> None:
    serve(
        calling("shell", command="echo $$ > job; exec sleep 1000", action="start"),
        calling("shell", command="echo $$ > command; sleep 1000; echo not reached"),
    )
    running = cli.start(*YOLO, "--output-format", "json")
    children = [noted(cli.folder, "job"), noted(cli.folder, "command")]
    assert all(map(runs, children))
    running.signal(number)
    ran = running.end()
    assert ran.code == code
    assert ran.seconds < 10
    assert ran.json["qcode"]["exit_code"] == code
    assert ran.json["is_error"] is True
    assert "--resume" in ran.err
    assert not any(map(runs, children))
    assert goes_on(cli, serve) == ["user", "assistant", "tool", "assistant", "tool", "user"]


def test_a_command_that_ignores_signals_and_an_impatient_person(cli: Cli, serve: Serve) -> None:
    serve(
        calling(
            "shell", command="trap '' INT TERM HUP; echo $$ > command; while :; do sleep 1; done"
        )
    )
    running = cli.start(*YOLO)
    child = noted(cli.folder, "command")
    for _ in range(3):
        running.signal(signal.SIGINT)
        time.sleep(0.05)
    ran = running.end()
    assert ran.code == 130
    assert ran.seconds < 10
    assert not runs(child)
    assert goes_on(cli, serve) == ["user", "assistant", "tool", "user"]


def test_a_terminal_that_is_closed_ends_it_too(cli: Cli, serve: Serve) -> None:
    serve(calling("shell", command="echo $$ > command; sleep 1000"))
    running = cli.start(*YOLO)
    child = noted(cli.folder, "command")
    running.signal(signal.SIGHUP)
    assert running.end().code == 143
    assert not runs(child)


def interrupted(cli: Cli, server: ScriptedServer, *argv: str) -> Ran:
    """Ctrl+C once the answer has begun."""
    running = cli.start(*argv)
    server.wait_for(lambda it: it.running > 0, 15)
    time.sleep(0.6)
    running.signal(signal.SIGINT)
    return running.end()


def test_an_interrupted_answer_closes_the_connection_and_is_kept(cli: Cli, serve: Serve) -> None:
    server = serve(Reply(text="word " * 200, pace=Pace(characters=5, delta_seconds=0.05)))
    ran = interrupted(cli, server)
    assert ran.code == 130
    assert ran.out.startswith("word word")
    server.wait_for(lambda it: it.running == 0)
    assert server.requests[0].closed_early
    server = serve(BACK)
    cli.ask("--continue")
    assert "word word" in server.requests[0].messages[2]["content"]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_while_nobody_takes_the_answer_has_its_code(
    cli: Cli, serve: Serve, number: int, code: int
) -> None:
    large = replace(LLAMA, context_tokens=262_144)
    serve(Reply(text=words(18_000)), about=large)  # more than a pipe holds
    running = cli.start()
    assert running.process.stdout
    assert select.select([running.process.stdout], [], [], 20)[0]  # so the engine is closed
    time.sleep(0.3)  # nothing tells when the pipe is full
    running.signal(number)
    assert running.process.wait(10) == code
    running.end()
    server = serve(BACK, about=large)
    assert cli.ask("--continue").code == 0
    assert [it["role"] for it in server.requests[0].messages[1:]] == ["user", "assistant", "user"]


def test_an_interrupt_while_the_model_loads(cli: Cli, serve: Serve, home: Path) -> None:
    server = serve()
    server.loading = True
    running = cli.start("--output-format", "json")
    server.wait_for(lambda it: len(it.others) > 2, 15)
    running.signal(signal.SIGINT)
    ran = running.end()
    assert ran.code == 130
    assert ran.json["result"] == ""
    assert logs(home) == []  # nothing was said


def test_a_signal_that_the_parent_ignores_stays_ignored(cli: Cli, serve: Serve) -> None:
    """As with `nohup qcode -p …`."""
    server = serve(Reply(text="word " * 20, pace=Pace(characters=5, delta_seconds=0.05)))
    running = cli.start(before=deaf)
    server.wait_for(lambda it: it.running > 0, 15)
    time.sleep(0.3)
    running.signal(signal.SIGHUP)
    ran = running.end()
    assert ran.code == 0
    assert ran.out == "word " * 20 + "\n"


def test_a_killed_run_goes_on(cli: Cli, serve: Serve) -> None:
    serve(calling("shell", command="echo $$ > command; sleep 1000"))
    running = cli.start(*YOLO)
    child = noted(cli.folder, "command")
    cli.was_killed = True
    running.signal(signal.SIGKILL)
    running.end()
    assert ends(child)  # though qcode could do nothing about it any more
    assert goes_on(cli, serve) == ["user", "assistant", "tool", "user"]
