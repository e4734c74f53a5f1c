"""What is done about an answer that ended and is of no use: empty, cut in its thinking, or with a
call that did not come. Pure; each remedy is tried a few times a step, the cheapest first.
"""

from collections import Counter
from typing import Literal

import msgspec

from qcode.engine.history import Tweak
from qcode.protocol.events import RepairKind, TurnEnd, TurnFinished
from qcode.server.base import Answer

Fault = Literal["", "empty", "unfinished", "half_call", "lost_call"]

SAME_TRIES = 2
"""So many times an empty answer is asked for again as before, ahead of turning thinking off."""

KIND: dict[Fault, RepairKind] = {
    "empty": "empty",
    "unfinished": "empty",
    "half_call": "half_call",
    "lost_call": "lost_call",
}
WORDS: dict[Fault, str] = {
    "empty": "the model ended without words or calls",
    "unfinished": "the token limit fell into the thinking",
    "half_call": "a call was not written to its end",
    "lost_call": "a call was announced and did not come",
}
END: dict[Fault, TurnEnd] = {"unfinished": "max_tokens"}


class GoOn(msgspec.Struct, frozen=True):
    """The reasoning is closed where `thought` ends, and the answer goes on behind it."""

    thought: str


class Again(msgspec.Struct, frozen=True):
    """What came is void, and asked for again in this way."""

    tweak: Tweak


Move = GoOn | Again | TurnFinished | None
"""What comes next; None = the answer is taken as it is."""


class Setting(msgspec.Struct, frozen=True):
    """How the answer was asked for."""

    tweak: Tweak
    continues: bool
    """The server can go on behind closed reasoning."""
    thinks: bool
    """Thinking was on."""
    varies: bool
    """The same request may get another answer: the temperature is not 0."""


class Remedies:
    """What was tried for the answers of one step."""

    def __init__(self) -> None:
        self._tried: Counter[Fault] = Counter()

    @property
    def tries(self) -> int:
        """All of them."""
        return self._tried.total()

    def next(self, fault: Fault, answer: Answer, setting: Setting) -> Move:
        """The next remedy for an answer with this fault."""
        tried = self._tried[fault]
        self._tried[fault] += 1
        has_words = bool(answer.message.text.strip() or answer.message.calls)
        match fault:
            case "unfinished":
                done = tried or setting.tweak.closed
                return _end(fault) if done else GoOn(answer.message.reasoning)
            case "half_call" | "lost_call" if not tried:
                return Again(setting.tweak)
            case "lost_call" if setting.thinks:
                return _without_thinking()
            case "half_call" | "lost_call" if has_words:
                return None
        return _empty(tried, answer, setting)


def fault(answer: Answer, *, acts: bool) -> Fault:
    """What is wrong with an answer that ended. `acts`: it got past its thinking, though what it
    wrote there may have been cut off."""
    message = answer.message
    has_words = bool(message.text.strip() or message.calls)
    if message.finish == "length" and (has_words or acts or answer.flaw):
        return ""  # cut off: what there is of it is kept, and the model is told
    if message.calls:
        return ""  # the whole ones run
    if answer.flaw or has_words:
        return answer.flaw
    return "unfinished" if message.finish == "length" and message.reasoning else "empty"


def _empty(tried: int, answer: Answer, setting: Setting) -> Move:
    if setting.continues and answer.message.reasoning and not setting.tweak.closed:
        return GoOn(answer.message.reasoning)
    if tried < SAME_TRIES and setting.varies and not setting.tweak.closed:
        return Again(setting.tweak)
    return _without_thinking() if setting.thinks else _end("empty")


def _without_thinking() -> Again:
    return Again(Tweak(thinking_budget=0))


def _end(fault: Fault) -> TurnFinished:
    return TurnFinished(
        END.get(fault, "empty"), f"{WORDS[fault].capitalize()}, also when asked again."
    )


def did(move: Move) -> str:
    """What was done, for people."""
    match move:
        case GoOn():
            return "its reasoning is closed, and it goes on from there"
        case Again(tweak):
            return "asked again" + (" with thinking off" if tweak.thinking_budget == 0 else "")
    return "its words are kept"
