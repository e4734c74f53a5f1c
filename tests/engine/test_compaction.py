"""A context that is nearly full: what goes, what stays, what it costs, and when it ends in words.

The server of these tests counts a token for four characters of the prompt that it renders, and
refuses what does not fit, as llama.cpp does.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given

from qcode.engine.compaction import starts
from qcode.protocol.events import (
    AnyEvent,
    Compacted,
    Elided,
    LoggedEvent,
    Notice,
    SessionStarted,
    TurnFinished,
)
from qcode.protocol.inputs import Cancel, Compact, Input, Rewind
from qcode.protocol.messages import ToolMessage
from qcode.session.conversation import Conversation, fold
from qcode.session.store import Store
from tests.engine.plans import generated
from tests.engine.rig import YOLO, configured, rig, started
from tests.session.histories import histories
from tests.support.llama_words import About
from tests.support.render import Style, render_request
from tests.support.script import Body, Call, Pace, Reply
from tests.support.script import Usage as Counts
from tests.support.scripted_server import StartScripted

CONTEXT = 8_000
ABOUT = About(kind="llamacpp", context_tokens=CONTEXT, token_characters=4)
LARGE = replace(ABOUT, context_tokens=32_000)
SUMMARY = "The bug stands in shop/cart.py:41. Run pytest -q; two tests fail."
TODO = Call("todo", {"items": "[x] find the bug\n[~] mend it\n[ ] run the tests"})


def tokens(text: str) -> int:
    return len(text) // 4


class Model:
    """Answers with `replies` in turn, and with `summaries` where one is asked for."""

    def __init__(
        self,
        *replies: Reply,
        summaries: tuple[Reply, ...] = (Reply(SUMMARY),),
        context: int = CONTEXT,
        style: Style = "3.5",
    ) -> None:
        self.replies = iter(replies)
        self.summaries = iter(summaries)
        self.context = context
        self.style = style
        self.seen: list[tuple[str, Reply]] = []
        """Each prompt as rendered, and the answer."""
        self.refused = 0

    def __call__(self, body: Body) -> Reply:
        prompt = render_request(body, self.style)
        taken = tokens(prompt)
        if taken > self.context:
            self.refused += 1
            return refusal(taken, self.context)
        reply = next(self.summaries if is_question(body) else self.replies)
        self.seen.append((prompt, reply))
        return replace(reply, usage=Counts(taken, tokens(generated(reply, prompt)), 0))


def refusal(taken: int, context: int) -> Reply:
    words = f"request ({taken} tokens) exceeds the available context size ({context} tokens)"
    return Reply(
        status=400, body={"error": {"type": "exceed_context_size_error", "message": words}}
    )


def is_question(body: Body) -> bool:
    return "replaced by a summary" in str(body["messages"][-1]["content"])


def reads(*numbers: int, thought: str = "Look at the next one.") -> Iterator[Reply]:
    for number in numbers:
        yield Reply("", thought, (Call("read", {"path": f"f{number}.txt"}),))


def writes(*numbers: int) -> Iterator[Reply]:
    """What no elision takes away: the arguments of calls."""
    for number in numbers:
        call = Call("write", {"path": f"w{number}.txt", "content": f"{number} {LINE}" * 60})
        yield Reply("", "", (call,))


LINE = "a line of some length that takes its tokens\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Files of about 750 tokens each."""
    work = tmp_path / "work"
    work.mkdir()
    for number in range(20):
        (work / f"f{number}.txt").write_text(f"file {number}\n" + LINE * 60)
    return work


@given(histories())
def test_wherever_it_is_cut_a_call_keeps_its_result(events: list[LoggedEvent]) -> None:
    messages = fold(events).messages
    places = list(starts(messages))
    assert places[-1] == len(messages)
    assert all(at >= min(1, len(messages)) for at in places)
    for at in places[:-1]:
        assert not any(isinstance(one, ToolMessage) for one in messages[at : at + 1])


PROMPT = "Mend the cart:\n  - the sum is wrong\n  - the tests fail"


async def test_old_results_and_reasoning_go_first_and_the_turn_goes_on(
    scripted: StartScripted, folder: Path
) -> None:
    model = Model(*reads(*range(7), thought="I wonder. " * 20), Reply("It is mended."))
    server = scripted(about=ABOUT, otherwise=model)
    async with rig(configured(server.base_url, permission=YOLO), started(folder)) as run:
        assert (await run.turn(PROMPT)) == TurnFinished("end_turn")
    [elided] = run.said(Elided)
    assert not run.said(Compacted)
    assert model.refused == 0
    assert elided.tokens_after <= CONTEXT / 2
    at = next(n for n, (prompt, _) in enumerate(model.seen) if "to make room" in prompt)
    before, after = model.seen[at - 1][0], model.seen[at][0]
    assert tokens(before) <= CONTEXT * 3 / 4 < elided.tokens_before, "not before it is full"
    assert abs(tokens(after) - elided.tokens_after) < 0.1 * tokens(after)
    assert PROMPT in after
    assert after.count("a line of some length") in range(60, 180), "the last results stay"
    assert after.count("I wonder.") < before.count("I wonder.")
    assert not run.said(Notice), "the event says it all"


async def test_a_long_turn_drops_old_results_as_often_as_it_fills_up(
    scripted: StartScripted, folder: Path
) -> None:
    """A headless run is one turn, however long it is."""
    for number in range(110):
        (folder / f"f{number}.txt").write_text(f"file {number}\n" + LINE * 60)
    model = Model(*reads(*range(110)), Reply("It is mended."), context=32_000)
    server = scripted(about=LARGE, otherwise=model)
    async with rig(configured(server.base_url, permission=YOLO), started(folder)) as run:
        assert (await run.turn(PROMPT)) == TurnFinished("end_turn")
    elided = run.said(Elided)
    assert len(elided) >= 3
    assert all(one.tokens_after <= 16_000 for one in elided), "each time is worth its price"
    assert model.refused == 0
    assert not run.said(Compacted)


@pytest.mark.parametrize("style", ["3.5", "3.6"])
async def test_all_becomes_a_summary_that_holds_task_plan_and_files(
    scripted: StartScripted, folder: Path, style: Style
) -> None:
    replies = (Reply("A plan.", "", (TODO,)), *reads(0), *writes(*range(9)), Reply("Done."))
    model = Model(*replies, style=style)
    server = scripted(about=replace(ABOUT, style=style), otherwise=model)
    async with rig(configured(server.base_url, permission=YOLO), started(folder)) as run:
        assert (await run.turn(PROMPT)) == TurnFinished("end_turn")
    [compacted] = run.said(Compacted)
    assert compacted.tokens_after <= CONTEXT / 2
    assert model.refused == 0
    at = next(n for n, (prompt, _) in enumerate(model.seen) if "<summary>" in prompt)
    (last, answer), (asked, _), (after, _) = model.seen[at - 2 : at + 1]
    assert asked.startswith(last + generated(answer, last)), "all but the question is in the cache"
    assert asked.endswith("<think>\n\n</think>\n\n"), "no thinking about it"
    summary = after[after.index("<summary>") : after.index("</summary>")]
    assert PROMPT in after[: after.index("<summary>")]
    for kept in (SUMMARY, "[~] mend it", "[ ] run the tests", "w0.txt", "w3.txt", "f0.txt"):
        assert kept in summary
    assert last.startswith(after[: after.index("\n\n<summary>")]), (
        "the first message keeps its bytes"
    )
    assert tokens(after) < tokens(last) * 0.6
    bodies = [request.body for request in server.requests]
    assert all(body["tools"] == bodies[0]["tools"] for body in bodies)


async def test_a_call_keeps_its_result(scripted: StartScripted, folder: Path) -> None:
    model = Model(*writes(*range(9)), Reply("Done."))
    server = scripted(about=ABOUT, otherwise=model)
    async with rig(configured(server.base_url, permission=YOLO), started(folder)) as run:
        await run.turn(PROMPT)
    [compacted] = run.said(Compacted)
    assert compacted.kept >= 2
    body = next(r.body for r in server.requests if "<summary>" in str(r.messages[1]))
    roles = [message["role"] for message in body["messages"]]
    assert roles[:4] == ["system", "user", "assistant", "tool"]
    assert all(one == "assistant" for one, two in pairwise(roles[2:]) if two == "tool")


async def test_once_a_turn_and_then_it_stops_and_says_what_fills_it(
    scripted: StartScripted, folder: Path
) -> None:
    model = Model(*writes(*range(40)), summaries=(Reply(SUMMARY), Reply("Two.")))
    server = scripted(about=ABOUT, otherwise=model)
    async with rig(configured(server.base_url, permission=YOLO), started(folder)) as run:
        end = await run.turn(PROMPT)
        assert (end.reason, end.error) == ("error", "ContextOverflow")
        assert len(run.said(Compacted)) == 1
        for part in ("8,000", "system text and tools", "answers and calls", "in this turn already"):
            assert part in end.detail
        model.replies = iter([*writes(50), Reply("Done.")])
        assert (await run.turn("Go on with the rest.")) == TurnFinished("end_turn")
    assert len(run.said(Compacted)) == 2
    last = model.seen[-1][0]
    assert PROMPT in last
    assert "Go on with the rest." in last
    assert model.refused == 0


async def test_a_prompt_that_is_too_long_by_itself_is_never_sent(
    scripted: StartScripted, folder: Path
) -> None:
    server = scripted(about=ABOUT)
    async with rig(configured(server.base_url), started(folder)) as run:
        end = await run.turn("word " * 8_000)
    assert (end.reason, end.error) == ("error", "ContextOverflow")
    assert "prompts ~" in end.detail
    assert not server.requests


@pytest.mark.parametrize("bad", [Reply("", "", (TODO,)), Reply("", "", finish="stop")])
async def test_a_summary_without_words_is_asked_for_once_more(
    scripted: StartScripted, folder: Path, bad: Reply
) -> None:
    model = Model(*writes(*range(9)), Reply("Done."), summaries=(bad, Reply(SUMMARY)))
    server = scripted(about=ABOUT, otherwise=model)
    async with rig(configured(server.base_url, permission=YOLO), started(folder)) as run:
        assert (await run.turn(PROMPT)).reason == "end_turn"
    [compacted] = run.said(Compacted)
    assert SUMMARY in compacted.summary.text


async def test_without_any_words_of_the_model_a_summary_is_made_all_the_same(
    scripted: StartScripted, folder: Path
) -> None:
    call = Reply("", "", (TODO,))
    model = Model(*writes(*range(9)), Reply("Done."), summaries=(call, call))
    server = scripted(about=ABOUT, otherwise=model)
    async with rig(configured(server.base_url, permission=YOLO), started(folder)) as run:
        assert (await run.turn(PROMPT)).reason == "end_turn"
    [compacted] = run.said(Compacted)
    assert "Your last calls:" in compacted.summary.text
    assert "w4.txt" in compacted.summary.text


async def test_another_process_goes_on_from_the_summary_and_can_go_back_behind_it(
    scripted: StartScripted, folder: Path
) -> None:
    ends = (Reply("Hello."), *writes(*range(9)), Reply("Done."), Reply("Yes."), Reply("Back."))
    model = Model(*ends)
    server = scripted(about=ABOUT, otherwise=model)
    config, store = configured(server.base_url, permission=YOLO), Store(folder.parent / "sessions")
    log, talk = store.create(folder), Conversation()
    async with rig(config, started(folder, log=log, conversation=talk)) as run:
        await run.turn("Hello there.")
        await run.turn(PROMPT)
        assert run.said(Compacted)
    resumed = store.resume(log.session_id)
    again = fold(resumed.opened.events)
    assert again == talk
    async with rig(config, started(folder, log=resumed.log, conversation=again)) as run:
        await run.turn("Still there?")
        (last, answer), (after, _) = model.seen[-2:]
        assert after.startswith(last + generated(answer, last))
        run.engine.submit(Rewind(2))
        await run.turn("Something else.")
    messages = server.requests[-1].messages
    assert [m["content"] for m in messages[2:]][-1] == "Something else."
    assert len(messages) == 4
    assert "<summary>" not in str(messages)


async def test_a_server_that_tells_no_context_is_believed_when_it_refuses(
    scripted: StartScripted, folder: Path
) -> None:
    model = Model(*reads(*range(9)), Reply("It is mended."))
    server = scripted(otherwise=model)
    async with rig(configured(server.base_url, permission=YOLO), started(folder)) as run:
        assert (await run.turn(PROMPT)) == TurnFinished("end_turn")
    assert model.refused == 1
    assert len(run.said(Elided)) == 1
    assert not run.said(Compacted)


async def test_a_server_that_refuses_again_ends_the_turn(
    scripted: StartScripted, folder: Path
) -> None:
    model = Model(*reads(*range(9)))
    server = scripted(
        *[model] * 5, lambda body: refusal(9_000, CONTEXT), lambda body: refusal(9_000, CONTEXT)
    )
    async with rig(configured(server.base_url, permission=YOLO), started(folder)) as run:
        end = await run.turn(PROMPT)
    assert (end.reason, end.error) == ("error", "ContextOverflow")
    assert "tool results ~" in end.detail


async def test_the_loaded_context_is_told_at_the_start(
    scripted: StartScripted, folder: Path
) -> None:
    server = scripted(Reply("Hello."), about=ABOUT)
    async with rig(configured(server.base_url), started(folder)) as run:
        await run.turn("Hello.")
    assert run.said(SessionStarted)[0].context_tokens == CONTEXT


async def test_by_hand_with_words_on_what_matters(scripted: StartScripted, folder: Path) -> None:
    model = Model(*reads(*range(12)), Reply("All read."), Reply("Yes."), context=32_000)
    server = scripted(about=LARGE, otherwise=model)
    async with rig(configured(server.base_url), started(folder)) as run:
        await run.turn(PROMPT)
        run.engine.submit(Compact("the names of the tests"))
        compacted = await run.until(Compacted)
        assert (await run.turn("And now?")) == TurnFinished("end_turn")
    (last, answer), (asked, _), (after, _) = model.seen[-3:]
    assert asked.startswith(last + generated(answer, last))
    assert "the names of the tests" in asked
    assert PROMPT in after
    assert SUMMARY in after
    assert "All read." in after, "the last words stay"
    assert after.rstrip().endswith("And now?<|im_end|>\n<|im_start|>assistant\n<think>")
    assert compacted.tokens_after <= compacted.tokens_before / 2
    assert not server.running


async def test_by_hand_what_is_short_stays_as_it_is(scripted: StartScripted, folder: Path) -> None:
    server = scripted(Reply("Hello."), about=ABOUT)
    async with rig(configured(server.base_url), started(folder)) as run:
        await run.turn("Hello.")
        run.engine.submit(Compact())
        said = await run.until(Notice)
        assert "was not compacted" in said.text
    assert not run.said(Compacted)


async def test_before_the_first_prompt_there_is_nothing_to_compact(
    scripted: StartScripted, folder: Path
) -> None:
    server = scripted(about=ABOUT)
    async with rig(configured(server.base_url), started(folder)) as run:
        run.engine.submit(Compact())
        while "was not compacted" not in (await run.until(Notice)).text:
            pass
    assert not server.requests


async def test_a_summary_can_be_cancelled_and_leaves_all_as_it_was(
    scripted: StartScripted, folder: Path
) -> None:
    def cancel(event: AnyEvent) -> Input | None:
        return Cancel() if isinstance(event, Notice) and "sums it up" in event.text else None

    slow = Reply("Slowly.", pace=Pace(wait_seconds=20))
    replies = (*reads(*range(12)), Reply("All read."), Reply("Yes."))
    model = Model(*replies, summaries=(slow,), context=32_000)
    server = scripted(about=LARGE, otherwise=model)
    async with rig(configured(server.base_url), started(folder)) as run:
        await run.turn(PROMPT)
        run.engine.submit(Compact())
        while "as it was" not in (await run.until(Notice, cancel)).text:
            pass
        assert (await run.turn("And now?")) == TurnFinished("end_turn")
    assert not run.said(Compacted)
    last, answer = next(pair for pair in model.seen if pair[1].text == "All read.")
    assert model.seen[-1][0].startswith(last + generated(answer, last))


async def test_turned_off_it_is_left_to_the_server_to_refuse(
    scripted: StartScripted, folder: Path
) -> None:
    model = Model(*reads(*range(12)))
    server = scripted(about=ABOUT, otherwise=model)
    config = configured(server.base_url, permission=YOLO, agent={"compaction": "off"})
    async with rig(config, started(folder)) as run:
        end = await run.turn(PROMPT)
    assert (end.reason, end.error) == ("error", "ContextOverflow")
    for part in ("has loaded (8,000 tokens)", "tool results ~", 'agent.compaction is "off"'):
        assert part in end.detail
    assert model.refused == 1
    assert not run.said(Elided)
    assert not run.said(Compacted)
    assert not [one for one in server.others if "input_tokens" in one.path]


async def test_turned_off_it_is_still_done_by_hand(scripted: StartScripted, folder: Path) -> None:
    model = Model(*reads(*range(12)), Reply("All read."), context=32_000)
    server = scripted(about=LARGE, otherwise=model)
    config = configured(server.base_url, agent={"compaction": "off"})
    async with rig(config, started(folder)) as run:
        await run.turn(PROMPT)
        run.engine.submit(Compact())
        compacted = await run.until(Compacted)
    assert compacted.tokens_after <= compacted.tokens_before / 2
