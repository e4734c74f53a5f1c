"""Answers that do not come as they should: thought about too long, empty, cut off, half a call."""

import asyncio
import random
from pathlib import Path
from typing import Any

import pytest

from qcode.engine.limits import Limits
from qcode.protocol.events import (
    AnyEvent,
    BudgetReached,
    MessageCompleted,
    Notice,
    ReasoningDelta,
    Repaired,
    Retried,
    Steered,
    StepStarted,
    TextDelta,
    TurnFinished,
    Usage,
)
from qcode.protocol.inputs import Cancel, EndReasoning, Input, SetThinking
from qcode.protocol.messages import AssistantMessage, Reasoning, Text
from qcode.server.closing import CLOSING
from qcode.session.conversation import fold
from qcode.session.store import Store
from tests.engine.rig import YOLO, configured, rig, started
from tests.support import script
from tests.support.http1 import Json
from tests.support.llama_words import About
from tests.support.script import Call, Pace, Received, Reply
from tests.support.scripted_server import ScriptedServer, StartScripted

CONTINUES = About(kind="llamacpp")
CANNOT = About(model="Qwen3.6-35B-A3B")
"""A plain endpoint: it neither goes on behind closed reasoning nor has a switch for thinking."""
SWITCHES = About(kind="llamacpp", model="Qwen3.6-35B-A3B", style="3.6", build="b8500")
"""It has the switch and neither a budget nor a continuation; its model has other sampling values
while it does not think."""

NOTES = (
    "The parser drops the last row when the file has no line break at its end. Either the reader "
    "or the caller could add one. The reader is the better place, since three callers use it. What "
    "about files with Windows line ends, and those with a mark at their begin? "
)
PACE = Pace(delta_seconds=0.001, characters=12)
_WORDS = sorted(set(NOTES.lower().split()))
_DICE = random.Random(7)
ENDLESS = Reply(
    reasoning="".join(f"{' '.join(_DICE.choices(_WORDS, k=9)).capitalize()}. " for _ in range(400)),
    end="hang",
    pace=PACE,
)
"""Thinks until the client leaves, and repeats nothing."""
BEGIN = ENDLESS.reasoning[:12]


def thought(server: ScriptedServer, request: int) -> str:
    """The closed reasoning that a request goes on behind."""
    body = server.requests[request].body
    assert body["continue_final_message"] == "content"
    last = body["messages"][-1]
    assert (last["role"], last["content"]) == ("assistant", "")
    return str(last["reasoning_content"])


def stored(run: Any) -> list[AssistantMessage]:
    """All answers that were kept."""
    return [event.message for event in run.said(MessageCompleted)]


async def test_a_used_up_budget_closes_the_reasoning_and_the_answer_goes_on(
    scripted: StartScripted, tmp_path: Path
) -> None:
    server = scripted(ENDLESS, Reply(text="It is the reader."), about=CONTINUES)
    async with rig(configured(server.base_url), started(tmp_path)) as run:
        run.engine.submit(SetThinking(200))
        assert (await run.turn("why?")).reason == "end_turn"
    (reached,) = run.said(BudgetReached)
    assert (reached.budget, reached.why) == (200, "budget")
    assert 200 <= reached.used <= 200 * 1.05 + 16 + 40  # a piece may hold some tokens
    closed = thought(server, 1)
    assert closed.startswith(BEGIN)
    assert closed.endswith(f"\n\n{CLOSING}")
    assert stored(run) == [AssistantMessage((Reasoning(closed), Text("It is the reader.")))]
    assert run.said(Retried) == []
    assert len(run.said(StepStarted)) == 1
    await asyncio.to_thread(server.wait_for, lambda s: s.requests[0].closed_early is not None)


async def test_a_budget_that_a_server_takes_and_does_not_keep_is_counted_here_from_then_on(
    scripted: StartScripted, tmp_path: Path
) -> None:
    server = scripted(ENDLESS, Reply("One."), ENDLESS, Reply("Two."), about=CONTINUES)
    async with rig(configured(server.base_url), started(tmp_path)) as run:
        run.engine.submit(SetThinking(1_000))
        await run.turn("why?")
        await run.turn("and then?")
    first, second = (reached.used for reached in run.said(BudgetReached))
    assert first > 1_050  # so much a server may go beyond it
    assert 1_000 <= second <= 1_040  # a piece may hold some tokens
    told = [one.text for one in run.said(Notice) if "does not keep it" in one.text]
    assert len(told) == 1


async def test_an_answer_in_two_parts_has_one_figure(
    scripted: StartScripted, tmp_path: Path
) -> None:
    server = scripted(
        ENDLESS, Reply(text="Done.", usage=script.Usage(1_300, 5, 1_290)), about=CONTINUES
    )
    async with rig(configured(server.base_url), started(tmp_path)) as run:
        run.engine.submit(SetThinking(200))
        await run.turn("why?")
    (usage,), (reached,) = run.said(Usage), run.said(BudgetReached)
    assert usage.generated_tokens == reached.used + 5
    assert usage.prompt_tokens == usage.cached_tokens == 1_300 - reached.used


async def test_where_no_server_continues_the_thoughts_are_kept_and_the_model_is_told_to_act(
    scripted: StartScripted, tmp_path: Path
) -> None:
    call = Call("shell", {"command": "true"})
    server = scripted(ENDLESS, Reply(calls=(call,)), Reply(text="Done."), about=SWITCHES)
    async with rig(configured(server.base_url, permission=YOLO), started(tmp_path)) as run:
        run.engine.submit(SetThinking(200))
        assert (await run.turn("why?")).reason == "end_turn"
    first, told, after = (request.body for request in server.requests)
    assert told["messages"][:2] == first["messages"]
    kept, note = told["messages"][2:]
    assert kept["role"] == "assistant"
    assert kept["reasoning_content"].startswith(BEGIN)
    assert note["role"] == "user"
    assert note["content"].startswith("<tool_response>\n")
    assert note["content"].endswith("\n</tool_response>")
    assert "STOP" not in note["content"].upper()
    assert [first["temperature"], told["temperature"], after["temperature"]] == [0.6, 0.7, 0.6]
    assert stored(run)[0].finish == "closed"


async def test_where_thinking_cannot_be_turned_off_either_both_parts_of_it_keep_to_the_budget(
    scripted: StartScripted, tmp_path: Path
) -> None:
    short = Reply(reasoning=NOTES, text="Done.")
    server = scripted(ENDLESS, short, about=CANNOT)
    async with rig(configured(server.base_url), started(tmp_path)) as run:
        run.engine.submit(SetThinking(400))
        assert (await run.turn("why?")).reason == "end_turn"
    (reached,) = run.said(BudgetReached)
    assert 300 <= reached.used <= 300 * 1.05 + 16
    assert server.requests[1].messages[-1]["role"] == "user"


async def test_a_model_that_nothing_keeps_from_thinking_is_not_waited_for_without_end(
    scripted: StartScripted, tmp_path: Path
) -> None:
    server = scripted(ENDLESS, ENDLESS, about=CANNOT)
    async with rig(configured(server.base_url), started(tmp_path)) as run:
        run.engine.submit(SetThinking(400))
        end = await run.turn("why?")
    assert end.reason == "empty"
    assert "no way to end its thinking that works" in end.detail
    used = [reached.used for reached in run.said(BudgetReached)]
    assert len(used) == 2
    assert sum(used) <= 400 * 1.05 + 16
    server.check()


@pytest.mark.parametrize("about", [CANNOT, SWITCHES], ids=["no switch", "it ignores the switch"])
async def test_a_switch_that_does_nothing_leaves_no_thinking_without_a_bound(
    scripted: StartScripted, tmp_path: Path, about: About
) -> None:
    server = scripted(ENDLESS, ENDLESS, about=about)
    async with rig(configured(server.base_url), started(tmp_path)) as run:
        run.engine.submit(SetThinking(0 if about is CANNOT else 300))
        assert (await run.turn("why?")).reason == "empty"
    assert sum(reached.used for reached in run.said(BudgetReached)) <= 2_600
    server.check()


async def test_a_budget_holds_where_the_thinking_stands_in_the_content(
    scripted: StartScripted, tmp_path: Path
) -> None:
    unmarked = Reply(text=ENDLESS.reasoning, end="hang", pace=PACE)
    first = Reply(text="Well.\n</think>\n\nHello.")
    server = scripted(first, unmarked, Reply(text="No.\n</think>\n\nDone."), about=CANNOT)
    async with rig(configured(server.base_url), started(tmp_path)) as run:
        await run.turn("hello")  # by this answer it is known
        run.engine.submit(SetThinking(400))
        assert (await run.turn("why?")).reason == "end_turn"
    (reached,) = run.said(BudgetReached)
    assert 300 <= reached.used <= 300 * 1.05 + 16
    assert [message.text for message in stored(run)][0::2] == ["Hello.", "Done."]


async def test_a_person_may_have_the_answer_now(scripted: StartScripted, tmp_path: Path) -> None:
    asked: list[AnyEvent] = []

    def hurry(event: AnyEvent) -> Input | None:
        if isinstance(event, ReasoningDelta) and not asked:
            asked.append(event)
            return EndReasoning()
        return None

    server = scripted(ENDLESS, Reply(text="Well, the reader."), about=CONTINUES)
    async with rig(configured(server.base_url), started(tmp_path)) as run:
        assert (await run.turn("why?", hurry)).reason == "end_turn"
    assert [event.why for event in run.said(BudgetReached)] == ["person"]
    assert thought(server, 1).startswith(BEGIN)
    assert stored(run)[-1].text == "Well, the reader."


class Obeying(ScriptedServer):
    """Ends its reasoning when it is told to, as llama.cpp does."""

    async def other(self, request: Received) -> tuple[int, Json]:
        """The control endpoint, and all that others have."""
        if request.path == "/v1/chat/completions/control":
            return 200, {"success": True}
        return await super().other(request)


async def test_a_server_that_ends_the_reasoning_itself_is_not_asked_again(tmp_path: Path) -> None:
    asked: list[AnyEvent] = []

    def hurry(event: AnyEvent) -> Input | None:
        if isinstance(event, ReasoningDelta) and not asked:
            asked.append(event)
            return EndReasoning()
        return None

    long = Reply(reasoning=f"{NOTES}\n\n{CLOSING}", text="The reader.", pace=PACE)
    with Obeying(long, about=CONTINUES) as server:
        async with rig(configured(server.base_url), started(tmp_path)) as run:
            assert (await run.turn("why?", hurry)).reason == "end_turn"
        assert [r.path for r in server.others].count("/v1/chat/completions/control") == 1
    assert [event.why for event in run.said(BudgetReached)] == ["person"]
    assert stored(run)[-1].text == "The reader."


async def test_a_budget_that_the_server_held_is_told(
    scripted: StartScripted, tmp_path: Path
) -> None:
    server = scripted(Reply(reasoning=f"{NOTES}\n\n{CLOSING}", text="So."), about=CONTINUES)
    async with rig(configured(server.base_url), started(tmp_path)) as run:
        await run.turn("why?")
    assert [event.why for event in run.said(BudgetReached)] == ["budget"]


@pytest.mark.parametrize("when", ["idle", "writing"])
async def test_without_thinking_there_is_none_to_end(
    when: str, scripted: StartScripted, tmp_path: Path
) -> None:
    def late(event: AnyEvent) -> Input | None:
        return EndReasoning() if isinstance(event, TextDelta) and when == "writing" else None

    server = scripted(Reply(reasoning="Hm.", text="One."), Reply(reasoning="Hm.", text="Two."))
    async with rig(configured(server.base_url), started(tmp_path)) as run:
        await run.turn("go", late)
        if when == "idle":
            run.engine.submit(EndReasoning())
        await run.turn("again")
    assert "no thinking to end" in run.said(Notice)[-1].text
    assert run.said(BudgetReached) == []


async def test_cancelled_behind_closed_reasoning_it_keeps_the_thoughts(
    scripted: StartScripted, tmp_path: Path
) -> None:
    def cancel(event: AnyEvent) -> Input | None:
        return Cancel() if isinstance(event, TextDelta) else None

    words = Reply(text="It is the reader, since", end="hang", pace=PACE)
    server = scripted(ENDLESS, words, Reply(text="Fine."), about=CONTINUES)
    async with rig(configured(server.base_url), started(tmp_path)) as run:
        run.engine.submit(SetThinking(200))
        assert (await run.turn("why?", cancel)).reason == "cancelled"
        closed = thought(server, 1)
        await run.turn("go on")
    assert stored(run)[0].reasoning == closed
    assert closed in server.requests[2].messages[2]["content"]  # folded, as it was generated


async def test_what_was_said_around_a_budget_is_what_the_log_tells(
    scripted: StartScripted, tmp_path: Path
) -> None:
    work = tmp_path / "work"
    work.mkdir()
    store = Store(tmp_path / "sessions")
    log = store.create(work)
    server = scripted(ENDLESS, Reply(text="a"), ENDLESS, Reply(text="b"), about=CANNOT)
    async with rig(configured(server.base_url), started(work, log=log)) as run:
        run.engine.submit(SetThinking(200))
        await run.turn("one")
        await run.turn("two")
        live = run.engine.stream.conversation
    assert fold(store.open(log.session_id).events) == live


async def test_a_token_limit_in_the_thinking_is_gone_on_behind(
    scripted: StartScripted, tmp_path: Path
) -> None:
    cut = Reply(reasoning=NOTES, finish="length")
    server = scripted(cut, Reply(text="The reader."), about=CONTINUES)
    async with rig(configured(server.base_url), started(tmp_path)) as run:
        assert (await run.turn("why?")).reason == "end_turn"
    assert thought(server, 1) == f"{NOTES.strip()}\n\n{CLOSING}"
    assert [event.kind for event in run.said(Repaired)] == ["empty"]
    assert stored(run)[0].text == "The reader."


@pytest.mark.parametrize("about", [CONTINUES, CANNOT], ids=["continues", "cannot"])
async def test_a_token_limit_in_the_thinking_is_never_success(
    about: About, scripted: StartScripted, tmp_path: Path
) -> None:
    cut = Reply(reasoning=NOTES, finish="length")
    server = scripted(otherwise=lambda body: cut, about=about)
    async with rig(configured(server.base_url), started(tmp_path)) as run:
        end = await run.turn("why?")
    assert end.reason == "max_tokens"
    assert len(server.requests) < 10


async def test_an_empty_answer_goes_on_behind_its_thoughts(
    scripted: StartScripted, tmp_path: Path
) -> None:
    server = scripted(Reply(reasoning="So that is it."), Reply(text="That."), about=CONTINUES)
    async with rig(configured(server.base_url), started(tmp_path)) as run:
        assert (await run.turn("what?")).reason == "end_turn"
    assert thought(server, 1) == f"So that is it.\n\n{CLOSING}"
    assert [event.kind for event in run.said(Repaired)] == ["empty"]
    assert [message.text for message in stored(run)] == ["That."]


async def test_an_answer_that_stays_empty_is_asked_for_without_thinking(
    scripted: StartScripted, tmp_path: Path
) -> None:
    server = scripted(Reply(reasoning="So."), Reply(), Reply(text="Here."), about=CONTINUES)
    async with rig(configured(server.base_url), started(tmp_path)) as run:
        assert (await run.turn("what?")).reason == "end_turn"
    kwargs = [request.body["chat_template_kwargs"] for request in server.requests]
    assert [one["enable_thinking"] for one in kwargs] == [True, True, False]
    assert server.requests[2].messages == server.requests[0].messages
    assert [message.text for message in stored(run)] == ["Here."]


async def test_where_no_server_continues_an_empty_answer_is_asked_for_twice_then_without_thinking(
    scripted: StartScripted, tmp_path: Path
) -> None:
    empty = Reply(reasoning="So.")
    server = scripted(empty, empty, empty, Reply(text="Here."), about=CANNOT)
    async with rig(configured(server.base_url), started(tmp_path)) as run:
        assert (await run.turn("what?")).reason == "end_turn"
    assert [request.body["temperature"] for request in server.requests] == [0.6, 0.6, 0.6, 0.7]
    assert {event.kind for event in run.said(Repaired)} == {"empty"}
    assert len(run.said(Retried)) == 3


async def test_the_same_request_is_not_sent_again_where_it_gets_the_same_answer(
    scripted: StartScripted, tmp_path: Path
) -> None:
    server = scripted(Reply(reasoning="So."), Reply(text="Here."), about=CANNOT)
    start = started(tmp_path, sampling={"temperature": 0.0})
    async with rig(configured(server.base_url), start) as run:
        await run.turn("what?")
    assert "asked again with thinking off" in run.said(Repaired)[0].what


async def test_empty_answers_count_as_steps(scripted: StartScripted, tmp_path: Path) -> None:
    server = scripted(Reply(), Reply())
    limits = Limits(max_steps=2)
    async with rig(configured(server.base_url), started(tmp_path, limits=limits)) as run:
        end = await run.turn("go")
    assert end.reason == "max_steps"
    assert [event.step for event in run.said(StepStarted)] == [1, 2]


async def test_a_call_that_was_announced_and_did_not_come_is_asked_for_again(
    scripted: StartScripted, tmp_path: Path
) -> None:
    lost = Reply(reasoning="Look.", finish="tool_calls")
    server = scripted(lost, lost, Reply(text="Here."), about=CONTINUES)
    async with rig(configured(server.base_url), started(tmp_path)) as run:
        assert (await run.turn("what?")).reason == "end_turn"
    kwargs = [request.body["chat_template_kwargs"] for request in server.requests]
    assert [one["enable_thinking"] for one in kwargs] == [True, True, False]
    assert [event.kind for event in run.said(Repaired)] == ["lost_call", "lost_call"]
    assert [message.text for message in stored(run)] == ["Here."]


HALF = Reply(text="I read it.\n<tool_call>\n<function=shell>\n<parameter=command>\ntouch a")


async def test_half_a_call_is_asked_for_once_more_as_before(
    scripted: StartScripted, tmp_path: Path
) -> None:
    call = Call("shell", {"command": "touch b"})
    server = scripted(HALF, Reply(calls=(call,)), Reply(text="Done."), about=CONTINUES)
    async with rig(configured(server.base_url, permission=YOLO), started(tmp_path)) as run:
        assert (await run.turn("go")).reason == "end_turn"
    first, again, _ = (request.body for request in server.requests)
    assert again["messages"] == first["messages"]
    assert again["tools"] == first["tools"]
    assert [path.name for path in tmp_path.iterdir()] == ["b"]
    assert "half_call" in [event.kind for event in run.said(Repaired)]
    assert len(run.said(Retried)) == 1


async def test_half_a_call_twice_keeps_the_words_and_is_told(
    scripted: StartScripted, tmp_path: Path
) -> None:
    server = scripted(HALF, HALF, Reply(text="Then not."), about=CONTINUES)
    async with rig(configured(server.base_url, permission=YOLO), started(tmp_path)) as run:
        assert (await run.turn("go")).reason == "end_turn"
    assert list(tmp_path.iterdir()) == []
    kept, note = server.requests[2].messages[2:]
    assert kept["content"].strip() == "I read it."
    assert "not written to its end" in note["content"]
    assert len(run.said(Steered)) == 1


async def test_half_a_call_again_and_again_is_no_success(
    scripted: StartScripted, tmp_path: Path
) -> None:
    server = scripted(*[HALF] * 6, about=CONTINUES)  # each of three answers is asked for twice
    async with rig(configured(server.base_url, permission=YOLO), started(tmp_path)) as run:
        end = await run.turn("go")
    assert end.reason == "idle"
    assert "was not written to its end" in end.detail
    assert len(server.requests) == 6


async def test_a_call_that_was_cut_off_with_nothing_before_it_is_told_at_once(
    scripted: StartScripted, tmp_path: Path
) -> None:
    cut = Reply(calls=(Call("shell", '{"command": "touch a; touch b'),), finish="length")
    server = scripted(cut, Reply(text="In parts, then."))
    async with rig(configured(server.base_url, permission=YOLO), started(tmp_path)) as run:
        assert (await run.turn("go")).reason == "end_turn"
    assert list(tmp_path.iterdir()) == []
    before, after = (request.messages for request in server.requests)
    assert after[:-1] == before
    assert "cut off" in after[-1]["content"]


async def test_a_closed_answer_may_be_no_longer_than_what_is_left_of_it(
    scripted: StartScripted, tmp_path: Path
) -> None:
    server = scripted(ENDLESS, Reply(text="So."), about=CONTINUES)
    config = configured(server.base_url, agent={"max_tokens": 6_000})
    async with rig(config, started(tmp_path)) as run:
        run.engine.submit(SetThinking(500))
        await run.turn("why?")
    (reached,) = run.said(BudgetReached)
    assert server.requests[1].body["max_tokens"] == 6_000 - reached.used


async def test_thinking_is_as_before_after_an_answer_now(
    scripted: StartScripted, tmp_path: Path
) -> None:
    def hurry(event: AnyEvent) -> Input | None:
        return EndReasoning() if isinstance(event, ReasoningDelta) else None

    server = scripted(ENDLESS, Reply(text="So."), Reply(text="Yes."), about=SWITCHES)
    async with rig(configured(server.base_url), started(tmp_path)) as run:
        await run.turn("why?", hurry)
        end = await run.turn("sure?")
    assert end == TurnFinished("end_turn")
    assert [request.body["temperature"] for request in server.requests] == [0.6, 0.7, 0.6]
