"""Plain mode as a process, over an engine that says what is written down here."""

import asyncio
import sys
from pathlib import Path

from qcode.doctor.base import Finding, Result
from qcode.doctor.report import Report
from qcode.protocol.display import DiffBlock
from qcode.protocol.events import (
    AnyEvent,
    ApprovalRequested,
    ApprovalSettled,
    MessageCompleted,
    ReasoningDelta,
    StepStarted,
    TextDelta,
    ToolCallFinished,
    ToolCallStarted,
    TurnFinished,
    TurnStarted,
    Usage,
)
from qcode.protocol.inputs import ApprovalReply, Cancel, Input, Prompt, Steer
from qcode.protocol.messages import (
    AssistantMessage,
    Reasoning,
    Text,
    ToolCall,
    ToolMessage,
    user,
)
from qcode.tui.home import Examination, Home, Opened, Wanted
from qcode.tui.plain import run_plain
from tests.support.scripted_engine import ScriptedEngine
from tests.tui.stories import started

EDIT = ToolCall("c1", "edit", '{"path":"a.py"}')
DIFF = DiffBlock("a.py", "--- a/a.py\n+++ b/a.py\n@@ -1 +1 @@\n-old = 1\n+new = 1\n", 1, 1)
ANSWER = "I change a.py.\x1b[2J\n\nIt holds one line."


class AskingEngine(ScriptedEngine):
    """Asks before its one edit, goes on as the person replies; `hang` as a prompt never ends."""

    def submit(self, given: Input) -> None:
        """Record it, and say what belongs to it."""
        self.inputs.append(given)
        _tell(type(given).__name__)
        match given:
            case Prompt("hang"):
                self._say(TurnStarted(1, user("hang")), StepStarted(1, 1), TextDelta("Once"))
            case Prompt(text) | Steer(text):
                self._say(*_until_the_question(text))
            case ApprovalReply(_, answer, words):
                self._say(*_behind(answer == "allow", words))
            case Cancel():
                self._say(TurnFinished("cancelled", "The turn was cancelled."))

    def _say(self, *events: AnyEvent) -> None:
        for event in events:
            self._queue.put_nowait(event)

    async def close(self) -> None:
        """It is told, so that a test knows."""
        _tell("closed")
        await super().close()


def _tell(what: str) -> None:
    with Path(sys.argv[1]).open("a") as told:
        told.write(f"{what}\n")


def _until_the_question(prompt: str) -> list[AnyEvent]:
    return [
        started(),
        TurnStarted(1, user(prompt)),
        StepStarted(1, 1),
        ReasoningDelta("Hm."),
        TextDelta(ANSWER),
        Usage(100, 90, 20),
        MessageCompleted(AssistantMessage((Reasoning("Hm."), Text(ANSWER), EDIT)), 100, 1.0),
        ToolCallStarted(EDIT, "edit a.py"),
        ApprovalRequested("r1", EDIT, (), "ask mode asks before edits", (DIFF,), ("Edit(a.py)",)),
    ]


def _behind(allowed: bool, words: str) -> list[AnyEvent]:  # noqa: FBT001  one caller, which names it
    settled = ApprovalSettled("r1", "allow" if allowed else "deny", words)
    message = ToolMessage("c1", "edit", words or "done", "ok" if allowed else "denied")
    done = ToolCallFinished(message, (DIFF,) if allowed else (), 0.1)
    return [settled, done, TurnFinished("end_turn")]


async def _examine(wanted: Examination) -> Report:
    """Waits to be stopped, unless it is told to go on `anyway`."""
    wanted.checks("context: how large it is")
    if wanted.anyway:
        return _found(until="its end")
    try:
        await asyncio.sleep(60)
    except asyncio.CancelledError:
        return _found(until="Ctrl+C")
    raise AssertionError


def _found(until: str) -> Report:
    small = Finding(
        id="context.small",
        weight="slow",
        title="The context is small.",
        cost="Turns are lost.",
        change="-c 65536",
    )
    return Report(
        qcode="0.1.0",
        date="2026-11-21T20:00:00+00:00",
        server=None,
        checks=(Result(probe="context", verdict="fails", said=f"4,096 tokens until {until}"),),
        findings=(small,),
    )


def main() -> int:
    """As `qcode --plain` would."""
    engine = AskingEngine(())
    folder = Path.cwd()

    def open_(wanted: Wanted) -> Opened:
        return Opened(engine, session_id="s1")

    return asyncio.run(run_plain(Home(folder, open_, folder, examine=_examine)))


if __name__ == "__main__":
    sys.exit(main())
