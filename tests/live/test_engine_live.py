"""The whole engine over a real llama.cpp: cancel, death, resuming, and what it tells of tokens."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from qcode.config.model import Config
from qcode.protocol.events import (
    AnyEvent,
    BudgetReached,
    LoopSeen,
    MessageCompleted,
    PromptProgress,
    ReasoningDelta,
    Retried,
    Usage,
)
from qcode.protocol.inputs import Cancel, EndReasoning, Input, SetSampling, SetThinking
from qcode.server.closing import CLOSING
from qcode.session.conversation import fold
from qcode.session.store import Store
from tests.engine.rig import On, configured, rig, started
from tests.support.llama import LlamaServer, StartLlama
from tests.support.plain_http import get

pytestmark = pytest.mark.llamacpp

ENDLESS = SetSampling(temperature=0.0, presence_penalty=-2.0)
"""Greedy, and fond of what stands in the last 64 tokens: the tiny model thinks one letter for ever,
if these do not hold the way out of the reasoning."""
THINK = "Think of it for a while, " * 3
USUAL = SetSampling()


@pytest.fixture(autouse=True)
def one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two threads that share busy cores wait for one another: up to eight times slower."""
    monkeypatch.setenv("OMP_THREAD_LIMIT", "1")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A workspace with the file that the tiny model asks for."""
    work = tmp_path / "work"
    work.mkdir()
    (work / "notes.txt").write_text("One line.\n")
    return work


def busy(engine: LlamaServer) -> bool:
    return any(slot["is_processing"] for slot in get(engine.origin, "/slots"))


def idle_after(engine: LlamaServer) -> float:
    """Seconds until no slot works."""
    start = time.monotonic()
    while busy(engine):
        assert time.monotonic() - start < 10
        time.sleep(0.01)  # a slot's state can only be asked for
    return time.monotonic() - start


def patient(engine: LlamaServer) -> Config:
    """Without the loop breaker: the tiny model thinks one letter for ever, or calls in circles."""
    return configured(engine.base_url, agent={"loops": "off"})


def at(kind: type[AnyEvent], number: int, act: Callable[[], Input | None]) -> On:
    """Acts at the event of that kind and number, from 1."""
    seen: list[AnyEvent] = []

    def on(event: AnyEvent) -> Input | None:
        seen.extend([event] if isinstance(event, kind) else [])
        return act() if isinstance(event, kind) and len(seen) == number else None

    return on


async def test_cancel_ends_what_the_engine_generates(start_llama: StartLlama, folder: Path) -> None:
    engine = start_llama()
    async with rig(patient(engine), started(folder)) as run:
        run.engine.submit(ENDLESS)
        end = await run.turn(THINK, at(ReasoningDelta, 20, Cancel))
        assert end.reason == "cancelled"
        assert idle_after(engine) < 2
        kept = run.said(MessageCompleted)[-1].message
        assert len(kept.reasoning) >= 20
        read = run.said(PromptProgress)[-1].total
        run.engine.submit(USUAL)
        assert (await run.turn("Go on.")).reason == "end_turn"
    usage = run.said(Usage)[0]
    assert (usage.cached_tokens or 0) > read - 64  # back to the checkpoint at the prompt's end


async def test_cancel_ends_the_reading_of_a_long_prompt(
    start_llama: StartLlama, folder: Path
) -> None:
    engine = start_llama()
    async with rig(patient(engine), started(folder)) as run:
        long = "A long question. " * 700
        assert (await run.turn(long, at(PromptProgress, 2, Cancel))).reason == "cancelled"
        assert idle_after(engine) < 2
        progress = run.said(PromptProgress)[-1]
        assert progress.processed < progress.total
        run.engine.submit(USUAL)
        assert (await run.turn("Never mind.")).reason == "end_turn"
    assert run.said(MessageCompleted)


async def test_reading_is_told_and_nothing_is_read_twice(
    start_llama: StartLlama, folder: Path
) -> None:
    async with rig(patient(start_llama()), started(folder)) as run:
        for number in range(4):
            assert (await run.turn(f"{number}: what is in the notes?")).reason == "end_turn"
    first, *later = run.said(Usage)
    assert first.cached_tokens == 0
    assert first.prompt_per_second
    assert first.first_token_seconds
    assert all(usage.cached_tokens for usage in later)
    assert {usage.reread_tokens for usage in later} == {0}
    progress = run.said(PromptProgress)
    assert (progress[0].cached, progress[0].total) == (0, first.prompt_tokens)
    totals = {told.total: told.cached for told in progress}
    assert all(totals[u.prompt_tokens] == u.cached_tokens for u in later if u.prompt_tokens)


async def test_a_server_that_dies_is_said_and_the_session_goes_on_with_another(
    start_llama: StartLlama, folder: Path
) -> None:
    engine = start_llama(thinks="for ever")
    store = Store(folder.parent / "sessions")
    log = store.create(folder)

    def die() -> None:
        engine.kill()

    async with rig(patient(engine), started(folder, log=log)) as run:
        run.engine.submit(SetThinking(0))
        assert (await run.turn("Hello.")).reason == "end_turn"
        run.engine.submit(SetThinking(8_000))
        end = await run.turn(THINK, at(ReasoningDelta, 5, die))
    assert (end.reason, end.error) == ("error", "ServerGone")
    assert engine.origin.removeprefix("http://") in end.detail
    assert run.said(Retried)

    resumed = store.resume(log.session_id)
    talk = fold(resumed.opened.events)
    before = list(talk.messages)
    goes_on = started(folder, log=resumed.log, conversation=talk)
    async with rig(patient(start_llama()), goes_on) as run:
        assert (await run.turn("And now?")).reason == "end_turn"
    assert talk.messages[: len(before)] == before
    assert before[-1].text == THINK


async def test_a_loop_in_the_thinking_is_closed_and_the_answer_goes_on(
    start_llama: StartLlama, folder: Path
) -> None:
    engine = start_llama()
    async with rig(configured(engine.base_url), started(folder)) as run:
        run.engine.submit(ENDLESS)
        await run.turn(THINK, at(LoopSeen, 1, lambda: USUAL))
    loop = run.said(LoopSeen)[0]
    assert (loop.kind, loop.rung) == ("reasoning", 1)
    assert run.said(BudgetReached)[0].why == "loop"
    answer = run.said(MessageCompleted)[0].message
    assert answer.reasoning.endswith(CLOSING)
    assert answer.text or answer.calls


async def test_a_person_has_the_answer_of_a_real_engine_now(
    start_llama: StartLlama, folder: Path
) -> None:
    engine = start_llama()
    async with rig(patient(engine), started(folder)) as run:
        run.engine.submit(ENDLESS)
        await run.turn(THINK, at(ReasoningDelta, 20, EndReasoning))
    assert run.said(BudgetReached)[0].why == "person"
    assert run.said(BudgetReached)[0].used < 2_000
    answer = run.said(MessageCompleted)[0].message
    assert answer.reasoning
    assert answer.text or answer.calls
