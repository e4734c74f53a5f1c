"""Who may decide about a call: the rules, then the person; without a person, nobody."""

import asyncio
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count

from qcode.engine.say import Say
from qcode.permission.suggest import narrowest
from qcode.protocol.access import Access, Verdict
from qcode.protocol.events import ApprovalRequested, ApprovalSettled
from qcode.protocol.inputs import ApprovalReply
from qcode.protocol.messages import ToolCall

Judge = Callable[[Sequence[Access]], Verdict]
"""Rules and mode as they are now; see `permission`."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What became of the question."""

    denied: str = ""
    """Text for the model when it may not run; empty = it may."""
    changed: str = ""
    """Arguments that the person put in the place of the model's; empty = as they are."""


ALLOWED = Decision()


@dataclass(slots=True)
class Approvals:
    """Settles calls: by rules and mode, by asking, or not at all where nobody can be asked."""

    judge: Judge
    say: Say
    nobody: str = ""
    """Why nobody can be asked, as a clause; empty = a person is there."""
    grant: Callable[[Sequence[Access]], None] = lambda accesses: None
    """Remember an approval for the session."""
    refused: list[tuple[ToolCall, str]] = field(default_factory=list)
    """Every denied call with the reason, for the result of a headless run."""
    _open: dict[str, asyncio.Future[ApprovalReply]] = field(default_factory=dict)
    _numbers: "count[int]" = field(default_factory=lambda: count(1))

    async def settle(self, call: ToolCall, accesses: Sequence[Access]) -> Decision:
        """May `call` run?"""
        verdict = self.judge(accesses)
        if verdict.answer == "allow":
            return ALLOWED
        if verdict.answer == "deny":
            return self._deny(call, f"Denied by the rules ({verdict.because}).")
        if self.nobody:
            return self._nobody(call, accesses, verdict)
        return await self._ask(call, accesses, verdict)

    def reply(self, reply: ApprovalReply) -> bool:
        """Hand in a person's reply; False = nobody waits for it."""
        future = self._open.get(reply.request_id)
        if future is None or future.done():
            return False
        future.set_result(reply)
        return True

    async def _ask(self, call: ToolCall, accesses: Sequence[Access], verdict: Verdict) -> Decision:
        request_id = f"approval-{next(self._numbers)}"
        future: asyncio.Future[ApprovalReply] = asyncio.get_running_loop().create_future()
        self._open[request_id] = future
        try:
            self.say(ApprovalRequested(request_id, call, tuple(accesses), verdict.because))
            reply = await future
        except asyncio.CancelledError:
            self.say(ApprovalSettled(request_id, "deny", "the turn was cancelled"))
            raise
        finally:
            del self._open[request_id]
        self.say(ApprovalSettled(request_id, reply.answer, reply.words or "the user decided"))
        if reply.answer == "deny":
            words = f" and says: {reply.words}" if reply.words else "."
            return self._deny(call, f"The user denied this call{words}")
        if reply.scope != "once":
            self.grant(accesses)
        return Decision(changed=reply.changed_arguments)

    def _nobody(self, call: ToolCall, accesses: Sequence[Access], verdict: Verdict) -> Decision:
        request_id = f"approval-{next(self._numbers)}"
        self.say(ApprovalRequested(request_id, call, tuple(accesses), verdict.because))
        self.say(ApprovalSettled(request_id, "deny", self.nobody))
        return self._deny(
            call,
            f"Denied: {verdict.because}, and {self.nobody}. "
            f"{how_to_allow(accesses)} Go on without it, or say what you could not do.",
        )

    def _deny(self, call: ToolCall, text: str) -> Decision:
        self.refused.append((call, text))
        return Decision(denied=text)


def how_to_allow(accesses: Sequence[Access]) -> str:
    """The flags by which the user could allow this the next time, as a sentence for the model."""
    return f"The user can allow it with {allowing(accesses)}."


def allowing(accesses: Sequence[Access]) -> str:
    """The flags as they are typed; for a command also those that allow all commands."""
    if all(access.kind == "edit" and access.place == "workspace" for access in accesses):
        return "--permission-mode edit"
    rules = [rule for access in accesses if (rule := narrowest(access))]
    flag = f"--allowed-tools {shlex.quote(','.join(rules))}"
    if any(access.kind == "shell" for access in accesses):
        return f"{flag}, or all commands with --permission-mode auto --sandbox off"
    return flag
