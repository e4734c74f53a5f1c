"""One call: judge it, ask about it, run it."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Literal, TypeVar

import msgspec
from msgspec.structs import replace

from qcode.engine.approval import Approvals, Behind, Decision, Question
from qcode.engine.prepare import Rows
from qcode.engine.reviewing import Proposed, Reviews
from qcode.engine.say import Say
from qcode.protocol.access import Access
from qcode.protocol.errors import QcodeError, SessionNotSaved
from qcode.protocol.events import ProposedCall, ToolCallProgress, ToolCallStarted
from qcode.protocol.messages import ToolCall
from qcode.protocol.text import one_line
from qcode.tools.arguments import Misfit, Parsed, parse
from qcode.tools.base import Context, Outcome, Tool
from qcode.workspace.files import Workspace

LOG = logging.getLogger(__name__)

MOVED = "Denied: the path changed while it was judged."

MOST_PREVIEWED, PREVIEWED_CHARACTERS = 50, 400_000
"""Of changes behind the one that is asked about: so many are shown with it."""

T = TypeVar("T")
Where = Literal["", "inside", "outside"]


class Single:
    """Takes calls from their judgement to their outcome."""

    def __init__(
        self, tools: Sequence[type[Tool]], context: Context, approvals: Approvals, say: Say
    ) -> None:
        self.tools = tools
        self.context = context
        self.approvals = approvals
        self.reviews = Reviews(context, approvals.refusals, say)
        self.say = say
        self.before_effect: Callable[[], None] = lambda: None
        """Called before a call with effects runs: the engine flushes the log to disk."""
        self.around: Callable[[Sequence[Access]], AbstractAsyncContextManager[None]] = (
            lambda accesses: nullcontext()
        )
        """A call with effects runs inside: files are kept before it changes them."""
        self.where: Callable[[Sequence[Access]], Where] = lambda accesses: ""
        """Where the command of a call would run; see `Rulebook.where`."""
        self._answer: Rows = ()

    def begin(self, answer: Rows) -> None:
        """The calls of another answer."""
        self._answer = answer
        self.approvals.begin()

    async def run(self, call: ToolCall, tool: Tool) -> Outcome:
        """Resolve what it would touch, have it judged, run it if it may."""
        try:
            accesses = self._resolved(tool)
        except QcodeError as error:
            return Outcome(str(error), status="error")
        self.say(ToolCallStarted(call, _summary(tool), accesses))
        key = f"{tool.name} {msgspec.json.encode(tool).decode()}"
        question = Question(call, key, accesses, where=self.where(accesses))
        proposed = await self._proposed(tool, question)
        if isinstance(proposed, Outcome):
            return proposed
        decision = await self.approvals.settle(await self._whole(question, proposed))
        if decision.denied:
            if proposed is not None:
                self.reviews.deny(proposed)
            return Outcome(decision.denied, status="denied")
        if decision.changed:
            return await self._changed(call, decision)
        return await self._do(call, tool, proposed, decision, accesses)

    async def _proposed(self, tool: Tool, question: Question) -> Proposed | Outcome | None:
        """What it would change, where somebody looks at that; or its end without a question."""
        is_open = self.approvals.judge(question.accesses).answer != "deny"
        is_known = self.reviews.concerns(tool) or self.approvals.shown.waits(question.call.id)
        if not self.approvals.asks(question) and not (is_open and is_known):
            return None
        found = await self._guarded(tool, self.reviews.propose(tool))
        if isinstance(found, Proposed) and not _is_of(found, question.accesses):
            return Outcome(MOVED, status="denied")
        tells = isinstance(found, Outcome) and found.status != "denied"
        if tells and not self._may_read(question.accesses):
            return None  # how it fails would tell what stands in the file
        return found

    def _may_read(self, accesses: Sequence[Access]) -> bool:
        reads = [Access("read", access.target, access.place) for access in accesses]
        return self.approvals.judge(reads).answer == "allow"

    async def _whole(self, question: Question, proposed: Proposed | None) -> Question:
        """With what a person is shown, where one is asked."""
        if proposed is not None:
            question = replace(question, refused=proposed.because, basis=proposed.basis)
        if not self.approvals.asks(question):
            return question
        if proposed is None:
            return replace(question, behind=tuple(self._behind(question.call).values()))
        behind = await self._previewed(self._behind(question.call), {proposed.path})
        return replace(question, blocks=(proposed.change.block,), behind=behind)

    def _behind(self, call: ToolCall) -> dict[str, Behind]:
        """The calls of the same answer that would be asked about after it, by their ids. A command
        stands there whole: whoever allows them all has seen no more of it."""
        ids = [row[0].id for row in self._answer]
        rest = self._answer[ids.index(call.id) + 1 :] if call.id in ids else ()
        return {
            one.id: Behind(_in_full(parsed.tool), found)
            for one, parsed in rest
            if isinstance(parsed, Parsed)
            and not self.approvals.shown.waits(one.id)
            and (found := self._asked(parsed.tool))
        }

    async def _previewed(self, behind: dict[str, Behind], taken: set[str]) -> tuple[Behind, ...]:
        """With what they would change, in files that none before them changes: what is made of
        these is not known yet."""
        tools = {one.id: row.tool for one, row in self._answer if isinstance(row, Parsed)}
        room, found = PREVIEWED_CHARACTERS, dict(behind)
        for call_id, one in [*behind.items()][:MOST_PREVIEWED]:
            seen = await self._guarded(tools[call_id], self.reviews.preview(tools[call_id]))
            if not isinstance(seen, Proposed) or not _is_of(seen, one.accesses):
                continue
            room -= len(seen.change.block.patch)
            if seen.path not in taken and room >= 0:
                self.approvals.shown.show(call_id, seen.basis)
                shown = ProposedCall(call_id, one.text, (seen.change.block,))
                found[call_id] = replace(one, proposed=shown)
            taken.add(seen.path)
        return tuple(found.values())

    def _asked(self, tool: Tool) -> tuple[Access, ...]:
        """What it would touch, if that would be asked about; else empty."""
        try:
            accesses = self._resolved(tool)
        except QcodeError:  # it is told when its turn comes
            return ()
        return accesses if self.approvals.judge(accesses).answer == "ask" else ()

    async def _changed(self, call: ToolCall, decision: Decision) -> Outcome:
        """The person wrote other arguments: nobody is asked again, but a deny rule still holds."""
        changed = msgspec.structs.replace(call, arguments=decision.changed)
        parsed = parse(self.tools, changed)
        if isinstance(parsed, Misfit):
            return Outcome(parsed.text, status="error")
        judged = self._resolved(parsed.tool)
        verdict = self.approvals.judge(judged)
        if verdict.answer == "deny":
            return Outcome(f"Denied by the rules ({verdict.because}).", status="denied")
        outcome = await self._do(call, parsed.tool, None, Decision(where=decision.where), judged)
        note = f"The user changed the arguments of this call to: {parsed.arguments}\n"
        return replace(outcome, text=note + outcome.text)

    async def _do(
        self,
        call: ToolCall,
        tool: Tool,
        proposed: Proposed | None,
        decision: Decision,
        judged: tuple[Access, ...],
    ) -> Outcome:
        """What was judged is what is opened: a link that is put on the way meanwhile is refused."""
        paths = [one.target for one in tool.accesses() if one.kind in ("read", "edit")]
        workspace = self.context.workspace.pin(paths)
        if judged != self._resolved(tool, workspace):  # swapped while somebody was asked
            return Outcome(MOVED, status="denied")
        context = replace(
            self.context,
            workspace=workspace,
            progress=lambda text: self._progress(call, text),
            where=self._place(tool, decision),
        )
        if tool.effect == "read":
            return await self._guarded(tool, tool.run(context))
        self.before_effect()
        async with self.around(tool.accesses()):
            if proposed is not None:
                return await self._guarded(tool, self.reviews.apply(proposed, decision.hunks))
            return await self._guarded(tool, tool.run(context))

    def _place(self, tool: Tool, decision: Decision) -> Literal["inside", "outside"]:
        by_settings = self.where(tool.accesses()) == "outside"
        return "outside" if by_settings or decision.where == "outside" else "inside"

    async def _guarded(self, tool: Tool, work: Awaitable[T]) -> T | Outcome:
        try:
            return await work
        except SessionNotSaved:
            raise
        except QcodeError as error:
            return Outcome(str(error), status="error")
        except Exception as error:  # a defect of a tool is text for the model, never a crash
            LOG.exception("tool %s failed", tool.name)
            kind = type(error).__name__
            return Outcome(f"The tool {tool.name} failed inside ({kind}: {error}).", status="error")

    def _progress(self, call: ToolCall, text: str) -> None:
        self.say(ToolCallProgress(call.id, text))

    def _resolved(self, tool: Tool, pinned: Workspace | None = None) -> tuple[Access, ...]:
        workspace = pinned or self.context.workspace
        return tuple(_resolve(access, workspace) for access in tool.accesses())


def _resolve(access: Access, workspace: Workspace) -> Access:
    if access.kind not in ("read", "edit"):
        return access
    located = workspace.resolve(access.target)
    return Access(access.kind, located.shown, located.place)


def _summary(tool: Tool) -> str:
    return one_line(f"{tool.name} {tool.summary()}")


def _in_full(tool: Tool) -> str:
    """A command, and an address too: what is sent to a host stands in it."""
    if any(access.kind == "network" for access in tool.accesses()):
        return f"{tool.name} {tool.summary()}"
    lines = [access.target for access in tool.accesses() if access.kind == "shell"]
    return " ".join([tool.name, *lines]) if lines else _summary(tool)


def _is_of(proposed: Proposed, accesses: Sequence[Access]) -> bool:
    """Whether it changes what was judged: a link may have been swapped before it was made."""
    located = proposed.change.located
    return all((one.target, one.place) == (located.shown, located.place) for one in accesses)
