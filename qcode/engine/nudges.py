"""What qcode says to the model on its own: facts, in a form that keeps the prompt as it was.

Wrapped as the template wraps a tool's result, so that it counts as no new question: a new one
would make some templates drop the reasoning before it, and the server read all that again. It
stays in the conversation; taking it out would cost the same reading.
"""

import msgspec

from qcode.engine.remedies import WORDS
from qcode.protocol.events import Repaired, Steered
from qcode.protocol.messages import user
from qcode.server.base import Answer

CUT_TRIES = 2
"""So often in a turn a nudge follows an answer that hit the token limit, or ended within a call."""

CUT = (
    "Your last answer was cut off at the token limit; a call that it ended in did not run. Go on "
    "from there. Write a long file in parts: write the first part, then edit to append."
)
HALF = (
    "A call in your last answer was not written to its end; it did not run. Make it once more, "
    "shorter, or do the work in several smaller calls."
)
IDLE = (
    "Tools run only when an answer holds the call. Your last answer held none, so nothing has run. "
    "Make the call now; or, where none is needed, give the answer itself, or say that the work is "
    "finished.",
    "Again no call came: what you announced has not happened. Your next answer either holds the "
    "call, or says in a sentence that the work is finished or what keeps you from it.",
)
ENOUGH = (
    "There has been enough thinking on this step; it stands above. Act on it now: make the next "
    "call, or answer."
)
RECALLED = "There has been enough thinking on this step. It ended so:\n\n{end}\n\nAct on it now."
"""Where no reasoning can be sent back."""

UNDONE = "The model said what it would do and did not do it, also when it was told twice."

END_CHARACTERS = 1_500


class Nudger(msgspec.Struct):
    """Which nudges a turn has had."""

    cut: int = 0
    idle: int = 0
    """Since the last call."""

    def after(self, answer: Answer) -> tuple[Repaired | Steered, ...]:
        """What is said behind an answer that was stored."""
        message = answer.message
        if message.calls:
            self.idle = 0
        if message.finish == "length" or answer.flaw == "half_call":
            return self._after_cut(CUT if message.finish == "length" else HALF)
        return self._after_announcement() if _announces(answer) else ()

    def vain(self, answer: Answer) -> str:
        """Why a turn that ends with this answer did not do its work, as a sentence; empty = it
        may have. Ask behind `after`, when that had nothing more to say."""
        if answer.message.calls:
            return ""
        if answer.flaw:
            return f"{WORDS[answer.flaw].capitalize()}, also when it was asked for again."
        return UNDONE if _announces(answer) else ""

    def _after_cut(self, words: str) -> tuple[Steered, ...]:
        self.cut += 1
        return (nudge(words),) if self.cut <= CUT_TRIES else ()

    def _after_announcement(self) -> tuple[Repaired | Steered, ...]:
        self.idle += 1
        if self.idle > len(IDLE):
            return ()
        told = Repaired("the model said what it would do and did not: it is told so", kind="idle")
        return told, nudge(IDLE[self.idle - 1])


def _announces(answer: Answer) -> bool:
    if answer.message.calls:
        return False
    from qcode.engine.announcing import announces  # noqa: PLC0415  its patterns take 3 ms

    return announces(answer.message.text)


def nudge(words: str) -> Steered:
    """`words` as they are appended to the conversation."""
    return Steered(user(f"<tool_response>\n{words}\n</tool_response>", "nudge"))


def recalled(reasoning: str) -> str:
    """The nudge that holds the end of the reasoning itself, from the begin of a paragraph."""
    end = reasoning.strip()[-END_CHARACTERS:]
    if len(end) == END_CHARACTERS:
        end = end[end.find("\n") + 1 :].lstrip()
    return RECALLED.format(end=end.replace("</tool_response>", ""))
