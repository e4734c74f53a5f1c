"""An Ollama that is asked for a context, through the engine: what is sent, and what is told."""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from qcode.protocol.events import (
    BudgetReached,
    ContextChanged,
    Notice,
    SessionStarted,
    StepStarted,
    TurnFinished,
    Usage,
)
from qcode.protocol.inputs import SetModel
from tests.engine.rig import YOLO, configured, rig, started
from tests.support.llama_words import About
from tests.support.ollama_words import CHAT
from tests.support.script import Call, Pace, Reply
from tests.support.script import Usage as Told
from tests.support.scripted_server import ScriptedServer, StartScripted
from tests.support.waking import Waking

OLLAMA = About(kind="ollama", model="qwen3.6:27b", context_tokens=4_096)
ASKED = 65_536
DONE = Reply("It says hello.", "That is all there is.", usage=Told(3_000, 20))
BOTH = Reply(
    "I look.",
    "Two things to do.",
    (Call("read", {"path": "a.txt"}), Call("write", {"path": "b.txt", "content": "né\n"})),
    usage=Told(2_500, 60),
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a.txt").write_text("hello\n")
    return tmp_path


def wanting(server: ScriptedServer, **sections: Any) -> Any:
    return configured(
        server.base_url, server={"context_tokens": ASKED}, permission=YOLO, **sections
    )


def bodies(server: ScriptedServer) -> list[dict[str, Any]]:
    return [request.body for request in server.requests]


async def test_what_was_sent_once_is_sent_again_in_the_same_words(
    scripted: StartScripted, folder: Path
) -> None:
    server = scripted(BOTH, DONE, BOTH, BOTH, DONE, about=OLLAMA)
    async with rig(wanting(server), started(folder)) as run:
        for prompt in ("Do both.", "Once more."):
            assert await run.turn(prompt) == TurnFinished("end_turn")
    assert (folder / "b.txt").read_text(encoding="utf-8") == "né\n"
    assert {request.path for request in server.requests} == {CHAT}
    for before, after in pairwise(bodies(server)):
        count = len(before["messages"])
        assert len(after["messages"]) > count
        assert json.dumps(after["messages"][:count]) == json.dumps(before["messages"])
        for name in ("model", "tools", "think", "truncate", "shift"):
            assert after[name] == before[name]
    assert {body["options"]["num_ctx"] for body in bodies(server)} == {ASKED}


async def test_calls_and_results_are_said_in_its_words(
    scripted: StartScripted, folder: Path
) -> None:
    server = scripted(BOTH, DONE, about=OLLAMA)
    async with rig(wanting(server), started(folder)) as run:
        await run.turn("Do both.")
    answer, first, second = server.requests[1].messages[-3:]
    assert (answer["thinking"], answer["content"]) == ("Two things to do.", "I look.")
    assert [call["function"]["arguments"] for call in answer["tool_calls"]] == [
        {"path": "a.txt"},
        {"path": "b.txt", "content": "né\n"},
    ]
    assert [(one["role"], one["tool_name"]) for one in (first, second)] == [
        ("tool", "read"),
        ("tool", "write"),
    ]
    assert "hello" in first["content"]


async def test_the_context_is_what_is_asked_for_and_stays(
    scripted: StartScripted, folder: Path
) -> None:
    server = scripted(DONE, DONE, about=OLLAMA)
    async with rig(wanting(server), started(folder)) as run:
        await run.turn("Hello.")
        await run.turn("And now?")
        assert run.said(SessionStarted)[0].context_tokens == ASKED
        assert not run.said(ContextChanged)
        assert not run.said(Notice), "nothing is lost, and nothing is small"
        assert [event.prompt_tokens for event in run.said(Usage)] == [3_000, 3_000]


async def test_a_row_for_the_model_wins_and_a_new_choice_keeps_it(
    scripted: StartScripted, folder: Path
) -> None:
    server = scripted(DONE, DONE, about=OLLAMA)
    config = wanting(server, models={"27b": {"context_tokens": 16_384}})
    async with rig(config, started(folder)) as run:
        await run.turn("Hello.")
        run.engine.submit(SetModel("qwen3.6:27b"))
        await run.turn("And now?")
    assert [body["options"]["num_ctx"] for body in bodies(server)] == [16_384, 16_384]


async def test_a_used_up_budget_goes_on_behind_the_reasoning(
    scripted: StartScripted, folder: Path
) -> None:
    long = " ".join(f"Thought number {n} goes further." for n in range(600))
    thinking = Reply("", long, pace=Pace(characters=200, delta_seconds=0.001))
    server = scripted(thinking, Reply("So it is."), about=OLLAMA)
    config = wanting(server, agent={"thinking": 500})
    async with rig(config, started(folder)) as run:
        assert await run.turn("Think.") == TurnFinished("end_turn")
        assert len(run.said(BudgetReached)) == 1
    first, second = bodies(server)
    assert second["messages"][:-1] == first["messages"]
    assert second["messages"][-1]["content"].startswith("<think>\nThought number 0")
    assert second["think"] is True


SMALL = "the oldest messages are lost"


async def test_a_small_context_is_told_at_the_start_with_its_setting(
    scripted: StartScripted, folder: Path
) -> None:
    server = scripted(DONE, about=OLLAMA)
    async with rig(configured(server.base_url), started(folder)) as run:
        await run.turn("Hello.")
        told = [notice.text for notice in run.said(Notice) if SMALL in notice.text]
    assert len(told) == 1
    assert "context of 4,096 tokens (it was made for 262,144)" in told[0]
    assert "context_tokens = 65536 " in told[0]
    assert [request.path for request in server.requests] == ["/v1/chat/completions"]


async def test_a_small_context_is_told_when_it_is_known(folder: Path) -> None:
    """A model that is not in memory has none yet."""
    with Waking("ollama", DONE, DONE, DONE) as server:
        rows = server.awake.told["answers"]["GET /api/ps"]["body"]["models"]
        rows[0]["context_length"] = 4_096
        config = configured(server.base_url, server={"model": server.model})
        async with rig(config, started(folder)) as run:
            for prompt in ("Hello.", "And now?", "Still so?"):
                await run.turn(prompt)
            told = [type(event).__name__ for event in run.events if _matters(event)]
        server.check()
    assert told == ["StepStarted", "StepStarted", "Notice", "StepStarted"], "told once"


def _matters(event: object) -> bool:
    small = isinstance(event, Notice) and SMALL in event.text
    return small or isinstance(event, StepStarted)


async def test_an_answer_that_breaks_off_leaves_the_session_whole(
    scripted: StartScripted, folder: Path
) -> None:
    half = b'{"message":{"role":"assistant","content":"Half of"},"done":false}\n'
    lost = Reply(raw=half + b'{"error":"model runner has unexpectedly stopped"}\n')
    server = scripted(lost, DONE, about=OLLAMA)
    async with rig(wanting(server), started(folder)) as run:
        assert await run.turn("Hello.") == TurnFinished("end_turn")
    first, second = bodies(server)
    assert first == second
