"""What `write` and `edit` share: new text for a file, told before it is written."""

import asyncio
from collections.abc import MutableMapping
from pathlib import Path

import msgspec
from msgspec.structs import replace

from qcode.protocol.display import DiffBlock
from qcode.protocol.text import well_formed
from qcode.workspace.diff import counts, unified
from qcode.workspace.encoding import Encoding, unencodable
from qcode.workspace.files import Loaded, Located
from qcode.workspace.save import save
from qcode.workspace.trouble import FileTrouble


class Change(msgspec.Struct, frozen=True):
    """One file's text before and after, with its own line ends. Nothing is written by making it;
    `planned` does."""

    located: Located
    before: str
    after: str
    encoding: Encoding
    was: Loaded | None
    """None = the file is new."""
    block: DiffBlock
    said: str = ""
    """For the model, once it is written."""

    def put(self) -> str:
        """Write it; returns the digest. Raises FileTrouble; then the file is as it was."""
        return save(self.located, self.encoding.encode(self.after), self.was)

    def saying(self, text: str) -> "Change":
        """The same with words for the model."""
        return replace(self, said=text)


async def written(change: Change, seen: MutableMapping[Path, str]) -> None:
    """Write it, and take its digest into `seen` where the model knows all of what was there.

    Once begun it is not cut off: who cancels meanwhile is answered behind it, at the next
    opportunity, so that what is said of the file is true. A second cancel does not wait. Raises
    FileTrouble.
    """
    digest = await _outlasting(asyncio.ensure_future(asyncio.to_thread(change.put)))
    path = change.located.path
    if path in seen or change.was is None or not change.was.data:
        seen[path] = digest


async def _outlasting(work: "asyncio.Future[str]") -> str:
    """What comes of `work`. A cancel that comes first is put off, not lost."""
    try:
        await asyncio.wait([work])
    except asyncio.CancelledError:
        await asyncio.wait([work])
        if task := asyncio.current_task():
            task.uncancel()  # it is the same one: time limits count them
            task.cancel()
    return work.result()


def planned(
    located: Located, before: str, after: str, encoding: Encoding, was: Loaded | None
) -> Change:
    """The change. Raises FileTrouble for text that the file's encoding cannot hold."""
    if lacking := unencodable(after, encoding):
        raise FileTrouble(
            f"{located.shown} is written in {encoding.shown}, which has no character "
            f"{well_formed(lacking)!r} (U+{ord(lacking):04X}). Leave it out, or convert the "
            "file to UTF-8 first. Nothing was changed."
        )
    return Change(located, before, after, encoding, was, _block(located, before, after))


def _block(located: Located, before: str, after: str) -> DiffBlock:
    """Its hunks are those of `review.hunks` of the same texts."""
    patch = well_formed(unified(before, after, located.shown).replace("\r\n", "\n"))
    return DiffBlock(located.shown, patch, *counts(patch))
