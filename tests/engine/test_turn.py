"""A turn over a real HTTP server: what is asked, what is run, how it ends."""

import asyncio
from itertools import pairwise
from pathlib import Path

import pytest

from qcode.engine.limits import Limits, at_limit
from qcode.protocol.events import (
    AnyEvent,
    MessageCompleted,
    ReasoningDelta,
    Repaired,
    Retried,
    Steered,
    TextDelta,
    ToolCallFinished,
    ToolCallStarted,
    TurnFinished,
    Verified,
)
from qcode.protocol.inputs import Cancel, Input, Steer
from qcode.protocol.messages import AssistantMessage, ToolMessage
from qcode.session.conversation import fold
from qcode.session.store import Store
from tests.engine.rig import YOLO, configured, rig, started
from tests.support.script import Call, Pace, Reply, Usage
from tests.support.scripted_server import StartScripted


def shell(command: str, id: str = "") -> Call:
    """A call of the shell tool."""
    return Call("shell", {"command": command}, id)


async def test_a_turn_ends_when_no_more_tools_are_called(
    scripted: StartScripted, tmp_path: Path
) -> None:
    (tmp_path / "a.txt").write_text("needle\n")
    server = scripted(
        Reply(reasoning="Look.", calls=(Call("read", {"path": "a.txt"}),)), Reply(text="Found.")
    )
    async with rig(configured(server.base_url), started(tmp_path)) as run:
        end = await run.turn("what is in a.txt?")
    assert end == TurnFinished("end_turn")
    assert "needle" in server.requests[1].messages[-1]["content"]
    assert [type(m.message) for m in run.said(MessageCompleted)] == [AssistantMessage] * 2


async def test_no_request_is_sent_beside_those_of_the_steps(
    scripted: StartScripted, tmp_path: Path
) -> None:
    server = scripted(Reply(calls=(shell("true"),)), Reply(text="Done."), Reply(text="Yes."))
    async with rig(configured(server.base_url, permission=YOLO), started(tmp_path)) as run:
        await run.turn("go")
        await run.turn("sure?")
    assert len(server.requests) == 3
    assert all(other.method == "GET" for other in server.others)  # reads and generates nothing


async def test_each_request_begins_with_the_one_before(
    scripted: StartScripted, tmp_path: Path
) -> None:
    server = scripted(
        *(Reply(reasoning=f"r{n}", calls=(shell(f"echo {n}"),)) for n in range(5)),
        Reply(text="Done."),
    )
    async with rig(configured(server.base_url, permission=YOLO), started(tmp_path)) as run:
        await run.turn("go")
    bodies = [request.body for request in server.requests]
    for before, after in pairwise(bodies):
        assert after["messages"][: len(before["messages"])] == before["messages"]
        assert after["tools"] == before["tools"]


async def test_steering_comes_after_the_last_tool_result(
    scripted: StartScripted, tmp_path: Path
) -> None:
    def steer(event: AnyEvent) -> Input | None:
        return Steer("use tabs") if isinstance(event, ToolCallStarted) else None

    server = scripted(Reply(calls=(shell("sleep 0.2"), shell("true"))), Reply(text="Tabs."))
    async with rig(configured(server.base_url, permission=YOLO), started(tmp_path)) as run:
        await run.turn("go", steer)
    roles = [message["role"] for message in server.requests[1].messages]
    assert roles[-3:] == ["tool", "user", "user"]
    assert server.requests[1].messages[-1]["content"] == "use tabs"


async def test_steering_at_the_last_answer_is_still_answered(
    scripted: StartScripted, tmp_path: Path
) -> None:
    sent: list[AnyEvent] = []

    def steer(event: AnyEvent) -> Input | None:
        if isinstance(event, TextDelta) and not sent:
            sent.append(event)
            return Steer("and in French?")
        return None

    server = scripted(
        Reply(text="Hello there.", pace=Pace(delta_seconds=0.05, characters=3)),
        Reply(text="Bonjour."),
    )
    async with rig(configured(server.base_url), started(tmp_path)) as run:
        end = await run.turn("greet", steer)
    assert end.reason == "end_turn"
    assert len(run.said(Steered)) == 1
    assert server.requests[1].messages[-1]["content"] == "and in French?"


async def test_cancel_while_streaming_closes_the_connection_and_keeps_the_words(
    scripted: StartScripted, tmp_path: Path
) -> None:
    seen: list[AnyEvent] = []

    def cancel(event: AnyEvent) -> Input | None:
        seen.append(event)
        deltas = [one for one in seen if isinstance(one, TextDelta)]
        return Cancel() if len(deltas) == 3 else None

    server = scripted(
        Reply(text="one two three four five six", pace=Pace(delta_seconds=0.05, characters=4)),
        Reply(text="Going on."),
    )
    async with rig(configured(server.base_url), started(tmp_path)) as run:
        assert (await run.turn("count", cancel)).reason == "cancelled"
        await asyncio.to_thread(
            server.wait_for, lambda s: s.requests[0].closed_early is not None, 2.0
        )
        assert (await run.turn("go on")).reason == "end_turn"
    kept = server.requests[1].messages[2]
    assert kept["role"] == "assistant"
    assert kept["content"].startswith("one two")
    assert "six" not in kept["content"]


async def test_cancel_while_thinking_keeps_the_thoughts(
    scripted: StartScripted, tmp_path: Path
) -> None:
    def cancel(event: AnyEvent) -> Input | None:
        return Cancel() if isinstance(event, ReasoningDelta) and "b" in event.text else None

    server = scripted(
        Reply(reasoning="a b c d e f", text="x", pace=Pace(delta_seconds=0.05, characters=2)),
        Reply(text="Fine."),
    )
    async with rig(configured(server.base_url), started(tmp_path)) as run:
        assert (await run.turn("think", cancel)).reason == "cancelled"
        await run.turn("go on")
    assert server.requests[1].messages[2]["reasoning_content"].startswith("a b")


async def test_cancel_while_a_tool_runs_gives_every_call_a_result(
    scripted: StartScripted, tmp_path: Path
) -> None:
    def cancel(event: AnyEvent) -> Input | None:
        return Cancel() if isinstance(event, ToolCallStarted) else None

    server = scripted(
        Reply(calls=(shell("sleep 30; touch late", "a"), shell("touch never", "b"))),
        Reply(text="I see."),
    )
    async with rig(configured(server.base_url, permission=YOLO), started(tmp_path)) as run:
        assert (await run.turn("go", cancel)).reason == "cancelled"
        await run.turn("what happened?")
    results = [m for m in server.requests[1].messages if m["role"] == "tool"]
    assert [result["tool_call_id"] for result in results] == ["a", "b"]
    assert "ancelled" in results[0]["content"]
    assert "Not run" in results[1]["content"]
    assert list(tmp_path.iterdir()) == []


async def test_what_was_said_is_what_the_log_tells(scripted: StartScripted, tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    store = Store(tmp_path / "sessions")
    log = store.create(work)
    server = scripted(
        Reply(reasoning="r", text="t", calls=(shell("echo 1"), shell("exit 3"))), Reply(text="ok")
    )
    config = configured(server.base_url, permission=YOLO)
    async with rig(config, started(work, log=log)) as run:
        await run.turn("go")
        live = run.engine.stream.conversation
    told = fold(store.open(log.session_id).events)
    assert told.messages == live.messages
    assert told == live


@pytest.mark.parametrize(
    ("most", "words"), [(1, "1 step was"), (2, "2 steps was"), (1_200, "1,200 steps was")]
)
def test_a_limit_is_told_in_its_number(most: int, words: str) -> None:
    assert at_limit(most, "step") == f"The limit of {words} reached."


@pytest.mark.parametrize(
    ("limits", "reason", "requests"),
    [
        (Limits(max_steps=2), "max_steps", 2),
        (Limits(max_tool_calls=3), "max_tool_calls", 2),
        (Limits(max_tokens=2_000), "max_tokens", 2),
    ],
)
async def test_limits_end_the_turn_with_their_reason(
    scripted: StartScripted, tmp_path: Path, limits: Limits, reason: str, requests: int
) -> None:
    twice = Reply(calls=(shell("echo a"), shell("echo b")), usage=Usage(1_000, 10, 0))
    server = scripted(otherwise=lambda body: twice)
    config = configured(server.base_url, permission=YOLO)
    async with rig(config, started(tmp_path, limits=limits)) as run:
        end = await run.turn("go")
    assert end.reason == reason
    assert len(server.requests) == requests
    last = run.engine.stream.conversation
    assert last.dangling() == ()


async def test_wall_time_ends_a_turn_in_the_middle_of_an_answer(
    scripted: StartScripted, tmp_path: Path
) -> None:
    slow = Reply(text="a" * 200, pace=Pace(delta_seconds=0.1, characters=1))
    server = scripted(slow)
    limits = Limits(max_wall_seconds=0.5)
    async with rig(configured(server.base_url), started(tmp_path, limits=limits)) as run:
        end = await run.turn("go")
    assert end.reason == "max_wall_time"
    assert isinstance(run.engine.stream.conversation.messages[-1], AssistantMessage)


async def test_an_empty_answer_is_asked_for_again_and_never_stored(
    scripted: StartScripted, tmp_path: Path
) -> None:
    server = scripted(Reply(reasoning="hm"), Reply(reasoning="hm"), Reply(text="Here."))
    async with rig(configured(server.base_url), started(tmp_path)) as run:
        assert (await run.turn("go")).reason == "end_turn"
    assert len(run.said(Retried)) == 2
    assert [r.messages for r in server.requests] == [server.requests[0].messages] * 3


async def test_only_empty_answers_end_as_empty(scripted: StartScripted, tmp_path: Path) -> None:
    server = scripted(Reply(reasoning="hm"), Reply(), Reply(reasoning="hm"), Reply())
    async with rig(configured(server.base_url), started(tmp_path)) as run:
        end = await run.turn("go")
    assert end.reason == "empty"
    assert "without words" in end.detail
    assert run.said(MessageCompleted) == []


async def test_an_answer_cut_at_the_limit_is_gone_on_with(
    scripted: StartScripted, tmp_path: Path
) -> None:
    server = scripted(Reply(text="First half", finish="length"), Reply(text="second half."))
    async with rig(configured(server.base_url), started(tmp_path)) as run:
        assert (await run.turn("go")).reason == "end_turn"
    assert "cut off" in server.requests[1].messages[-1]["content"]


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (Call("shell", "{broken"), "not valid JSON"),
        (Call("shell", {}), "`command`"),
        (Call("shell", {"command": "true", "colour": "red"}), "`colour`"),
        (Call("teleport", {"to": "x"}), "no tool `teleport`"),
    ],
)
async def test_a_malformed_call_goes_back_with_what_was_expected(
    scripted: StartScripted, tmp_path: Path, call: Call, expected: str
) -> None:
    server = scripted(Reply(calls=(call,)), Reply(text="Sorry."))
    async with rig(configured(server.base_url, permission=YOLO), started(tmp_path)) as run:
        await run.turn("go")
    assert expected in server.requests[1].messages[-1]["content"]
    stored = server.requests[1].messages[-2]["tool_calls"][0]["function"]["arguments"]
    assert stored.startswith("{")
    assert stored.endswith("}")


async def test_valid_arguments_are_sent_back_byte_for_byte(
    scripted: StartScripted, tmp_path: Path
) -> None:
    written = '{ "cmd":"true" ,  "timeout_seconds": "5"}'  # odd blanks, an alias, a string number
    server = scripted(Reply(calls=(Call("Shell", written),)), Reply(text="ok"))
    async with rig(configured(server.base_url, permission=YOLO), started(tmp_path)) as run:
        await run.turn("go")
    function = server.requests[1].messages[-2]["tool_calls"][0]["function"]
    assert function == {"name": "Shell", "arguments": written}
    assert "exit 0" in server.requests[1].messages[-1]["content"]
    assert run.said(Repaired)


async def test_calls_without_or_with_the_same_id_each_have_their_result(
    scripted: StartScripted, tmp_path: Path
) -> None:
    server = scripted(
        Reply(calls=(shell("echo one", "x"), shell("echo two", "x"))), Reply(text="ok")
    )
    async with rig(configured(server.base_url, permission=YOLO), started(tmp_path)) as run:
        await run.turn("go")
    results = [m for m in server.requests[1].messages if m["role"] == "tool"]
    assert len({result["tool_call_id"] for result in results}) == 2
    assert "one" in results[0]["content"]
    assert "two" in results[1]["content"]


async def test_three_steps_of_denials_end_the_turn(scripted: StartScripted, tmp_path: Path) -> None:
    server = scripted(*(Reply(calls=(shell(f"rm {n}"),)) for n in range(3)))
    config = configured(server.base_url, permission={"mode": "ask"})
    async with rig(config, started(tmp_path)) as run:
        end = await run.turn("go")
    assert end.reason == "denied"
    told = run.said(ToolCallFinished)[0].message
    assert told.status == "denied"
    assert "--allowed-tools" in told.text


async def test_verify_runs_after_edits_and_its_failures_go_back(
    scripted: StartScripted, tmp_path: Path
) -> None:
    def write(text: str) -> Reply:
        call = Call("shell", {"command": f"echo {text} > out.txt"})
        edit = Call("write", {"path": f"{text}.txt", "content": f"{text}\n"})
        return Reply(calls=(call, edit))

    server = scripted(
        write("bad"), Reply(text="Done."), write("good"), Reply(text="Now it is done.")
    )
    config = configured(
        server.base_url, permission=YOLO, agent={"verify": "grep good out.txt", "verify_tries": 3}
    )
    async with rig(config, started(tmp_path)) as run:
        end = await run.turn("go")
    assert end.reason == "end_turn"
    assert [event.exit_code for event in run.said(Verified)] == [1, 0]
    assert "grep good out.txt" in server.requests[2].messages[-1]["content"]


async def test_verify_that_stays_red_is_no_success(scripted: StartScripted, tmp_path: Path) -> None:
    edit = Reply(calls=(Call("write", {"path": "a.txt", "content": "x\n"}),))
    server = scripted(edit, Reply(text="Done."), Reply(text="Cannot."))
    config = configured(
        server.base_url, permission=YOLO, agent={"verify": "exit 7", "verify_tries": 2}
    )
    async with rig(config, started(tmp_path)) as run:
        end = await run.turn("go")
    assert end.reason == "verify_failed"
    assert "exit 7" in end.detail


async def test_without_edits_nothing_is_verified(scripted: StartScripted, tmp_path: Path) -> None:
    server = scripted(Reply(text="Nothing to do."))
    config = configured(server.base_url, permission=YOLO, agent={"verify": "exit 7"})
    async with rig(config, started(tmp_path)) as run:
        assert (await run.turn("go")).reason == "end_turn"
    assert run.said(Verified) == []


async def test_a_tool_result_is_the_message_that_was_sent(
    scripted: StartScripted, tmp_path: Path
) -> None:
    server = scripted(Reply(calls=(shell("printf 'a\\033[31mb'"),)), Reply(text="ok"))
    async with rig(configured(server.base_url, permission=YOLO), started(tmp_path)) as run:
        await run.turn("go")
    sent = server.requests[1].messages[-1]["content"]
    assert isinstance(run.said(ToolCallFinished)[0].message, ToolMessage)
    assert sent == run.said(ToolCallFinished)[0].message.text
    assert "\x1b" not in sent


async def test_an_answer_cut_before_its_first_word_is_not_stored(
    scripted: StartScripted, tmp_path: Path
) -> None:
    """No template renders an answer without any part as it was generated."""
    server = scripted(Reply(finish="length"), Reply(text="ok"))
    async with rig(configured(server.base_url), started(tmp_path)) as run:
        assert (await run.turn("go")).reason == "end_turn"
    assert server.requests[1].messages == server.requests[0].messages


async def test_a_call_that_was_cut_off_beside_whole_ones_is_told(
    scripted: StartScripted, tmp_path: Path
) -> None:
    cut = Call("shell", '{"command": "touch b; touch c')
    server = scripted(Reply(calls=(shell("touch a"), cut), finish="length"), Reply(text="ok"))
    async with rig(configured(server.base_url, permission=YOLO), started(tmp_path)) as run:
        await run.turn("go")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert "cut off" in server.requests[1].messages[-1]["content"]


async def test_a_check_that_was_asked_for_runs_also_when_nothing_was_changed(
    scripted: StartScripted, tmp_path: Path
) -> None:
    server = scripted(Reply(text="All is well."), Reply(text="Still."))
    config = configured(
        server.base_url, permission=YOLO, agent={"verify": "exit 7", "verify_tries": 2}
    )
    async with rig(config, started(tmp_path, verify="always")) as run:
        end = await run.turn("make it pass")
    assert end.reason == "verify_failed"
    assert len(run.said(Verified)) == 2


async def test_an_answer_may_not_be_longer_than_the_tokens_that_are_left(
    scripted: StartScripted, tmp_path: Path
) -> None:
    server = scripted(
        Reply(calls=(shell("true"),), usage=Usage(1_000, 100, 400)),
        Reply(text="cut", finish="length", usage=Usage(1_200, 1_300, 1_100)),
    )
    limits = Limits(max_tokens=2_000)
    config = configured(server.base_url, permission=YOLO)
    async with rig(config, started(tmp_path, limits=limits)) as run:
        end = await run.turn("go")
    assert [request.body["max_tokens"] for request in server.requests] == [2_000, 1_300]
    assert end.reason == "max_tokens"


async def test_an_edit_of_a_cancelled_step_is_verified_in_the_next_turn(
    scripted: StartScripted, tmp_path: Path
) -> None:
    def cancel(event: AnyEvent) -> Input | None:
        running = isinstance(event, ToolCallStarted) and event.call.name == "shell"
        return Cancel() if running else None

    edit = Call("write", {"path": "a.txt", "content": "x\n"})
    server = scripted(Reply(calls=(edit, shell("sleep 30"))), Reply(text="Fine."))
    config = configured(server.base_url, permission=YOLO, agent={"verify": "test -e a.txt"})
    async with rig(config, started(tmp_path)) as run:
        assert (await run.turn("go", cancel)).reason == "cancelled"
        await run.turn("and now?")
    assert [event.exit_code for event in run.said(Verified)] == [0]


@pytest.mark.parametrize(
    ("call", "kinds"),
    [
        (Call("Shell", {"command": "true"}), ["name"]),
        (Call("shell", '{"command": "true",}'), ["arguments"]),
        (Call("Shell", '{"cmd": "true"}'), ["name", "arguments"]),
    ],
)
async def test_a_repair_says_of_what_kind_it_is(
    call: Call, kinds: list[str], scripted: StartScripted, tmp_path: Path
) -> None:
    server = scripted(Reply(calls=(call,)), Reply(text="ok"))
    async with rig(configured(server.base_url, permission=YOLO), started(tmp_path)) as run:
        await run.turn("go")
    assert [event.kind for event in run.said(Repaired)] == kinds
