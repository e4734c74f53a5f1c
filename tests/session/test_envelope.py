"""Lines of the log: what is written comes back, and what is not understood is kept."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given

from qcode.protocol.events import (
    FLEETING,
    AnyEvent,
    ApprovalRequested,
    LoggedEvent,
    Renamed,
    ToolCallFinished,
    TurnStarted,
)
from qcode.protocol.messages import user
from qcode.session.envelope import Format, NewerVersion, UnknownEvent, decode, encode
from qcode.session.reading import read
from tests.session.histories import histories

AT = datetime(2026, 11, 21, 9, 0, 0, 123456, UTC)
GOLDEN = Path(__file__).parent / "golden"


@given(histories())
def test_decoding_gives_back_the_event_that_was_encoded(events: list[LoggedEvent]) -> None:
    for n, event in enumerate(events, 1):
        entry = decode(encode(event, n, AT))
        assert (entry.n, entry.event, entry.at) == (n, event, "2026-11-21T09:00:00.123Z")


def test_a_line_has_the_envelope_and_the_fields_side_by_side() -> None:
    assert encode(Renamed("bug 7"), 17, AT) == (
        b'{"v":1,"n":17,"at":"2026-11-21T09:00:00.123Z","type":"Renamed","name":"bug 7"}\n'
    )


def test_no_event_has_a_field_that_the_envelope_needs() -> None:
    for event in get_args(AnyEvent):
        assert not {"v", "n", "at", "type"} & set(event.__struct_fields__), event


def test_every_event_is_either_logged_or_fleeting() -> None:
    assert set(get_args(AnyEvent)) == set(get_args(LoggedEvent)) | set(FLEETING)


def test_a_lone_surrogate_is_replaced_and_the_rest_kept() -> None:
    entry = decode(encode(TurnStarted(1, user("a\udc80b")), 1, AT))
    assert entry.event == TurnStarted(1, user("a\ufffdb"))


def test_an_unknown_event_is_kept_byte_for_byte() -> None:
    line = b'{"v":1,"n":3,"at":"x","type":"Dreamt","of":["sheep"]}\n'
    assert decode(line).event == UnknownEvent("Dreamt", line)


def test_a_known_event_with_a_part_from_the_future_is_kept_and_says_why() -> None:
    line = b'{"v":1,"n":3,"at":"x","type":"TurnFinished","reason":"bored"}\n'
    event = decode(line).event
    assert isinstance(event, UnknownEvent)
    assert event.raw == line
    assert "bored" in event.because


def test_an_extra_field_of_a_later_qcode_does_not_matter() -> None:
    line = b'{"v":1,"n":3,"at":"x","type":"Renamed","name":"a","colour":"red"}\n'
    assert decode(line).event == Renamed("a")


def test_what_a_line_of_an_earlier_qcode_lacks_has_its_default() -> None:
    line = (
        b'{"v":1,"n":12,"at":"x","type":"ApprovalRequested","request_id":"r1","call":'
        b'{"type":"tool_call","id":"c1","name":"edit","arguments":"{}"},'
        b'"accesses":[{"kind":"edit","target":"a.py"}],"because":"ask mode asks before edits"}\n'
    )
    event = decode(line).event
    assert isinstance(event, ApprovalRequested)
    assert (event.blocks, event.rules, event.folder, event.behind) == ((), (), "", ())


def test_a_result_of_an_earlier_qcode_tells_of_no_decision() -> None:
    line = (
        b'{"v":1,"n":12,"at":"x","type":"ToolCallFinished","message":{"type":"tool",'
        b'"call_id":"c1","name":"edit","text":"ok","status":"ok"},"edited":["a.py"]}\n'
    )
    event = decode(line).event
    assert isinstance(event, ToolCallFinished)
    assert event.decided == ()


def test_a_newer_version_is_not_guessed_at() -> None:
    with pytest.raises(NewerVersion):
        decode(b'{"v":2,"n":1,"at":"x","type":"Renamed","name":"a"}')


def test_an_older_version_is_led_step_by_step_to_the_present_one() -> None:
    def to_2(line: dict[str, Any]) -> dict[str, Any]:
        return {**line, "name": line["name"] + " b"}

    def to_3(line: dict[str, Any]) -> dict[str, Any]:
        return {**line, "name": line["name"] + " c", "was": line["v"]}

    later = Format(3, {1: to_2, 2: to_3})
    assert decode(encode(Renamed("a"), 5, AT), 0, later).event == Renamed("a b c")


def test_a_version_without_a_way_to_the_present_one_is_unreadable() -> None:
    with pytest.raises(ValueError, match="no way"):
        decode(b'{"v":0,"n":1,"at":"x","type":"Renamed","name":"a"}')


def test_the_golden_log_of_version_1_still_reads_as_it_did() -> None:
    opened = read(GOLDEN / "v1.jsonl")
    assert opened.loss == ""
    seen = [{"n": entry.n, "at": entry.at, "event": entry.event} for entry in opened.entries]
    now = msgspec.json.format(msgspec.json.encode(seen), indent=1) + b"\n"
    assert now == (GOLDEN / "v1.events.json").read_bytes()


def test_the_golden_log_of_version_1_has_every_event() -> None:
    kinds = {type(event) for event in read(GOLDEN / "v1.jsonl").events}
    assert kinds == set(get_args(LoggedEvent))


def test_what_is_written_today_is_what_the_golden_log_has() -> None:
    lines = (GOLDEN / "v1.jsonl").read_bytes().splitlines(keepends=True)
    for line, entry in zip(lines, read(GOLDEN / "v1.jsonl").entries, strict=True):
        assert not isinstance(entry.event, UnknownEvent)
        assert encode(entry.event, entry.n, datetime.fromisoformat(entry.at)) == line
