"""The calls of one answer, in their order. Every call gets exactly one result.

What is done with a single one is in `single.py`.
"""

import asyncio
import hashlib
import time
from collections.abc import Coroutine, Iterator, Sequence
from itertools import groupby

import msgspec
from msgspec.structs import replace

from qcode.engine.approval import Approvals
from qcode.engine.prepare import Rows
from qcode.engine.say import Say
from qcode.engine.single import Single
from qcode.permission.readonly import is_read_only
from qcode.permission.shell import split
from qcode.protocol.errors import SessionNotSaved
from qcode.protocol.events import ToolCallFinished, ToolCallStarted
from qcode.protocol.messages import CallStatus, ToolCall, ToolMessage
from qcode.protocol.text import one_line, well_formed
from qcode.server.circles import CallLoop, CallWatch, Note
from qcode.tools.arguments import Misfit, Parsed
from qcode.tools.base import Context, Outcome, Tool

CANCELLED = "Cancelled before it finished. Its effects, if any, are unknown."
NOT_RUN = "Not run: the turn was cancelled before it began."
LEFT_OUT = "Not run: the limit of tool calls is reached."
UNSAVED = "Not run: the session could not be saved, and so nothing was begun."
AGAIN = (
    "[The same calls have had the same results {times} times now, and nothing has changed. Do "
    "something else, or say what keeps you from going on.]"
)


class Tally(msgspec.Struct):
    """What became of the calls of one answer."""

    ran: int = 0
    denied: int = 0
    left_out: int = 0
    edited: list[str] = msgspec.field(default_factory=list)
    commands: list[str] = msgspec.field(default_factory=list)
    """Command lines that were run; what they edited is not known."""
    repeated: str = ""
    """What was called again and again without any news, as a line."""

    def add(self, parsed: Parsed | Misfit, outcome: Outcome) -> None:
        """One call has its result."""
        if outcome.status == "denied":
            self.denied += 1
            return
        self.ran += 1
        self.edited.extend(outcome.edited)
        if isinstance(parsed, Parsed):
            accesses = parsed.tool.accesses()
            self.commands += [access.target for access in accesses if access.kind == "shell"]


class Calls:
    """Runs calls: reads of one answer at once, all others in order."""

    def __init__(
        self, tools: Sequence[type[Tool]], context: Context, approvals: Approvals, say: Say
    ) -> None:
        self.tools = tools
        self.single = Single(tools, context, approvals, say)
        self.say = say
        self.watch: CallWatch | None = CallWatch()
        """None = the same call may be made as often as the model likes."""
        self._known: tuple[int, int] | None = None

    def begin(self, turn: int, epoch: int) -> None:
        """A step of a turn, with the conversation's epoch: in another turn, or once messages were
        taken away, a call that was made before is a new one."""
        if self.watch is not None and self._known != (turn, epoch):
            self.watch.forget()
        if self._known is None or self._known[0] != turn:
            self.single.approvals.refusals.new_words()
        self._known = turn, epoch

    async def run(self, rows: Rows, left: int | None, tally: Tally) -> None:
        """Run the calls, at most `left` of them, and count them in `tally`. Cancelled: those
        without a result get one."""
        waiting = {call.id: call for call, _ in rows}
        may_run = rows if left is None else rows[:left]
        self.single.begin(may_run)
        try:
            for batch in self._batches(may_run):
                await self._together([self._one(*row, tally, waiting) for row in batch])
                await asyncio.sleep(0)  # a cancel that a write had outlast it takes effect here
            self._close(waiting, LEFT_OUT, tally)
        except asyncio.CancelledError:
            self._close(waiting, NOT_RUN, tally)
            raise

    @staticmethod
    def _batches(rows: Rows) -> Iterator[Rows]:
        """Neighbouring reads together, each other call alone, in the model's order."""
        for reads, group in groupby(rows, key=lambda row: _only_reads(row[1])):
            batch = list(group)
            yield from [batch] if reads else [[row] for row in batch]

    @staticmethod
    async def _together(batch: Sequence[Coroutine[None, None, None]]) -> None:
        if len(batch) == 1:
            await batch[0]
            return
        try:
            async with asyncio.TaskGroup() as group:
                for one in batch:
                    group.create_task(one)
        except BaseExceptionGroup as errors:  # a log that cannot be written, most likely
            raise errors.exceptions[0] from errors

    async def _one(
        self,
        call: ToolCall,
        parsed: Parsed | Misfit,
        tally: Tally,
        waiting: dict[str, ToolCall],
    ) -> None:
        """One call from start to result."""
        began = time.monotonic()
        outcome = Outcome(CANCELLED, status="cancelled")
        try:
            if isinstance(parsed, Misfit):
                self.say(ToolCallStarted(call, one_line(f"{call.name} (malformed)")))
                outcome = Outcome(parsed.text, status="error")
            else:
                outcome = await self.single.run(call, parsed.tool)
            outcome = self._compared(call, parsed, outcome, tally)
        except SessionNotSaved:  # while it was judged, or just before its effect
            outcome = Outcome(UNSAVED, status="cancelled")
            raise
        finally:
            waiting.pop(call.id)
            tally.add(parsed, outcome)
            self._report(call, outcome, time.monotonic() - began)

    def _compared(
        self, call: ToolCall, parsed: Parsed | Misfit, outcome: Outcome, tally: Tally
    ) -> Outcome:
        """The outcome as the model is shown it: what it knows already is not said again."""
        if self.watch is None or outcome.status in ("denied", "cancelled"):
            return outcome
        digest = hashlib.blake2b(well_formed(outcome.text).encode(), digest_size=16).hexdigest()
        changed = isinstance(parsed, Parsed) and _may_change(parsed.tool, outcome)
        seen = self.watch.see(call.name, call.arguments, digest, changed=changed)
        if isinstance(seen, CallLoop):
            tally.repeated = seen.detail
            text = AGAIN.format(times=seen.times)
            return replace(outcome, text=text if _only_reads(parsed) else f"{outcome.text}\n{text}")
        if isinstance(seen, Note) and _only_reads(parsed):
            return replace(outcome, text=seen.text)
        return outcome

    def _report(self, call: ToolCall, outcome: Outcome, seconds: float) -> None:
        message = ToolMessage(call.id, call.name, well_formed(outcome.text), outcome.status)
        decided = self.single.approvals.refusals.news()  # changes run one at a time: it is of this
        finished = ToolCallFinished(
            message, outcome.blocks, round(seconds, 3), outcome.edited, decided
        )
        self.say(finished)

    def _close(self, waiting: dict[str, ToolCall], text: str, tally: Tally) -> None:
        """A result for each call that has none."""
        status: CallStatus = "cancelled"
        for call in list(waiting.values()):
            tally.left_out += 1
            self.say(ToolCallFinished(ToolMessage(call.id, call.name, text, status)))
        waiting.clear()


def _may_change(tool: Tool, outcome: Outcome) -> bool:
    """Whether files may differ now: after an edit, and after a command not known to read only."""
    commands = [access.target for access in tool.accesses() if access.kind == "shell"]
    return bool(outcome.edited) or not all(is_read_only(split(line)) for line in commands)


def _only_reads(parsed: Parsed | Misfit) -> bool:
    return isinstance(parsed, Parsed) and parsed.tool.effect == "read"
