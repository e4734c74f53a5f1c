"""A model that repeats itself: what is done about it, rung by rung, and what is left alone."""

from pathlib import Path

import pytest

from qcode.engine.history import Tweak
from qcode.engine.ladder import Ladder, Place, changed
from qcode.protocol.events import (
    AnyEvent,
    BudgetReached,
    LoopSeen,
    MessageCompleted,
    QuestionAsked,
    TextDelta,
    ToolCallFinished,
    TurnFinished,
)
from qcode.protocol.inputs import Input, QuestionReply
from qcode.server.closing import CLOSING
from tests.engine.rig import YOLO, configured, rig, started
from tests.support.llama_words import About
from tests.support.script import Call, Pace, Reply
from tests.support.scripted_server import StartScripted

CONTINUES = About(kind="llamacpp", model="Qwen3.6-35B-A3B")
PACE = Pace(delta_seconds=0.001, characters=24)
GOOD = "The file is read twice. The second reading is for nothing."
ROUND = "But wait, what about the cache? I should look at the cache first. "
REASONING = Reply(reasoning=f"{GOOD} {ROUND * 40}", end="hang", pace=PACE)
TEXT = Reply(text=f"{GOOD} {ROUND * 40}", end="hang", pace=PACE)
LINES = "        self.assertEqual(parse(text), [])\\n" * 300
ARGUMENTS = Reply(
    calls=(Call("write", f'{{"path": "a.py", "content": "{LINES}'),), end="hang", pace=PACE
)


def rungs(events: list[AnyEvent]) -> list[tuple[str, int]]:
    """Kind and rung of all loops that were seen."""
    return [(event.kind, event.rung) for event in events if isinstance(event, LoopSeen)]


async def test_a_loop_in_the_reasoning_is_cut_out_and_the_answer_goes_on(
    scripted: StartScripted, tmp_path: Path
) -> None:
    server = scripted(REASONING, Reply(text="Read it once."), about=CONTINUES)
    async with rig(configured(server.base_url), started(tmp_path)) as run:
        assert (await run.turn("why?")).reason == "end_turn"
    (seen,) = run.said(LoopSeen)
    assert (seen.kind, seen.rung) == ("reasoning", 1)
    assert "cache" in seen.detail
    assert seen.cost_tokens > 50
    closed = server.requests[1].messages[-1]["reasoning_content"]
    assert closed.startswith("The file is read twice.")
    assert closed.count("what about the cache") <= 1
    assert closed.endswith(CLOSING)
    assert [event.why for event in run.said(BudgetReached)] == ["loop"]
    assert run.said(MessageCompleted)[0].message.reasoning == closed


async def test_each_rung_is_climbed_once_and_then_the_turn_ends(
    scripted: StartScripted, tmp_path: Path
) -> None:
    server = scripted(REASONING, TEXT, TEXT, TEXT, TEXT, about=CONTINUES)
    async with rig(configured(server.base_url), started(tmp_path)) as run:
        end = await run.turn("why?")
    assert end.reason == "loop"
    assert "cache" in end.detail
    assert rungs(run.events) == [
        ("reasoning", 1), ("text", 2), ("text", 3), ("text", 4), ("text", 0),
    ]  # fmt: skip
    bodies = [request.body for request in server.requests]
    assert [body.get("presence_penalty", 0) for body in bodies[:4]] == [0.0, 0.0, 1.0, 1.5]
    assert all(body["repeat_last_n"] >= 2_048 for body in bodies[2:4])
    assert not any("dry" in name or "frequency" in name for body in bodies for name in body)
    thinks = [body["chat_template_kwargs"]["enable_thinking"] for body in bodies]
    assert thinks == [True, True, True, True, False]
    assert run.said(MessageCompleted) == []


async def test_where_thinking_has_no_switch_that_rung_is_left_out(
    scripted: StartScripted, tmp_path: Path
) -> None:
    server = scripted(TEXT, TEXT, TEXT, about=About(model="Qwen3.6-35B-A3B"))
    async with rig(configured(server.base_url), started(tmp_path)) as run:
        assert (await run.turn("why?")).reason == "loop"
    assert rungs(run.events) == [("text", 2), ("text", 3), ("text", 0)]


async def test_a_penalty_holds_for_its_step_alone(scripted: StartScripted, tmp_path: Path) -> None:
    call = Call("shell", {"command": "true"})
    server = scripted(TEXT, Reply(calls=(call,)), Reply(text="Done."), about=CONTINUES)
    async with rig(configured(server.base_url, permission=YOLO), started(tmp_path)) as run:
        assert (await run.turn("go")).reason == "end_turn"
    assert [r.body["presence_penalty"] for r in server.requests] == [0.0, 1.0, 0.0]
    first, again, after = (request.messages for request in server.requests)
    assert again == first
    assert after[: len(first)] == first
    words = "".join(event.text for event in run.said(TextDelta))
    assert "cache" in words  # shown as it came, and never stored
    assert all("cache" not in event.message.text for event in run.said(MessageCompleted))


async def test_a_loop_in_the_arguments_of_a_call_runs_nothing(
    scripted: StartScripted, tmp_path: Path
) -> None:
    server = scripted(ARGUMENTS, Reply(text="No."), about=CONTINUES)
    async with rig(configured(server.base_url, permission=YOLO), started(tmp_path)) as run:
        assert (await run.turn("go")).reason == "end_turn"
    assert rungs(run.events) == [("arguments", 2)]
    assert list(tmp_path.iterdir()) == []


async def test_without_the_breaker_a_model_may_repeat_itself(
    scripted: StartScripted, tmp_path: Path
) -> None:
    chant = Reply(text=ROUND * 40)
    server = scripted(chant, about=CONTINUES)
    config = configured(server.base_url, agent={"loops": "off"})
    async with rig(config, started(tmp_path)) as run:
        assert (await run.turn("sing")).reason == "end_turn"
    assert run.said(LoopSeen) == []


@pytest.mark.parametrize(
    ("answer", "reason", "requests"), [("go on", "end_turn", 5), ("stop", "loop", 4)]
)
async def test_a_person_says_whether_it_goes_on(
    answer: str, reason: str, requests: int, scripted: StartScripted, tmp_path: Path
) -> None:
    def on(event: AnyEvent) -> Input | None:
        if isinstance(event, QuestionAsked):
            assert event.choices == ("go on", "stop")
            return QuestionReply(event.request_id, answer)
        return None

    replies = [TEXT] * 4 + [Reply(text="Here.")] * (requests - 4)
    server = scripted(*replies, about=CONTINUES)
    async with rig(configured(server.base_url), started(tmp_path, person="present")) as run:
        end = await run.turn("go", on)
    assert end.reason == reason
    assert len(server.requests) == requests


def reading(path: str = "a.txt") -> Reply:
    """An answer that reads a file."""
    return Reply(calls=(Call("read", {"path": path}),))


async def test_the_same_reading_of_the_same_file_is_a_note_then_a_loop(
    scripted: StartScripted, tmp_path: Path
) -> None:
    (tmp_path / "a.txt").write_text("needle\n")
    server = scripted(*[reading()] * 6, about=CONTINUES)
    async with rig(configured(server.base_url), started(tmp_path)) as run:
        end = await run.turn("look")
    assert end.reason == "loop"
    results = [event.message.text for event in run.said(ToolCallFinished)]
    assert "needle" in results[0]
    assert all("needle" not in text for text in results[1:])
    assert results[1].startswith("[same result as before")
    assert "4 times" in results[3]
    assert rungs(run.events) == [("calls", 1), ("calls", 4), ("calls", 0)]
    thinks = [r.body["chat_template_kwargs"]["enable_thinking"] for r in server.requests]
    assert thinks == [True] * 5 + [False]


async def test_a_file_that_was_changed_in_between_is_read_anew(
    scripted: StartScripted, tmp_path: Path
) -> None:
    (tmp_path / "a.txt").write_text("needle 0\n")

    def change(number: int) -> Reply:
        old, new = f"needle {number}", f"needle {number + 1}"
        call = Call("edit", {"path": "a.txt", "old_string": old, "new_string": new})
        return Reply(calls=(call,))

    replies = [one for number in range(6) for one in (reading(), change(number))]
    server = scripted(*replies, Reply(text="Done."), about=CONTINUES)
    async with rig(configured(server.base_url, permission=YOLO), started(tmp_path)) as run:
        assert (await run.turn("count")).reason == "end_turn"
    results = [event.message.text for event in run.said(ToolCallFinished)]
    assert all("needle" in text for text in results[::2])
    assert run.said(LoopSeen) == []


async def test_a_failing_command_is_shown_whole_each_time(
    scripted: StartScripted, tmp_path: Path
) -> None:
    call = Reply(calls=(Call("shell", {"command": "ls missing"}),))
    server = scripted(call, call, Reply(text="It is missing."), about=CONTINUES)
    async with rig(configured(server.base_url, permission=YOLO), started(tmp_path)) as run:
        await run.turn("go")
    results = [event.message.text for event in run.said(ToolCallFinished)]
    assert "missing" in results[1]
    assert "same result" not in results[1]


async def test_in_the_next_turn_a_file_may_be_read_again(
    scripted: StartScripted, tmp_path: Path
) -> None:
    (tmp_path / "a.txt").write_text("needle\n")
    server = scripted(reading(), Reply(text="It is there."), reading(), Reply(text="Still."))
    async with rig(configured(server.base_url), started(tmp_path)) as run:
        await run.turn("look")
        await run.turn("look again")
    assert all("needle" in event.message.text for event in run.said(ToolCallFinished))


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        (Place(can_tell=True, penalty=0.0, thinks=True), [1, 2, 3, 4, 0, 0]),
        (Place(can_tell=False, penalty=0.0, thinks=True), [2, 3, 4, 0]),
        (Place(can_tell=True, penalty=None, thinks=True), [1, 4, 0]),
        (Place(can_tell=False, penalty=1.0, thinks=False), [3, 0]),
        (Place(can_tell=False, penalty=1.5, thinks=False), [0]),
    ],
)
def test_a_rung_that_cannot_help_is_left_out(place: Place, expected: list[int]) -> None:
    ladder = Ladder()
    assert [ladder.climb(place) for _ in expected] == expected
    ladder.start_over()
    assert ladder.climb(place) == expected[0]


def test_a_penalty_leaves_the_closed_reasoning_where_it_is() -> None:
    tweak = changed(Tweak(closed="So."), 2)
    assert (tweak.closed, tweak.presence_penalty) == ("So.", 1.0)
    assert changed(tweak, 4) == Tweak(thinking_budget=0)


async def test_a_loop_that_is_left_ends_with_a_sentence(
    scripted: StartScripted, tmp_path: Path
) -> None:
    server = scripted(*[TEXT] * 4, about=CONTINUES)
    async with rig(configured(server.base_url), started(tmp_path)) as run:
        end = await run.turn("go")
    assert end == TurnFinished("loop", end.detail)
    assert end.detail.startswith("The model repeats itself, whatever is tried: ")
