"""What git already has: files that are as they were committed or staged need no copy."""

import zlib
from collections.abc import Iterable
from pathlib import Path

import msgspec

from qcode.protocol.errors import InputError
from qcode.workspace.git import ask
from qcode.workspace.ignore import repository

_MOST_BYTES = 256 * 1024 * 1024


class Tracked(msgspec.Struct, frozen=True):
    """Files of the index, and those of them that differ."""

    packed: bytes = b""
    """What `ls-files` said; 100,000 rows are held small."""
    dirty: frozenset[str] = frozenset()

    def clean(self) -> dict[str, str]:
        """Path from the root -> object id, without those that differ."""
        made: dict[str, str] = {}
        rows = zlib.decompress(self.packed) if self.packed else b""
        for row in rows.decode("utf-8", "surrogateescape").split("\0"):
            head, _, path = row.partition("\t")
            words = head.split(" ")
            # H: neither assumed unchanged nor left out of the work tree; stage 0: not in conflict
            if len(words) == 4 and words[0] == "H" and words[3] == "0" and words[1][:2] == "10":
                made[path] = words[2]
        for path in self.dirty:
            made.pop(path, None)
        return made


async def tracked(root: Path) -> Tracked:
    """Nothing where there is no repository, or git does not answer."""
    if repository(root) is None:
        return Tracked()
    try:
        rows = await ask(root, ("ls-files", "-z", "-v", "-s"), limit_bytes=_MOST_BYTES)
        options = ("diff-files", "-z", "--name-only", "--relative", "--ignore-submodules=all")
        dirty = await ask(root, options, limit_bytes=_MOST_BYTES)
    except InputError:
        return Tracked()
    if rows.code or dirty.code:
        return Tracked()
    names = dirty.out.decode("utf-8", "surrogateescape").split("\0")
    return Tracked(zlib.compress(rows.out, 1), frozenset(filter(None, names)))


async def contents(root: Path, ids: Iterable[str]) -> dict[str, bytes]:
    """Object id -> bytes, without those that git does not have any more."""
    wanted = sorted(set(ids))
    if not wanted:
        return {}
    given = "".join(f"{one}\n" for one in wanted).encode()
    try:
        reply = await ask(root, ("cat-file", "--batch"), given, _MOST_BYTES)
    except InputError:
        return {}
    return _parted(reply.out)


def _parted(out: bytes) -> dict[str, bytes]:
    made, at = {}, 0
    while (end := out.find(b"\n", at)) >= 0:
        words = out[at:end].split(b" ")
        at = end + 1
        if len(words) == 3 and words[1] == b"blob":
            size = int(words[2])
            data = out[at : at + size]
            if len(data) == size:
                made[words[0].decode()] = data
            at += size + 1
    return made
