"""Commands of the person's own: shown, ended, and told to the model where they wish it."""

import asyncio
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from qcode.engine.own import OwnCommands
from qcode.protocol.events import (
    AnyEvent,
    ApprovalRequested,
    SessionStarted,
    ShellFinished,
    ShellStarted,
    ToolCallProgress,
    TurnFinished,
    TurnStarted,
)
from qcode.protocol.inputs import Begin, Cancel, Prompt, RunShell
from qcode.sandbox.base import Command, Gate, NotStarted, Output
from qcode.session.conversation import fold
from qcode.session.prompts import spoken
from qcode.session.store import Store
from tests.engine.rig import configured, rig, started
from tests.sandbox.processes import Strays
from tests.support.script import Call, Pace, Reply
from tests.support.scripted_server import StartScripted

NOBODY = "http://127.0.0.1:9/v1"


async def test_it_runs_in_the_workspace_and_streams_before_any_session(tmp_path: Path) -> None:
    (tmp_path / "here").touch()
    async with rig(configured(NOBODY), started(tmp_path)) as run:
        run.engine.submit(RunShell("ls; exit 3"))
        end = await run.until(ShellFinished)
    assert (end.block.exit_code, end.block.tail, end.text) == (3, "here\n", "")
    [begun] = run.said(ShellStarted)
    assert begun.command == "ls; exit 3"
    [progress] = run.said(ToolCallProgress)
    assert (progress.call_id, progress.text) == (end.shell_id, "here\n")
    assert begun.shell_id == end.shell_id


async def test_it_sees_no_more_of_the_environment_than_the_model_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_TOKEN", "hush")
    async with rig(configured(NOBODY), started(tmp_path)) as run:
        run.engine.submit(RunShell("echo =$SECRET_TOKEN="))
        assert (await run.until(ShellFinished)).block.tail == "==\n"


async def test_no_rule_and_no_mode_judges_it(tmp_path: Path) -> None:
    config = configured(NOBODY, permission={"mode": "plan"})
    async with rig(config, started(tmp_path, person="present")) as run:
        run.engine.submit(RunShell("touch mine"))
        await run.until(ShellFinished)
    assert (tmp_path / "mine").exists()
    assert run.said(ApprovalRequested) == []


async def test_what_is_told_stands_ahead_of_the_next_prompt_and_nowhere_else(
    scripted: StartScripted, tmp_path: Path
) -> None:
    server = scripted(Reply(text="a"), Reply(text="b"), Reply(text="c"))
    async with rig(configured(server.base_url), started(tmp_path)) as run:
        for command, share in (("echo one", "tell"), ("echo kept", "keep"), ("echo two", "tell")):
            run.engine.submit(RunShell(command, share))  # type: ignore[arg-type] # literals
            await run.until(ShellFinished)
        await run.turn("first")
        run.engine.submit(RunShell("echo '</shell>'; false", "tell"))
        await run.until(ShellFinished)
        await run.turn("second")
        await run.turn("third")
    one, two, three = (request.messages for request in server.requests)
    words = one[-1]["content"]
    assert words.startswith("<workspace>")
    assert words.endswith("\n</shell>\n\nfirst")
    assert words.index("$ echo one\nexit 0") < words.index("$ echo two\nexit 0")
    assert "kept" not in words
    assert two[: len(one)] == one  # the prompt only grows
    assert two[-1]["content"].startswith("<shell>\n$ echo '<\\/shell>'; false\nexit 1")
    assert two[-1]["content"].endswith("<\\/shell>\n</shell>\n\nsecond")
    assert three[: len(two)] == two
    assert three[-1]["content"] == "third"
    assert [spoken(event.message) for event in run.said(TurnStarted)] == [
        "first", "second", "third",
    ]  # fmt: skip


async def test_what_was_told_and_not_yet_prompted_is_told_when_the_session_goes_on(
    scripted: StartScripted, tmp_path: Path
) -> None:
    store = Store(tmp_path / "sessions")
    log = store.create(tmp_path)
    server = scripted(Reply(text="a"), Reply(text="b"))
    async with rig(configured(server.base_url), started(tmp_path, log=log)) as run:
        await run.turn("first")
        run.engine.submit(RunShell("echo news", "tell"))
        await run.until(ShellFinished)
    resumed = store.resume(log.session_id)
    talk = fold(resumed.opened.events)
    start = started(tmp_path, log=resumed.log, conversation=talk)
    async with rig(configured(server.base_url), start) as run:
        await run.turn("second")
    assert server.requests[1].messages[-1]["content"].startswith("<shell>\n$ echo news")


async def test_it_runs_beside_a_turn(scripted: StartScripted, tmp_path: Path) -> None:
    server = scripted(Reply(text="a long answer", pace=Pace(first_delta_seconds=1.0)))
    async with rig(configured(server.base_url), started(tmp_path)) as run:
        run.engine.submit(Begin())
        await run.until(SessionStarted)
        run.engine.submit(Prompt("go"))
        await run.until(TurnStarted)
        run.engine.submit(RunShell("echo meanwhile"))
        await run.until(ShellFinished)
        assert run.said(TurnFinished) == []
        assert (await run.rest()).reason == "end_turn"


async def test_a_cancel_ends_it_and_the_model_may_know(
    scripted: StartScripted, tmp_path: Path
) -> None:
    strays = Strays(tmp_path / "stray")
    server = scripted(Reply(text="ok"))
    async with rig(configured(server.base_url), started(tmp_path)) as run:
        run.engine.submit(RunShell(f"echo $$ > {strays.path}; echo begun; sleep 30", "tell"))
        await run.until(ToolCallProgress)
        run.engine.submit(Cancel())
        end = await run.until(ShellFinished)
        assert (end.block.exit_code, end.block.tail) == (None, "begun\n")
        await run.turn("go")
    assert "ended by the user" in server.requests[0].messages[-1]["content"]
    assert len(strays.numbers()) == 1
    assert strays.running() == []


async def test_a_cancel_right_behind_it_ends_it_with_a_word(tmp_path: Path) -> None:
    async with rig(configured(NOBODY), started(tmp_path)) as run:
        run.engine.submit(RunShell("sleep 30"))
        run.engine.submit(Cancel())
        assert (await run.until(ShellFinished)).block.exit_code is None


async def test_closing_ends_it(tmp_path: Path) -> None:
    strays = Strays(tmp_path / "stray")

    async with rig(configured(NOBODY), started(tmp_path)) as run:
        run.engine.submit(RunShell(f"echo $$ > {strays.path}; echo begun; sleep 30"))
        await run.until(ToolCallProgress)
    assert len(strays.numbers()) == 1
    assert strays.running() == []


async def test_many_long_outputs_do_not_fill_the_context_for_good(
    scripted: StartScripted, tmp_path: Path
) -> None:
    server = scripted(Reply(text="ok"))
    async with rig(configured(server.base_url), started(tmp_path)) as run:
        for number in range(9):
            run.engine.submit(RunShell(f"echo run {number}; seq 1 100000", "tell"))
            await run.until(ShellFinished)
        await run.turn("go")
    words = server.requests[0].messages[-1]["content"]
    assert len(words) < 40_000
    assert all(f"\nrun {number}\n" in words for number in range(9))
    assert "100000\n</shell>\n\ngo" in words


class Flood:
    """A runner whose command prints without end."""

    name: str = "flood"
    fenced: bool = False
    gate: Gate | None = None

    async def run(self, command: Command, on_output: Callable[[str], None]) -> Output:
        """4 MB, in pieces as they come from a real one; then nothing."""
        for number in range(500):
            on_output(f"{number:08}" * 1000)
        await asyncio.sleep(30)
        raise AssertionError("nobody ended it")

    async def start(self, command: Command) -> str:
        """None is started."""
        raise NotStarted("It has no background.")

    async def open_port(self, port: int) -> int:
        """It is open anyway."""
        return port

    async def close_port(self, port: int) -> None:
        """Nothing is closed."""

    def ports(self) -> tuple[int, ...]:
        """None."""
        return ()

    def running(self) -> tuple[str, ...]:
        """No gate asks."""
        return ()


async def test_what_a_command_printed_is_not_kept_while_it_runs(tmp_path: Path) -> None:
    said: list[ShellFinished] = []

    def say(event: AnyEvent) -> None:
        if isinstance(event, ShellFinished):
            said.append(event)

    commands = OwnCommands(Flood(), tmp_path, say)
    tracemalloc.start()
    try:
        commands.run(RunShell("flood"))
        await asyncio.sleep(0)
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    await commands.close()
    assert held < 1_000_000
    assert said[0].block.tail == "00000499" * 500


async def test_what_is_submitted_behind_the_end_is_not_begun(tmp_path: Path) -> None:
    async with rig(configured(NOBODY), started(tmp_path)) as run:
        run.engine.submit(RunShell("trap '' TERM; echo begun; sleep 30"))
        await run.until(ToolCallProgress)
        loop = asyncio.get_running_loop()
        loop.call_later(0.1, run.engine.submit, RunShell("touch while-closing"))
    run.engine.submit(RunShell("touch closed"))
    run.engine.submit(Prompt("go"))
    await asyncio.sleep(0.3)
    assert list(tmp_path.iterdir()) == []


async def test_a_long_output_is_cut_as_that_of_the_models_commands_is(
    scripted: StartScripted, tmp_path: Path
) -> None:
    command = "seq 1 100000"
    server = scripted(Reply(calls=(Call("shell", {"command": command}),)), Reply(text="b"))
    config = configured(server.base_url, permission={"mode": "auto", "sandbox": "off"})
    async with rig(config, started(tmp_path)) as run:
        await run.turn("go")
        run.engine.submit(RunShell(command, "tell"))
        told = (await run.until(ShellFinished)).text
    theirs = server.requests[1].messages[-1]["content"]
    assert abs(len(told) - len(theirs)) < 200
    assert "bytes left out here; use grep" in told
