"""What the playback says: answers written by hand for the demo's one bug, and where each belongs.

A script looks at the whole conversation that it is sent, as a model does: it keeps no state, so a
request that is sent again gets the same answer.
"""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from qcode.demo import project

MODEL = "playback (a script, no model)"


class OffScript(Exception):
    """The conversation is not the one that the script was written for; the text says why."""


class Call(msgspec.Struct, frozen=True):
    """One tool call."""

    id: str
    """Its own in the whole script."""
    tool: str
    arguments: Mapping[str, str]


class Answer(msgspec.Struct, frozen=True):
    """One answer: what is thought, what is said, and the calls."""

    reasoning: str
    text: str
    calls: tuple[Call, ...] = ()


@dataclass(frozen=True, slots=True)
class Script:
    """Answers in their order, and two endings."""

    prompt: str
    """The script answers this prompt and no other."""
    steps: tuple[Answer, ...]
    """Each has at least one call; the last runs the tests."""
    green: Answer
    """The end when the last result holds `proof`."""
    red: Answer
    """The end when it does not: a script has no second idea."""
    proof: str = "OK"
    tools: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        names = frozenset(call.tool for step in self.steps for call in step.calls)
        object.__setattr__(self, "tools", names)  # the way to derive a field of a frozen class

    def reply(self, request: Mapping[str, Any]) -> Answer:
        """The answer that belongs here, found by counting tool results. Raises OffScript."""
        messages = _messages(request)
        self._check(messages, _tool_names(request))
        results = [_text(message) for message in messages if message.get("role") == "tool"]
        due = 0
        for step in self.steps:
            if len(results) == due:
                return step
            due += len(step.calls)
        if len(results) == due:
            green = bool(results) and any(row.strip() == self.proof for row in _rows(results[-1]))
            return self.green if green else self.red
        raise OffScript(f"it has no line after {len(results)} tool results")

    def _check(self, messages: Sequence[Mapping[str, Any]], offered: frozenset[str]) -> None:
        asked = [_text(message) for message in messages if message.get("role") == "user"]
        if not any(self.prompt in text for text in asked[-1:]):
            raise OffScript("it answers the demo's own prompt and nothing else")
        if missing := self.tools - offered:
            raise OffScript(f"it calls tools that were not offered: {', '.join(sorted(missing))}")


def _messages(request: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    messages = request.get("messages")
    if not isinstance(messages, list) or not all(isinstance(entry, dict) for entry in messages):
        raise OffScript("the request has no list of messages")
    return messages


def _tool_names(request: Mapping[str, Any]) -> frozenset[str]:
    tools = request.get("tools") or []
    functions = [entry.get("function") for entry in tools if isinstance(entry, dict)]
    return frozenset(str(each.get("name")) for each in functions if isinstance(each, dict))


def _text(message: Mapping[str, Any]) -> str:
    """Content is a string or a list of parts."""
    content = message.get("content")
    if isinstance(content, list):
        return "".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return str(content or "")


def _rows(text: str) -> list[str]:
    return text.splitlines()


BEFORE = "return self.arrival <= other.departure and other.arrival <= self.departure"
AFTER = "return self.arrival < other.departure and other.arrival < self.departure"


def bug_fix() -> Script:
    """The script of the demo: look, find, change one line, run the tests."""
    return Script(
        prompt=project.prompt(),
        steps=(_look(), _find(), _change(), _try(shlex.join(project.command()))),
        green=_GREEN,
        red=_RED,
    )


def _look() -> Answer:
    return Answer(
        "One test fails, and nobody says which. Rooms are what the project is about, so I read "
        "their test, and look at the same time for the code that compares two stays.",
        "I'll read the test of the rooms and look for what decides that a room is taken.",
        (
            Call("call_1", "read", {"path": "tests/test_rooms.py"}),
            Call("call_2", "grep", {"pattern": "overlaps"}),
        ),
    )


def _find() -> Answer:
    return Answer(
        "The test wants a room to be free again on the day of departure. Room.is_free only asks "
        "Stay.overlaps, so the answer is in hotel/stay.py.",
        "",
        (Call("call_3", "read", {"path": "hotel/stay.py"}),),
    )


def _change() -> Answer:
    return Answer(
        "overlaps says: a bed in the same night. But it compares with <=, so a stay that begins "
        "on the day another ends counts as a clash, though no night is shared. Both comparisons "
        "must be strict.",
        "`Stay.overlaps` counts the day of departure as a night. I make both comparisons strict.",
        (
            Call(
                "call_4",
                "edit",
                {"path": "hotel/stay.py", "old_string": BEFORE, "new_string": AFTER},
            ),
        ),
    )


def _try(tests: str) -> Answer:
    return Answer("Now the tests, all of them.", "", (Call("call_5", "shell", {"command": tests}),))


_GREEN = Answer(
    "All green. One line changed, no test touched.",
    "The tests pass now. `Stay.overlaps` (hotel/stay.py) compared with `<=`, so a guest who "
    "arrives on the day another leaves was refused, though they share no night. Both comparisons "
    "are strict now; `Room.is_free` and the tests are as they were.",
)

_RED = Answer(
    "The last result shows no OK.",
    "The last run of the tests is not green, and this script knows no other way.",
)
