"""The calls of one answer: parse, judge, ask, run, report. Every call gets exactly one result."""

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby

import msgspec

from qcode.engine.approval import Approvals
from qcode.engine.say import Say
from qcode.protocol.access import Access
from qcode.protocol.errors import QcodeError
from qcode.protocol.events import Repaired, ToolCallFinished, ToolCallProgress, ToolCallStarted
from qcode.protocol.messages import AssistantMessage, CallStatus, ToolCall, ToolMessage
from qcode.protocol.text import one_line, well_formed
from qcode.tools.arguments import Misfit, Parsed, parse
from qcode.tools.base import Context, Outcome, Tool

LOG = logging.getLogger(__name__)
CANCELLED = "Cancelled by the user before it finished. Its effects, if any, are unknown."
NOT_RUN = "Not run: the turn was cancelled before it began."
LEFT_OUT = "Not run: the limit of tool calls is reached."


@dataclass(slots=True)
class Tally:
    """What became of the calls of one answer."""

    ran: int = 0
    denied: int = 0
    left_out: int = 0
    edited: list[str] = field(default_factory=list)


def mend(
    message: AssistantMessage, tools: Sequence[type[Tool]]
) -> tuple[AssistantMessage, list[Repaired]]:
    """`message` with each call's arguments as a valid JSON object and each id used once.

    The server renders these on every later request; broken ones would fail there for ever.
    """
    repairs: list[Repaired] = []
    ids: set[str] = set()
    parts = []
    for part in message.parts:
        if isinstance(part, ToolCall):
            part = _mended(part, tools, repairs)
            while part.id in ids or not part.id:
                part = msgspec.structs.replace(part, id=f"{part.id or 'call'}-{len(ids)}")
            ids.add(part.id)
        parts.append(part)
    return msgspec.structs.replace(message, parts=tuple(parts)), repairs


def _mended(call: ToolCall, tools: Sequence[type[Tool]], repairs: list[Repaired]) -> ToolCall:
    outcome = parse(tools, call)
    repairs.extend(Repaired(what, call.id) for what in outcome.repairs)
    return msgspec.structs.replace(call, name=outcome.name, arguments=outcome.arguments)


class Calls:
    """Runs calls: reads of one answer at once, all others in order."""

    def __init__(
        self, tools: Sequence[type[Tool]], context: Context, approvals: Approvals, say: Say
    ) -> None:
        self.tools = tools
        self.context = context
        self.approvals = approvals
        self.say = say
        self.before_effect: Callable[[], None] = lambda: None
        """Called before a call with effects runs: the engine flushes the log to disk."""

    async def run(self, calls: Sequence[ToolCall], left: int | None) -> Tally:
        """Run `calls`, at most `left` of them. Cancelled: those without a result get one."""
        tally = Tally()
        taken = calls if left is None else calls[:left]
        waiting = {call.id: call for call in calls}
        try:
            for batch in self._batches([(call, parse(self.tools, call)) for call in taken]):
                await self._together([self._one(*row, tally, waiting) for row in batch])
            self._close(waiting, LEFT_OUT, tally)
        except asyncio.CancelledError:
            self._close(waiting, NOT_RUN, tally)
            raise
        return tally

    def _batches(
        self, rows: Sequence[tuple[ToolCall, Parsed | Misfit]]
    ) -> Iterator[list[tuple[ToolCall, Parsed | Misfit]]]:
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
                outcome = await self._judged(call, parsed.tool)
        finally:
            waiting.pop(call.id)
            self._report(call, outcome, time.monotonic() - began)
            tally.ran += outcome.status != "denied"
            tally.denied += outcome.status == "denied"
            tally.edited.extend(outcome.edited)

    async def _judged(self, call: ToolCall, tool: Tool) -> Outcome:
        """Resolve what it would touch, have it judged, run it if it may."""
        try:
            accesses = self._resolved(tool)
        except QcodeError as error:
            return Outcome(str(error), status="error")
        self.say(ToolCallStarted(call, one_line(f"{tool.name} {tool.summary()}"), accesses))
        decision = await self.approvals.settle(call, accesses)
        if decision.denied:
            return Outcome(decision.denied, status="denied")
        if decision.changed:
            return await self._changed(call, decision.changed)
        if accesses != self._resolved(tool):  # a link was swapped while somebody was asked
            return Outcome("Denied: the path changed while it was judged.", status="denied")
        return await self._run(call, tool)

    async def _changed(self, call: ToolCall, arguments: str) -> Outcome:
        """The person wrote other arguments: they are theirs, so nobody is asked again."""
        changed = msgspec.structs.replace(call, arguments=arguments)
        parsed = parse(self.tools, changed)
        if isinstance(parsed, Misfit):
            return Outcome(parsed.text, status="error")
        outcome = await self._run(call, parsed.tool)
        note = f"The user changed the arguments of this call to: {parsed.arguments}\n"
        return replace(outcome, text=note + outcome.text)

    async def _run(self, call: ToolCall, tool: Tool) -> Outcome:
        if tool.effect != "read":
            self.before_effect()
        context = replace(self.context, progress=lambda text: self._progress(call, text))
        try:
            return await tool.run(context)
        except QcodeError as error:
            return Outcome(str(error), status="error")
        except Exception as error:
            LOG.exception("tool %s failed", tool.name)
            kind = type(error).__name__
            return Outcome(f"The tool {tool.name} failed inside ({kind}: {error}).", status="error")

    def _progress(self, call: ToolCall, text: str) -> None:
        self.say(ToolCallProgress(call.id, text))

    def _resolved(self, tool: Tool) -> tuple[Access, ...]:
        return tuple(self._resolve(access) for access in tool.accesses())

    def _resolve(self, access: Access) -> Access:
        if access.kind not in ("read", "edit"):
            return access
        located = self.context.workspace.resolve(access.target)
        return Access(access.kind, located.shown, located.place)

    def _report(self, call: ToolCall, outcome: Outcome, seconds: float) -> None:
        message = ToolMessage(call.id, call.name, well_formed(outcome.text), outcome.status)
        self.say(ToolCallFinished(message, outcome.blocks, round(seconds, 3), outcome.edited))

    def _close(self, waiting: dict[str, ToolCall], text: str, tally: Tally) -> None:
        """A result for each call that has none."""
        status: CallStatus = "cancelled"
        for call in list(waiting.values()):
            tally.left_out += 1
            self.say(ToolCallFinished(ToolMessage(call.id, call.name, text, status)))
        waiting.clear()


def _only_reads(parsed: Parsed | Misfit) -> bool:
    return isinstance(parsed, Parsed) and parsed.tool.effect == "read"
