"""A proposed change, put before a person part by part; what they accepted is what is written."""

import asyncio
from collections.abc import Sequence

import msgspec
from msgspec.structs import replace

from qcode.engine.fates import Fate, fate, moved, none, partly, reviewed
from qcode.engine.refusals import Refusals
from qcode.engine.say import Say
from qcode.engine.shown import Basis
from qcode.protocol.display import Block, TextBlock
from qcode.protocol.events import Notice
from qcode.protocol.inputs import HunkReply
from qcode.protocol.text import one_line, well_formed
from qcode.tools.base import Context, Outcome, Proposes, Tool, failed
from qcode.tools.change import Change, planned, written
from qcode.workspace.encoding import binary_kind, decode
from qcode.workspace.files import Loaded, Located, load
from qcode.workspace.review import KEEP, Choice, Hunk, fits, hunks, merged, result
from qcode.workspace.trouble import FileTrouble, Missing

DROP = Choice("drop")


class Proposed(msgspec.Struct, frozen=True):
    """A change as a person is shown it."""

    change: Change
    """Without the parts that they refused and have said nothing about since."""
    parts: tuple[Hunk, ...]
    before: tuple[Fate, ...] = ()
    """Those parts."""
    again: tuple[Fate, ...] = ()
    """Of `parts`, those that they refused before they last said something."""

    @property
    def path(self) -> str:
        """From the root."""
        return self.change.located.shown

    @property
    def basis(self) -> Basis:
        """See `shown`."""
        change = self.change
        digest = change.was.digest if change.was else ""
        return str(change.located.path), digest, change.after

    @property
    def because(self) -> str:
        """Why it is to be asked about whatever the rules say, as a clause; empty = no reason."""
        return "; ".join(
            [f"you refused {_part(self, one)} before{_word(one)}" for one in self.again]
        )


class Reviews:
    """Of one session."""

    def __init__(self, context: Context, refusals: Refusals, say: Say) -> None:
        self._context = context
        self._refusals = refusals
        self._say = say

    def concerns(self, tool: Tool) -> bool:
        """Whether something in the files of `tool` was refused before: then it is to be looked at,
        though no rule would have it asked about."""
        return isinstance(tool, Proposes) and any(
            self._refusals.knows(self._context.workspace.resolve(access.target).shown)
            for access in tool.accesses()
            if access.kind == "edit"
        )

    async def propose(self, tool: Tool) -> Proposed | Outcome | None:
        """What `tool` would change, less what was refused before; or how the call ends without
        it. None = it cannot tell."""
        if not isinstance(tool, Proposes):
            return None
        change = await tool.proposal(self._context)
        if isinstance(change, Outcome):
            return change
        proposed = await asyncio.to_thread(self._less, change)
        if proposed.before:
            self._say(Notice("info", _not_again(proposed)))
        if proposed.before and not proposed.parts:
            return Outcome(none(proposed.path, proposed.before), status="denied")
        return proposed

    async def preview(self, tool: Tool) -> Proposed | None:
        """What `tool` would change if it were its turn, for a person's eyes. Nothing is said, and
        the model has seen nothing by it. None = that cannot be told."""
        if not isinstance(tool, Proposes):
            return None
        change = await tool.proposal(replace(self._context, seen=dict(self._context.seen)))
        if isinstance(change, Outcome):
            return None
        proposed = await asyncio.to_thread(self._less, change)
        return proposed if proposed.parts else None

    def _less(self, change: Change) -> Proposed:
        """The change without what was refused before."""
        parts, path = hunks(change.before, change.after), change.located.shown
        known = self._refused(path, parts, holds=True)
        if known:
            drops = {one.hunk.number: DROP for one in known}
            change = _other(change, result(change.before, parts, drops))
            parts = hunks(change.before, change.after)
        return Proposed(change, parts, known, self._refused(path, parts, holds=False))

    def _refused(self, path: str, parts: Sequence[Hunk], *, holds: bool) -> tuple[Fate, ...]:
        pairs = [(hunk, self._refusals.refused(path, hunk)) for hunk in parts]
        return tuple(
            Fate(hunk, "before", known.comment)
            for hunk, known in pairs
            if known and known.holds == holds
        )

    def deny(self, proposed: Proposed) -> None:
        """All of it was denied: what was refused before is so again."""
        for one in proposed.again:
            self._refusals.refuse(proposed.path, one.hunk, one.comment)

    async def apply(self, proposed: Proposed, replies: Sequence[HunkReply]) -> Outcome:
        """Write what was accepted. The outcome says what became of each part."""
        said = {one.hunk: Choice(one.choice, well_formed(one.text), one.comment) for one in replies}
        fates = [fate(hunk, said.get(hunk.number, KEEP)) for hunk in proposed.parts]
        for one in fates:
            if one.kind == "refused":
                self._refusals.refuse(proposed.path, one.hunk, one.comment)
            else:
                self._refusals.accept(proposed.path, one.hunk)
        if proposed.parts and not any(one.applied for one in fates):
            return Outcome(none(proposed.path, _in_order(proposed, fates)), status="denied")
        async with self._context.write_lock:
            try:
                now = await asyncio.to_thread(_now, proposed.change.located)
                if _is_same(now, proposed.change.was):
                    return await self._write(proposed, fates)
                return await self._merge(proposed, fates, now)
            except FileTrouble as error:
                return self._unwritten(error, fates)

    def _unwritten(self, error: FileTrouble, fates: Sequence[Fate]) -> Outcome:
        """The person's own lines may be what the file cannot hold: they should know of it."""
        if all(one.kind != "edited" for one in fates):
            return failed(str(error))
        self._say(Notice("warning", f"Your lines were not written: {error}"))
        return failed(f"The user wrote lines of their own into your change. {error}")

    async def _write(self, proposed: Proposed, fates: Sequence[Fate]) -> Outcome:
        """The file is as it was when the change was made. Raises FileTrouble."""
        change = proposed.change
        everything = _in_order(proposed, fates)
        is_whole = all(one.kind == "kept" and not one.comment for one in everything)
        if not is_whole:
            after = result(change.before, proposed.parts, _choices(fates))
            change = await asyncio.to_thread(_other, change, after)
        await written(change, self._context.seen)
        if is_whole:
            return Outcome(change.said, (change.block,), edited=(proposed.path,))
        words, blocks = partly(proposed.path, everything), _told(change, everything)
        return Outcome(words, blocks, edited=(proposed.path,))

    async def _merge(
        self, proposed: Proposed, fates: Sequence[Fate], now: Loaded | None
    ) -> Outcome:
        """It is another by now: what still fits is applied. The model has not seen what else
        changed, so what it has seen stays what it was. Raises FileTrouble."""
        change, parts = proposed.change, proposed.parts
        why = await asyncio.to_thread(_misfits, now, parts)
        fates = [_lost(one, why.get(one.hunk.number, "")) for one in fates]
        everything = _in_order(proposed, fates)
        text = moved(proposed.path, everything)
        if now is None or not any(one.applied for one in fates):
            self._say(Notice("warning", _since(proposed.path, fates)))
            return failed(text)
        other = await asyncio.to_thread(_merged, change.located, now, parts, fates)
        await written(other, {})
        blocks = (*_told(other, everything), TextBlock(_since(proposed.path, fates)))
        return Outcome(text, blocks, edited=(proposed.path,))


def _since(path: str, fates: Sequence[Fate]) -> str:
    """That the file is another by now, for the person: what of it was not applied, and why."""
    lost = [one for one in fates if one.kind == "lost"]
    rows = [f"Part {one.hunk.number + 1} was not applied: {one.comment}." for one in lost]
    return " ".join([f"{path} changed on disk while you looked at its change.", *rows])


def _told(change: Change, fates: Sequence[Fate]) -> tuple[Block, ...]:
    """What was changed, and below it what the person had decided."""
    return (change.block, TextBlock(reviewed(fates)))


def _not_again(proposed: Proposed) -> str:
    count = len(proposed.before)
    parts = "A part" if count == 1 else f"{count} parts"
    return (
        f"{parts} of the change to {proposed.path} that you refused before came again, and was "
        "refused again. Say something, and you are asked about it the next time."
    )


def _part(proposed: Proposed, one: Fate) -> str:
    return f"part {one.hunk.number + 1}" if len(proposed.parts) > 1 else "this"


def _word(one: Fate) -> str:
    return f": '{one_line(one.comment, 60)}'" if one.comment else ""


def _in_order(proposed: Proposed, fates: Sequence[Fate]) -> list[Fate]:
    """With what was refused before, in the order of the file."""
    return sorted([*fates, *proposed.before], key=lambda one: one.hunk.old_start)


def _choices(fates: Sequence[Fate]) -> dict[int, Choice]:
    kinds = {"kept": KEEP, "refused": DROP, "lost": DROP}
    return {one.hunk.number: kinds.get(one.kind, Choice("edited", one.text)) for one in fates}


def _now(located: Located) -> Loaded | None:
    """None = there is no such file."""
    try:
        return load(located)
    except Missing:
        return None


def _is_same(now: Loaded | None, was: Loaded | None) -> bool:
    if now is None or was is None:
        return now is was
    return now.digest == was.digest


def _misfits(now: Loaded | None, parts: Sequence[Hunk]) -> dict[int, str]:
    """By number, why a part does not fit the file as it is; empty = it does."""
    if now is None:
        return {hunk.number: "the file is gone" for hunk in parts}
    if kind := binary_kind(now.data):
        return {hunk.number: f"the file is not text any more ({kind})" for hunk in parts}
    return fits(decode(now.data)[0], parts)


def _lost(one: Fate, why: str) -> Fate:
    return Fate(one.hunk, "lost", why) if why and one.applied else one


def _other(change: Change, after: str) -> Change:
    return planned(change.located, change.before, after, change.encoding, change.was)


def _merged(located: Located, now: Loaded, parts: Sequence[Hunk], fates: Sequence[Fate]) -> Change:
    text, encoding = decode(now.data)
    return planned(located, text, merged(text, parts, _choices(fates)), encoding, now)
