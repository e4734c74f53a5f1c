"""Exports: the whole conversation, safe to show."""

import re

import msgspec
from hypothesis import given

from qcode.protocol.events import Compacted, Elided, LoggedEvent, Rewound, TurnStarted
from qcode.protocol.messages import Image, Text, UserMessage, user
from qcode.session.conversation import fold
from qcode.session.export import as_json, as_markdown, fenced, uncompacted
from tests.session.histories import answer, histories, one_turn, result, started, words

CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def test_markdown_has_the_title_who_said_what_calls_and_results() -> None:
    text = as_markdown(fold([started(), *one_turn(1, "Mend the sum.", "It is mended.")]))
    order = ["# Mend the sum.", "- Folder: /project", "- Changed files: a.py", "## You"]
    order += ["Mend the sum.", "## Model", "Hm.", "### Call of shell", '{"command":"pytest -q"}']
    order += ["### Result of shell", "1 passed", "It is mended."]
    place = 0
    for piece in order:
        place = text.index(piece, place)


def test_a_failed_call_says_so() -> None:
    events: list[LoggedEvent] = [
        TurnStarted(1, user("go")),
        answer("a"),
        result("a", "No.", "denied"),
    ]
    assert "### Result of shell (denied)" in as_markdown(fold(events))


def test_images_are_mentioned() -> None:
    message = UserMessage((Text("Look."), Image("image/png", "AAAA")))
    assert "(1 image)" in as_markdown(fold([TurnStarted(1, message)]))


@given(words)
def test_a_fence_is_longer_than_any_in_the_text(text: str) -> None:
    block = fenced(f"{text}\n````\n``\n").split("\n")
    assert block[0] == block[-1]
    assert all(block[0] not in line for line in block[1:-1])


@given(histories())
def test_no_control_character_gets_into_an_export(events: list[LoggedEvent]) -> None:
    nasty = TurnStarted(99, user("\x1b]52;c;aGk=\x07\x1b[2Jhello\x9b31m\x00"))
    conversation = fold([*events, nasty, answer("x", text="\x1b[8mhidden"), result("x", "\x07")])
    assert not CONTROL.search(as_markdown(conversation))
    said = msgspec.json.decode(as_json(conversation))["messages"]
    assert not any(CONTROL.search(part["text"]) for part in said[-3]["parts"])
    assert said[-1]["text"] == ""


@given(histories())
def test_json_holds_every_message(events: list[LoggedEvent]) -> None:
    conversation = fold(events)
    whole = msgspec.json.decode(as_json(conversation))
    assert [message["type"] for message in whole["messages"]] == [
        message.__struct_config__.tag for message in conversation.messages
    ]
    assert whole["session_id"] == conversation.session_id


def test_the_fields_of_the_json_export_are_a_promise() -> None:
    whole = msgspec.json.decode(as_json(fold([started(), *one_turn()])))
    assert list(whole) == [
        "format",
        "session_id",
        "parent",
        "title",
        "name",
        "folder",
        "model",
        "server",
        "turns",
        "generated_tokens",
        "edited",
        "system",
        "tools",
        "messages",
    ]
    assert whole["format"] == 1


def test_compacted_messages_are_exported_and_rewound_ones_are_not() -> None:
    short = Compacted(user("Short.", "summary"), 0, 900, 90)
    cut = Elided(4, 0, 900, 400)
    first = [started(), *one_turn(1, "First."), cut, short]
    text = as_markdown(uncompacted([*first, *one_turn(2, "Second."), Rewound(2)]))
    assert "First." in text
    assert "1 passed" in text
    assert "Hm." in text
    assert "Short." not in text
    assert "Second." not in text
