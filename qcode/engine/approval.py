"""Who may decide about a call: the rules, then the person; without a person, nobody."""

import asyncio
import shlex
from collections.abc import Callable, Sequence
from itertools import count
from typing import Literal

import msgspec

from qcode.engine.refusals import Refusals
from qcode.engine.say import Say
from qcode.engine.shown import Basis, Shown
from qcode.permission.suggest import narrowest
from qcode.protocol.access import NETWORK_CALL, Access, Verdict
from qcode.protocol.display import Block
from qcode.protocol.errors import QcodeError
from qcode.protocol.events import ApprovalRequested, ApprovalSettled, Notice, ProposedCall
from qcode.protocol.inputs import ApprovalReply, HunkReply
from qcode.protocol.messages import ToolCall

Judge = Callable[[Sequence[Access]], Verdict]
"""Rules and mode as they are now; see `permission`."""


OUTSIDE = "the user allowed it this once, outside of the sandbox"


class Question(msgspec.Struct, frozen=True):
    """A call that is to be decided about."""

    call: ToolCall
    key: str
    """The same for the same call, however the model wrote it."""
    accesses: tuple[Access, ...]
    """Resolved."""
    blocks: tuple[Block, ...] = ()
    """What it would change."""
    basis: Basis | None = None
    """The same for the same change; None = it cannot be told."""
    behind: tuple["Behind", ...] = ()
    refused: str = ""
    """What of it the person refused before, as a clause: then they are asked, whatever would allow
    it. Empty = nothing."""
    where: Literal["", "inside", "outside"] = ""
    """See `ApprovalRequested.where`."""
    withdrawn: str = "the turn was cancelled"
    """What is said when nobody waits for the answer any more."""


class Behind(msgspec.Struct, frozen=True):
    """A call of the same answer that waits behind the one that is asked about."""

    text: str
    """As a person is shown it."""
    accesses: tuple[Access, ...]
    """Resolved, as they were then."""
    proposed: ProposedCall | None = None
    """What it would change, where that is shown, too."""


class Decision(msgspec.Struct, frozen=True):
    """What became of the question."""

    denied: str = ""
    """Text for the model when it may not run; empty = it may."""
    changed: str = ""
    """Arguments that the person put in the place of the model's; empty = as they are."""
    hunks: tuple[HunkReply, ...] = ()
    """What the person decided about parts of the change; the others are kept."""
    where: Literal["inside", "outside"] = "inside"
    """`outside` = the person let the command run without the fence, this once."""


ALLOWED = Decision()


class Grants(msgspec.Struct, frozen=True):
    """How an approval holds for more than one call."""

    offers: Callable[[Sequence[Access]], Sequence[str]] = lambda accesses: ()
    """Rules that would let the same call pass the next time; empty = there are none."""
    grant: Callable[[Sequence[str]], None] = lambda rules: None
    """They hold for the rest of the session."""
    keep: Callable[[Sequence[str]], None] | None = None
    """They hold in this folder from now on; None = nothing is kept. Writes a file; may raise
    QcodeError."""
    folder: str = ""
    """Where commands run."""


class Approvals(msgspec.Struct):
    """Settles calls: by rules and mode, by asking, or not at all where nobody can be asked."""

    judge: Judge
    say: Say
    nobody: str = ""
    """Why nobody can be asked, as a clause; empty = a person is there."""
    grants: Grants = msgspec.field(default_factory=Grants)
    refusals: Refusals = msgspec.field(default_factory=Refusals)
    shown: Shown = msgspec.field(default_factory=Shown)
    _batch: ApprovalReply | None = None
    """The person's reply to all calls of the answer that is at hand."""
    _seen: set[tuple[Access, ...]] = msgspec.field(default_factory=set)
    """What they had been shown of them by then."""
    _open: dict[str, tuple[Question, asyncio.Future[ApprovalReply]]] = msgspec.field(
        default_factory=dict
    )
    _along: dict[str, str] = msgspec.field(default_factory=dict)
    """Requests that a reply to another one settled -> the answer."""
    _numbers: "count[int]" = msgspec.field(default_factory=lambda: count(1))

    def begin(self) -> None:
        """The calls of another answer: what was said of all of the last one's holds no more."""
        self._batch = None
        self._seen.clear()
        self._along.clear()
        self.shown.begin()

    def asks(self, question: Question) -> bool:
        """Whether a person will be asked."""
        verdict = self._verdict(question)
        is_open = verdict.answer == "ask" and not self.nobody
        if self.shown.said(question.call.id, question.basis) is not None:
            return False
        return is_open and self._by_batch(question) is None and self._told_before(question) is None

    async def settle(self, question: Question) -> Decision:
        """May the call run?"""
        verdict = self._verdict(question)
        if verdict.answer == "deny":
            return Decision(f"Denied by the rules ({verdict.because}).")
        if (said := self.shown.said(question.call.id, question.basis)) is not None:
            is_allowed = said.answer == "allow"
            return Decision(hunks=said.hunks) if is_allowed else self._denied(question, said.words)
        if verdict.answer == "allow":
            return ALLOWED
        if self.nobody:
            return self._nobody(question, verdict)
        if (words := self._told_before(question)) is not None:
            return Decision(_again(words))
        if (given := self._by_batch(question)) is not None:
            return ALLOWED if given.answer == "allow" else self._denied(question, given.words)
        return await self._ask(question, verdict)

    def reply(self, reply: ApprovalReply) -> bool:
        """Hand in a person's reply; False = nobody waits for it, nor was the same said already, in
        a reply to another one."""
        question, future = self._open.get(reply.request_id, (None, None))
        if question is None or future is None or future.done():
            return self._along.get(reply.request_id) == reply.answer
        future.set_result(reply)
        self.shown.take(reply.also)
        if reply.scope == "batch":
            self._batch = reply
            self._seen = {one.accesses for one in question.behind}
            self._settle_open(lambda one: self._by_batch(one) is not None, reply)
        return True

    def refuse(self) -> None:
        """No to all that waits."""
        self._settle_open(lambda _: True, ApprovalReply("", "deny"))

    def _verdict(self, question: Question) -> Verdict:
        verdict = self.judge(question.accesses)
        if not question.refused or verdict.answer == "deny":
            return verdict
        is_asked = verdict.answer == "ask"
        because = f"{verdict.because}; {question.refused}" if is_asked else question.refused
        return Verdict("ask", because)

    def _told_before(self, question: Question) -> str | None:
        return self.refusals.denied(question.key)

    async def _ask(self, question: Question, verdict: Verdict) -> Decision:
        request_id = f"approval-{next(self._numbers)}"
        future: asyncio.Future[ApprovalReply] = asyncio.get_running_loop().create_future()
        self._open[request_id] = question, future
        rules = tuple(self.grants.offers(question.accesses))
        try:
            self.say(self._request(request_id, question, verdict, rules))
            reply = await future
        except asyncio.CancelledError:
            self.say(ApprovalSettled(request_id, "deny", question.withdrawn))
            raise
        finally:
            del self._open[request_id]
        because = OUTSIDE if _outside(question, reply) else reply.words or "the user decided"
        kept = rules if reply.answer == "allow" and reply.scope in ("session", "project") else ()
        self.say(ApprovalSettled(request_id, reply.answer, because, reply.scope, kept))
        return await self._decided(question, reply, rules)

    def _request(
        self, request_id: str, question: Question, verdict: Verdict, rules: tuple[str, ...]
    ) -> ApprovalRequested:
        runs = any(access.kind == "shell" for access in question.accesses)
        return ApprovalRequested(
            request_id,
            question.call,
            question.accesses,
            verdict.because,
            question.blocks,
            rules,
            self.grants.folder if runs else "",
            tuple(one.text for one in question.behind),
            question.where,
            tuple(one.proposed for one in question.behind if one.proposed),
        )

    async def _decided(
        self, question: Question, reply: ApprovalReply, rules: tuple[str, ...]
    ) -> Decision:
        if reply.answer == "deny":
            return self._denied(question, reply.words)
        if reply.scope in ("session", "project"):
            await self._grant(reply, rules)
        where: Literal["inside", "outside"] = "outside" if _outside(question, reply) else "inside"
        return Decision(changed=reply.changed_arguments, hunks=reply.hunks, where=where)

    async def _grant(self, reply: ApprovalReply, rules: tuple[str, ...]) -> None:
        """What it cannot hold for is said in a Notice; the call itself runs."""
        if not rules:
            self.say(Notice("warning", "No rule can say this call: it was allowed this once."))
            return
        self.grants.grant(rules)
        self._settle_open(lambda one: self._verdict(one).answer == "allow", reply)
        if reply.scope != "project":
            return
        try:
            if self.grants.keep is None:
                raise QcodeError("Nothing is kept in this run.")
            await asyncio.to_thread(self.grants.keep, rules)
        except QcodeError as error:
            self.say(Notice("warning", f"{error} It is allowed for this session alone."))

    def _settle_open(self, fits: Callable[[Question], bool], given: ApprovalReply) -> None:
        """The same reply for those that wait at the same time (reads of one answer do)."""
        for request_id, (question, future) in self._open.items():
            if not future.done() and fits(question):
                self._along[request_id] = given.answer
                future.set_result(ApprovalReply(request_id, given.answer, given.words))

    def _by_batch(self, question: Question) -> ApprovalReply | None:
        """The reply to all calls, where it is one to this: leave is given for what was shown, and
        a host that a command wants is no call of that answer."""
        if question.call.name == NETWORK_CALL:
            return None
        if self._batch is None or self._batch.answer == "deny":
            return self._batch
        is_shown = question.accesses in self._seen and not question.refused
        return self._batch if is_shown else None

    def _denied(self, question: Question, words: str) -> Decision:
        self.refusals.deny(question.key, words)
        return Decision(f"The user denied this call{f' and says: {words}' if words else '.'}")

    def _nobody(self, question: Question, verdict: Verdict) -> Decision:
        request_id = f"approval-{next(self._numbers)}"
        accesses = question.accesses
        self.say(ApprovalRequested(request_id, question.call, accesses, verdict.because))
        self.say(ApprovalSettled(request_id, "deny", self.nobody))
        return Decision(
            f"Denied: {verdict.because}, and {self.nobody}. "
            f"{how_to_allow(accesses)} Go on without it, or say what you could not do.",
        )


def _outside(question: Question, reply: ApprovalReply) -> bool:
    """Whether the person chose the way round the fence: never for more than this one call."""
    chosen = reply.where == "outside" and (reply.answer, reply.scope) == ("allow", "once")
    return chosen and question.where == "inside"


def _again(words: str) -> str:
    said = f" and said: {words}" if words else "."
    return (
        f"You were told no: the user denied exactly this call before{said}\n"
        "They were not asked again. Go on without it, or say what you could not do."
    )


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
