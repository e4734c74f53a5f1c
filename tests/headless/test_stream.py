"""What becomes of lines of JSON where the engine cannot be made, fails, or is interrupted."""

import json
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Literal

import pytest
from msgspec.structs import replace

from qcode.headless.exits import ExitCode
from qcode.headless.opening import Opening, StreamForm
from qcode.headless.run import Engine
from qcode.headless.stream import run
from qcode.protocol.errors import ConfigError
from qcode.protocol.events import (
    AnyEvent,
    MessageCompleted,
    SessionStarted,
    StepStarted,
    TurnFinished,
    TurnStarted,
)
from qcode.protocol.inputs import Cancel, Prompt
from qcode.protocol.messages import AssistantMessage, Text, user
from tests.support.scripted_engine import ScriptedEngine

FORM = StreamForm(Opening("s-1", "/w", ("read",), "default"))
ANSWERED: tuple[AnyEvent, ...] = (
    SessionStarted("s-1", "0.1.0", "/w", "tiny", "llamacpp b1", "system", (), "ask"),
    TurnStarted(1, user("do it")),
    StepStarted(1, 1),
    MessageCompleted(AssistantMessage((Text("Fixed."),)), 100, 0.5),
    TurnFinished("end_turn"),
)
Output = Literal["stream-json", "json-array"]


class Crashing(ScriptedEngine):
    """Its events end in a defect."""

    async def events(self) -> AsyncIterator[AnyEvent]:
        """Those of the script, then none."""
        for event in self.script:
            yield event
        raise ValueError("a defect")


class Unclosable(ScriptedEngine):
    """It cannot be closed."""

    async def close(self) -> None:
        """Fails."""
        raise ValueError("it hangs")


def unmade() -> Engine:
    raise ConfigError("The file is wrong: \udce9.")


def printed(out: str, output: Output = "stream-json") -> list[dict[str, Any]]:
    """All of stdout: lines of JSON, or one list."""
    found = json.loads(out) if output == "json-array" else [*map(json.loads, out.splitlines())]
    return [dict(one) for one in found]


@pytest.mark.parametrize("output", ["stream-json", "json-array"])
async def test_an_engine_that_cannot_be_made_is_a_result_behind_the_first_line(
    capfd: pytest.CaptureFixture[str], output: Output, tmp_path: Path
) -> None:
    target = tmp_path / "last.txt"
    target.write_text("of an earlier run")
    form = replace(FORM, output=output, last_message=target)
    assert await run(unmade, Prompt("do it"), form) is ExitCode.CONFIG
    out, err = capfd.readouterr()
    first, last = printed(out, output)
    assert first["subtype"] == "init"
    assert (last["type"], last["is_error"], last["session_id"]) == ("result", True, "s-1")
    assert last["errors"] == ["The file is wrong: \ufffd."]
    assert last["qcode"]["exit_code"] == 52
    assert "The file is wrong" in err
    assert target.read_text() == ""


@pytest.mark.parametrize("output", ["stream-json", "json-array"])
async def test_a_defect_loses_no_line_and_has_its_result(
    capfd: pytest.CaptureFixture[str], output: Output
) -> None:
    engine = Crashing(ANSWERED[:4])
    form = replace(FORM, output=output, sentence=lambda error: f"It crashed: {error}.")
    assert await run(lambda: engine, Prompt("do it"), form) is ExitCode.FAILED
    found = printed(capfd.readouterr().out, output)
    assert [one["type"] for one in found] == ["system", "system", "assistant", "result"]
    assert found[-1]["errors"] == ["It crashed: a defect."]
    assert engine.closed


async def test_an_engine_that_cannot_be_closed_is_told(capfd: pytest.CaptureFixture[str]) -> None:
    engine = Unclosable(ANSWERED)
    assert await run(lambda: engine, Prompt("do it"), FORM) is ExitCode.FAILED
    found = printed(capfd.readouterr().out)
    assert [one["is_error"] for one in found if one["type"] == "result"] == [False, True]


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGINT, ExitCode.INTERRUPTED), (signal.SIGTERM, ExitCode.TERMINATED)],
)
async def test_a_signal_while_the_engine_is_made_is_heard_when_it_is(
    capfd: pytest.CaptureFixture[str], number: signal.Signals, code: ExitCode
) -> None:
    engine = ScriptedEngine((), (TurnFinished("cancelled"),))

    def made() -> Engine:
        os.kill(os.getpid(), number)
        return engine

    assert await run(made, Prompt("do it"), FORM) is code
    first, last = printed(capfd.readouterr().out)
    assert (first["subtype"], last["is_error"]) == ("init", True)
    assert engine.inputs == [Prompt("do it"), Cancel("comes back")]
    assert engine.closed
