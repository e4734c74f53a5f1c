"""Replace one passage of a file by another."""

import asyncio
from typing import Annotated, ClassVar, Literal

import msgspec
from msgspec import Meta

from qcode.protocol.access import Access
from qcode.protocol.text import one_line, well_formed
from qcode.tools.base import Context, Outcome, failed
from qcode.tools.carrying import carried_out
from qcode.tools.change import Change, planned
from qcode.tools.misses import already, changed_since, not_found, several
from qcode.tools.showing import around, count, missing, span
from qcode.workspace.closest import placeholder
from qcode.workspace.encoding import binary_kind, decode
from qcode.workspace.files import Located, load
from qcode.workspace.match import Matches, Place, match, match_exactly
from qcode.workspace.passage import flat, line_of, put
from qcode.workspace.trouble import FileTrouble, Missing


class Edit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Replace one passage of a file by another."""

    name: ClassVar[str] = "edit"
    effect: ClassVar[Literal["read", "write"]] = "write"

    path: str
    old_string: Annotated[
        str,
        Meta(
            description="The passage as it stands in the file, without line numbers; it must "
            "occur exactly once."
        ),
    ]
    new_string: Annotated[str, Meta(description="What to put in its place.")]
    count: Annotated[Literal["one", "all"], Meta(description="all: replace every occurrence.")] = (
        "one"
    )

    def summary(self) -> str:
        """The path."""
        return one_line(self.path)

    def accesses(self) -> tuple[Access, ...]:
        """The file."""
        return (Access("edit", self.path),)

    async def run(self, context: Context) -> Outcome:
        """Find the passage and replace it; see the reply for how it was found."""
        async with context.write_lock:
            return await carried_out(await self._planned(context), context)

    async def proposal(self, context: Context) -> Change | Outcome:
        """See `base.Proposes`."""
        async with context.write_lock:
            return await self._planned(context)

    async def _planned(self, context: Context) -> Change | Outcome:
        located = context.workspace.resolve(self.path)
        seen = context.seen.get(located.path)
        try:
            found = await asyncio.to_thread(self._change, located, seen)
        except Missing:
            return failed(await asyncio.to_thread(missing, context.workspace, located))
        except FileTrouble as error:
            return failed(str(error))
        if isinstance(found, Change):
            return found
        if seen is not None and found.learnt:
            context.seen[located.path] = found.learnt
        return failed(found.words)

    def _change(self, located: Located, seen: str | None) -> "Change | Miss":
        """Raises FileTrouble."""
        if refusal := self._refusal():
            return Miss(f"{located.shown}: {refusal}")
        was = load(located)
        if kind := binary_kind(was.data):
            return Miss(f"{located.shown} is {kind} and cannot be edited as text.")
        raw, encoding = decode(was.data)
        text, old, new = flat(raw), flat(well_formed(self.old_string)), self._new
        find = match if seen is not None else match_exactly
        if seen is not None and seen != was.digest:
            return Miss(changed_since(located, text, old), was.digest)
        matches = find(text, old, new)
        if matches is None:
            return Miss(already(located, text, new) or not_found(located, text, old), was.digest)
        if problem := self._ambiguous(located, text, matches):
            return Miss(problem)
        places = _apart(matches.places)
        change = planned(located, raw, put(raw, places), encoding, was)
        return change.saying(_reply(change, matches, places))

    @property
    def _new(self) -> str:
        return flat(well_formed(self.new_string))

    def _refusal(self) -> str:
        """What is wrong with the arguments alone; empty = nothing."""
        if not self.old_string:
            return (
                "old_string is empty. Quote the passage to replace; to add lines, quote the one "
                "before them and repeat it in new_string. write makes a new file."
            )
        if flat(self.old_string) == flat(self.new_string):
            return "old_string and new_string are equal, so nothing would change."
        if left_out := placeholder(self.new_string, self.old_string):
            return (
                f"the line `{one_line(left_out)}` of new_string stands for code that was left "
                "out. Write that code, or quote a smaller passage. Nothing was changed."
            )
        return ""

    def _ambiguous(self, located: Located, text: str, matches: Matches) -> str:
        if len(matches.places) == 1 or (self.count == "all" and matches.step == "exact"):
            return ""
        return several(located, text, matches)


class Miss(msgspec.Struct, frozen=True):
    """Why nothing can be replaced."""

    words: str
    learnt: str = ""
    """Digest of the file as the words show it; empty = the model learns nothing of it."""


def _apart(places: tuple[Place, ...]) -> tuple[Place, ...]:
    """Without those that overlap one before them."""
    kept: list[Place] = []
    for place in places:
        if not kept or place.start >= kept[-1].end:
            kept.append(place)
    return tuple(kept)


def _reply(change: Change, matches: Matches, places: tuple[Place, ...]) -> str:
    text, shown = flat(change.after), change.located.shown
    first = line_of(text, places[0].start)
    if len(places) > 1:
        return f"Edited {shown}: {count(len(places), 'place')} replaced."
    last = first + places[0].new.removesuffix("\n").count("\n")
    where = span(first, last)
    if matches.step == "exact":
        return f"Edited {shown}, now {where}."
    lines = text.split("\n")
    return f"Edited {shown} ({matches.step}). It now reads, {where}:\n{around(lines, first, last)}"
