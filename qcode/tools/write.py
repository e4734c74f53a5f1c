"""Make a file, or replace all of it."""

import asyncio
from typing import Annotated, ClassVar, Literal

import msgspec
from msgspec import Meta

from qcode.protocol.access import Access
from qcode.protocol.text import one_line, well_formed
from qcode.tools.base import Context, Outcome, failed
from qcode.tools.carrying import carried_out
from qcode.tools.change import Change, planned
from qcode.tools.showing import count
from qcode.workspace.closest import placeholder
from qcode.workspace.encoding import Encoding, binary_kind, decode, line_end
from qcode.workspace.files import Loaded, Located, load
from qcode.workspace.trouble import FileTrouble, Missing


class Write(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Create a file, or replace the whole of one that was read before."""

    name: ClassVar[str] = "write"
    effect: ClassVar[Literal["read", "write"]] = "write"

    path: str
    content: Annotated[str, Meta(description="All of the file's text.")]

    def summary(self) -> str:
        """The path."""
        return one_line(self.path)

    def accesses(self) -> tuple[Access, ...]:
        """The file."""
        return (Access("edit", self.path),)

    async def run(self, context: Context) -> Outcome:
        """Write it; remembers its digest as seen."""
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
            change = await asyncio.to_thread(self._change, located, seen)
        except FileTrouble as error:
            return failed(str(error))
        if change.was is not None and change.before == change.after:
            return Outcome(f"{located.shown} already holds exactly this.")
        return change.saying(_reply(change))

    def _change(self, located: Located, seen: str | None) -> Change:
        """Raises FileTrouble when the file may not be replaced."""
        content = well_formed(self.content)
        if self.path.rstrip().endswith("/"):
            raise FileTrouble(f"{located.shown}/ names a folder. Name a file in it.")
        try:
            was = load(located)
        except Missing:
            return planned(located, "", content, Encoding(), None)
        before, encoding = _known(located, was, seen)
        if left_out := placeholder(content, before):
            raise FileTrouble(
                f"{located.shown}: the line `{one_line(left_out)}` stands for code that was left "
                "out, and would replace it. Write all of the file, or use edit."
            )
        return planned(located, before, _in_style(content, before), encoding, was)


def _known(located: Located, was: Loaded, seen: str | None) -> tuple[str, Encoding]:
    """Text and encoding of the file there is. Raises FileTrouble unless it may be replaced."""
    if not was.data:
        return "", Encoding()
    if kind := binary_kind(was.data):
        raise FileTrouble(f"{located.shown} is {kind}; write only replaces text.")
    if seen is None:
        raise FileTrouble(
            f"{located.shown} exists and was not read yet. Read it first, or change a part of it "
            "with edit. Nothing was written."
        )
    if seen != was.digest:
        raise FileTrouble(
            f"{located.shown} changed on disk since it was read. Read it again. "
            "Nothing was written."
        )
    return decode(was.data)


def _in_style(content: str, before: str) -> str:
    """With the line ends of the file that is replaced."""
    if line_end(before) == "\r\n" and "\r" not in content:
        return content.replace("\n", "\r\n")
    return content


def _reply(change: Change) -> str:
    lines = change.after.count("\n") + (not change.after.endswith("\n") and change.after != "")
    shown, block = change.located.shown, change.block
    if change.was is None:
        return f"Created {shown} ({count(lines, 'line')})."
    return f"Replaced {shown} (+{block.added} -{block.removed}, now {count(lines, 'line')})."
