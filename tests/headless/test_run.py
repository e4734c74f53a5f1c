"""A headless run over a scripted engine: what goes where, and which code it ends with."""

import json
import os
import signal
from pathlib import Path
from typing import get_args

import pytest

from qcode.headless.exits import ExitCode
from qcode.headless.run import Form, run
from qcode.protocol.access import Access
from qcode.protocol.events import (
    AnyEvent,
    ApprovalRequested,
    ApprovalSettled,
    BudgetReached,
    Compacted,
    Elided,
    LoopSeen,
    MessageCompleted,
    Repaired,
    SessionStarted,
    StepStarted,
    TextDelta,
    ToolCallFinished,
    ToolCallStarted,
    TurnEnd,
    TurnFinished,
    TurnStarted,
    Usage,
)
from qcode.protocol.inputs import Cancel, Prompt
from qcode.protocol.messages import AssistantMessage, Reasoning, Text, ToolCall, ToolMessage, user
from tests.support.scripted_engine import ScriptedEngine

CALL = ToolCall("c1", "shell", '{"command":"rm -rf x"}')
START: tuple[AnyEvent, ...] = (
    SessionStarted("s-1", "0.1.0", "/w", "tiny", "llamacpp b1", "system", (), "ask"),
    TurnStarted(1, user("do it")),
    StepStarted(1, 1),
)


def says(text: str) -> tuple[AnyEvent, ...]:
    """An answer of words."""
    usage = Usage(100, 90, 5, reread_tokens=0)
    return (TextDelta(text), usage, MessageCompleted(AssistantMessage((Text(text),)), 100, 0.5))


DONE = TurnFinished("end_turn")


async def test_the_answer_alone_is_on_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    engine = ScriptedEngine((*START, *says("Fixed."), DONE))
    assert await run(engine, "do it", Form()) is ExitCode.OK
    out, err = capsys.readouterr()
    assert out == "Fixed.\n"
    assert "tiny" in err
    assert engine.inputs == [Prompt("do it")]
    assert engine.closed


async def test_an_answer_cannot_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    engine = ScriptedEngine((*START, *says("a\x1b]52;c;AAAA\x07b\x9b2J\x00c"), DONE))
    await run(engine, "do it", Form())
    assert capsys.readouterr().out == "abc\n"


@pytest.mark.parametrize("reason", get_args(TurnEnd))
async def test_an_empty_result_is_never_success(reason: TurnEnd) -> None:
    engine = ScriptedEngine((*START, *says(" \n"), TurnFinished(reason, "why")))
    assert await run(engine, "do it", Form()) is not ExitCode.OK


async def test_why_it_failed_is_the_last_line(capsys: pytest.CaptureFixture[str]) -> None:
    end = TurnFinished("error", "No server answers at x.", "ServerGone")
    assert await run(ScriptedEngine((*START, end)), "do it", Form()) is ExitCode.UNAVAILABLE
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines()[-1].startswith("qcode: No server answers at x.")
    assert "--resume s-1" in err


async def test_json_is_one_object_with_what_was_denied(capsys: pytest.CaptureFixture[str]) -> None:
    access = (Access("shell", "rm -rf x"),)
    script = (
        *START,
        MessageCompleted(AssistantMessage((CALL,), "tool_calls"), 100, 0.5),
        ToolCallStarted(CALL, "shell rm -rf x", access),
        ApprovalRequested("a1", CALL, access, "ask mode asks"),
        ApprovalSettled("a1", "deny", "nobody can be asked in this run"),
        ToolCallFinished(ToolMessage("c1", "shell", "Denied", "denied")),
        *says("I could not."),
        DONE,
    )
    code = await run(ScriptedEngine(script), "do it", Form(output="json"))
    found = json.loads(capsys.readouterr().out)
    assert code is ExitCode.OK
    assert found["type"] == "result"
    assert found["subtype"] == "success"
    assert found["is_error"] is False
    assert found["session_id"] == "s-1"
    assert found["num_turns"] == 2
    assert found["result"] == "I could not."
    assert found["usage"] == {
        "input_tokens": 10,
        "cache_read_input_tokens": 90,
        "cache_creation_input_tokens": 0,
        "output_tokens": 5,
    }
    denial = found["permission_denials"][0]
    assert denial["tool_name"] == "Bash"  # as wrappers know it
    assert denial["tool_input"] == {"command": "rm -rf x"}
    assert found["qcode"]["exit_code"] == 0


async def test_json_counts_what_was_mended_and_lists_what_was_cut(
    capsys: pytest.CaptureFixture[str],
) -> None:
    usage = Usage(100, 90, 5, 941.23456, 41.98765, 0.12345678)
    script = (
        *START,
        Repaired("read a call of edit", "c1", "leaked_call"),
        Repaired("read a call of read", "c2", "leaked_call"),
        Repaired("closed a bracket", "c3", "arguments"),
        LoopSeen("text", "and again", "Asked again.", 2, 300),
        BudgetReached(8_000, 8_003),
        MessageCompleted(AssistantMessage((Reasoning("Hm."),), "closed"), 100, 0.5),
        Elided(9, 400, 24_600, 11_000),
        Compacted(user("Short.", "summary"), 2, 30_000, 9_100),
        *says("Done."),
        usage,
        DONE,
    )
    await run(ScriptedEngine(script), "do it", Form(output="json"))
    found = json.loads(capsys.readouterr().out)
    assert found["num_turns"] == 1, "an answer whose thinking was closed is one answer"
    own = found["qcode"]
    assert own["repairs"] == {"arguments": 1, "leaked_call": 2}
    assert own["repaired"][0] == "read a call of edit"
    assert own["loops"] == [
        {
            "kind": "text",
            "detail": "and again",
            "did": "Asked again.",
            "rung": 2,
            "cost_tokens": 300,
        }
    ]
    assert own["budget"] == [{"budget": 8_000, "used": 8_003, "why": "budget"}]
    assert own["compactions"] == [
        {"kind": "elision", "tokens_before": 24_600, "tokens_after": 11_000},
        {"kind": "summary", "tokens_before": 30_000, "tokens_after": 9_100},
    ]
    assert (own["prompt_tokens"], own["cached_tokens"], own["generated_tokens"]) == (200, 180, 10)
    rates = own["prompt_per_second"], own["generated_per_second"], own["first_token_seconds"]
    assert rates == (941.2, 42.0, 0.123)


async def test_a_loop_that_no_rung_ended_has_its_code_and_sentence(
    capsys: pytest.CaptureFixture[str],
) -> None:
    engine = ScriptedEngine((*START, *says("so so so"), TurnFinished("loop")))
    assert await run(engine, "do it", Form()) is ExitCode.LOOP
    assert "repeated itself" in capsys.readouterr().err.splitlines()[-1]


async def test_a_session_that_was_never_written_is_not_offered(
    capsys: pytest.CaptureFixture[str],
) -> None:
    end = TurnFinished("error", "The disk is full.", "SessionNotSaved")
    await run(ScriptedEngine((START[0], end)), "do it", Form(output="json"))
    out, err = capsys.readouterr()
    assert "--resume" not in err
    assert json.loads(out)["session_id"] == ""
    await run(ScriptedEngine((*START, *says("Half."), end)), "do it", Form())
    assert "--resume s-1" in capsys.readouterr().err, "its beginning is there"


async def test_the_answer_goes_to_a_file_as_well(tmp_path: Path) -> None:
    engine = ScriptedEngine((*START, *says("Fixed."), DONE))
    await run(engine, "do it", Form(last_message=tmp_path / "answer.md"))
    assert (tmp_path / "answer.md").read_text() == "Fixed.\n"


async def test_a_file_that_cannot_be_written_is_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    engine = ScriptedEngine((*START, *says("Fixed."), DONE))
    form = Form("json", last_message=tmp_path / "no" / "answer.md")
    assert await run(engine, "do it", form) is ExitCode.INPUT
    out, err = capsys.readouterr()
    found = json.loads(out)
    assert found["is_error"] is True
    assert found["result"] == "Fixed."
    assert found["qcode"]["exit_code"] == 42
    assert "could not be written" in found["errors"][0]
    assert "could not be written" in err.splitlines()[-1]


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGINT, ExitCode.INTERRUPTED), (signal.SIGTERM, ExitCode.TERMINATED)],
)
async def test_a_signal_cancels_and_has_its_code(number: signal.Signals, code: ExitCode) -> None:
    class Killer(ScriptedEngine):
        def submit(self, given: object) -> None:
            super().submit(given)  # type: ignore[arg-type] # whatever a run submits is an Input
            if isinstance(given, Prompt):
                os.kill(os.getpid(), number)

    engine = Killer(START, after_cancel=[TurnFinished("cancelled", "The turn was cancelled.")])
    assert await run(engine, "do it", Form()) is code
    assert Cancel() in engine.inputs
    assert engine.closed
