"""A way back for files: what it is given, what it is noted as, what came of it."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from qcode.workspace.kept import FROM_GIT, Kind, Note, Wish
from qcode.workspace.shadow import new_id
from qcode.workspace.tracked import contents

CHANGED = "it was changed since"
"""Why a file is left: somebody else's change would be lost. All other reasons are for good."""


class Back(msgspec.Struct, frozen=True):
    """What became of a restoration, or would."""

    note_id: str
    """Empty = nothing was done, and it may be tried again."""
    done: tuple[str, ...]
    """Paths that were put back."""
    left: dict[str, str]
    """Those that were not, and why."""


class Draft(msgspec.Struct, frozen=True):
    """The checkpoint that a restoration makes."""

    turn: int
    kind: Kind
    of: tuple[str, ...]
    id: str = msgspec.field(default_factory=new_id)


def exactly(notes: Iterable[Note]) -> dict[bytes, Wish]:
    """What all paths were before the first of the notes, whoever changed them since."""
    wishes: dict[bytes, Wish] = {}
    for note in notes:
        for path, before in note.befores.items():
            wishes.setdefault(path, Wish(before, None))
    return wishes


async def fetched(root: Path, wanted: Iterable[bytes]) -> dict[bytes, bytes]:
    """By `Entry.content`: the bytes of those that git has."""
    start = FROM_GIT.encode()
    ids = {one: one[len(start) :].decode() for one in wanted if one.startswith(start)}
    data = await contents(root, ids.values())
    return {content: data[one] for content, one in ids.items() if one in data}


def wanted(wishes: Mapping[bytes, Wish]) -> set[bytes]:
    """`Entry.content` of every file that is wished for."""
    return {wish.target.content for wish in wishes.values() if wish.target.kind == "file"}
