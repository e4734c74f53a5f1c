"""What a project tells agents: AGENTS.md and its kin, from the repository's root down to the
folder, the nearest last."""

import os
from pathlib import Path

import msgspec

from qcode.protocol.text import plain, well_formed
from qcode.workspace.encoding import decode
from qcode.workspace.files import Located, load
from qcode.workspace.ignore import repository
from qcode.workspace.trouble import FileTrouble, Missing

NAMES = ("AGENTS.md", "QWEN.md", "CLAUDE.md", "GEMINI.md")
"""The first that a folder has is taken."""
LIMIT_BYTES = 8 * 1024


class Instructions(msgspec.Struct, frozen=True):
    """Text for the first user message."""

    text: str
    """Empty = the project says nothing."""
    sources: tuple[str, ...]
    """Paths as seen from the folder, the nearest last."""
    unread: tuple[str, ...] = ()
    """A sentence for each file that is there and could not be read."""


def instructions(folder: Path, limit: int = LIMIT_BYTES) -> Instructions:
    """All that hold in `folder`, at most `limit` bytes: the nearest are cut last."""
    folder = Path(os.path.realpath(folder))
    unread: list[str] = []
    found = _without_copies(_read(folder, repository(folder) or folder, unread))
    kept: list[str] = []
    for path, text in reversed(found):
        shown = os.path.relpath(path, folder)
        piece = _cut(text, shown, limit)
        limit -= len(piece.encode())
        kept.append(f"# {shown}\n\n{piece}")
    names = tuple(os.path.relpath(path, folder) for path, _ in found)
    return Instructions("\n\n".join(reversed(kept)), names, tuple(unread))


def _read(folder: Path, top: Path, unread: list[str]) -> list[tuple[Path, str]]:
    levels = [level for level in (folder, *folder.parents) if level.is_relative_to(top)]
    return [one for level in reversed(levels) if (one := _at(level, top, unread))]


def _at(level: Path, top: Path, unread: list[str]) -> tuple[Path, str] | None:
    """The first file of the list that can be read. A link that leads out of `top` is passed over:
    it would send some other file to the model."""
    for path in (level / name for name in NAMES):
        real = Path(os.path.realpath(path))
        if real.is_relative_to(top) and (text := _text(real, unread)):
            return path, text
    return None


def _text(path: Path, unread: list[str]) -> str:
    try:
        text, _ = decode(load(Located(path, str(path), "workspace")).data)
    except Missing:
        return ""
    except FileTrouble as error:
        unread.append(str(error))
        return ""
    return plain(well_formed(text)).strip()


def _without_copies(found: list[tuple[Path, str]]) -> list[tuple[Path, str]]:
    """Of equal texts only the nearest."""
    later = [{text for _, text in found[index + 1 :]} for index in range(len(found))]
    return [one for one, others in zip(found, later, strict=True) if one[1] not in others]


def _cut(text: str, shown: str, limit: int) -> str:
    data = text.encode()
    if len(data) <= limit:
        return text
    note = f"[{shown} is cut here: {max(limit, 0):,} of {len(data):,} bytes. Read it for the rest.]"
    head = data[: max(limit, 0)].decode(errors="ignore").rpartition("\n")[0]
    return f"{head}\n{note}" if head else note
