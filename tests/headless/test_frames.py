"""What events leave as: the objects of stream-json."""

import itertools
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from qcode.headless.frames import Frames
from qcode.headless.opening import Opening, Shape
from qcode.protocol.events import (
    AnyEvent,
    Compacted,
    LoopSeen,
    MessageCompleted,
    ModeChanged,
    PromptProgress,
    ReasoningDelta,
    Repaired,
    Retried,
    SessionStarted,
    StepStarted,
    TextDelta,
    ToolCallDelta,
    ToolCallFinished,
    TurnStarted,
    Usage,
)
from qcode.protocol.messages import (
    AssistantMessage,
    Reasoning,
    Text,
    ToolCall,
    ToolMessage,
    user,
)

OPENING = Opening("s-1", "/w", ("read", "shell"), "default")
PARTIAL = Shape("shown", "left out")
READ = ToolCall("c1", "read", '{"path":"a.py"}')
ANSWER = AssistantMessage((Reasoning("hm"), Text("Looking."), READ), "tool_calls")
STORY: tuple[AnyEvent, ...] = (
    SessionStarted("s-1", "0.1.0", "/w", "tiny", "llamacpp b1", "system", (), "ask", None, 4096),
    TurnStarted(1, user("do it")),
    StepStarted(1, 1),
    PromptProgress(100, 90, 95, 0.1),
    ReasoningDelta("h"),
    ReasoningDelta("m"),
    TextDelta("Looking."),
    ToolCallDelta(0, "read", 15, READ.arguments),
    Usage(100, 90, 7, 2610.4, 98.7, 0.31, 0),
    MessageCompleted(ANSWER, 100, 0.5),
    ToolCallFinished(ToolMessage("c1", "read", "x = 1"), (), 0.01, ()),
    Repaired("a comma", "c1", "arguments"),
    LoopSeen("text", "again and again"),
    Compacted(user("summary", "summary"), 2, 900, 300),
    ModeChanged("edit"),
)
GOLDEN = Path(__file__).with_name("golden") / "stream.jsonl"


def framed(events: Sequence[AnyEvent], shape: Shape = Shape()) -> list[dict[str, Any]]:  # noqa: B008 - frozen
    ids = (f"u{number}" for number in itertools.count(1))
    frames = Frames(OPENING, shape, lambda: next(ids))
    return [frames.init(), *(one for event in events for one in frames.take(event))]


def kinds(found: Sequence[dict[str, Any]]) -> list[str]:
    return [f"{one['type']}/{one['subtype']}" if "subtype" in one else one["type"] for one in found]


def test_the_wire_is_what_the_golden_file_says() -> None:
    found = framed(STORY, PARTIAL)
    found[0]["qcode"].pop("version")
    wanted = [json.loads(line) for line in GOLDEN.read_text().splitlines()]
    assert [json.loads(msgspec.json.encode(one)) for one in found] == wanted


def test_every_object_has_its_session_and_an_id_of_its_own() -> None:
    found = framed(STORY, PARTIAL)
    assert {one["session_id"] for one in found} == {"s-1"}
    assert len({one["uuid"] for one in found}) == len(found)


def test_without_the_flag_there_are_no_deltas() -> None:
    assert kinds(framed(STORY[:11])) == [
        *("system/init", "system/qcode_server", "assistant", "user"),
    ]


def test_the_deltas_join_to_the_message() -> None:
    events = [one["event"] for one in framed(STORY, PARTIAL) if one["type"] == "stream_event"]
    assert [one["type"] for one in events] == [
        *("message_start", "content_block_start", "content_block_delta", "content_block_delta"),
        *("content_block_stop", "content_block_start", "content_block_delta"),
        *("content_block_stop", "content_block_start", "content_block_delta"),
        *("content_block_stop", "message_delta", "message_stop"),
    ]
    deltas = [one["delta"] for one in events if one["type"] == "content_block_delta"]
    assert "".join(one.get("thinking", "") for one in deltas) == "hm"
    assert "".join(one.get("text", "") for one in deltas) == "Looking."
    (call,) = (one["partial_json"] for one in deltas if "partial_json" in one)
    assert json.loads(call) == {"file_path": "/w/a.py"}


def test_an_answer_that_is_asked_for_again_begins_again() -> None:
    events: list[AnyEvent] = [StepStarted(1, 1), TextDelta("a"), Retried(1, "reset", 0.1)]
    events += [TextDelta("b"), MessageCompleted(AssistantMessage((Text("b"),)), 1, 0.1)]
    found = [one["event"]["type"] for one in framed(events, PARTIAL) if "event" in one]
    assert found.count("message_start") == 2
    assert found.count("message_stop") == 1


def test_own_messages_come_back_when_asked_for() -> None:
    (found,) = framed([TurnStarted(1, user("do it"))], Shape(replay="shown"))[1:]
    assert found["message"] == {"role": "user", "content": [{"type": "text", "text": "do it"}]}
    assert found["isReplay"] is True
    assert framed([TurnStarted(1, user("do it"))])[1:] == []
