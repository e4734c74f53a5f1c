"""Which file came to a name by a renaming, where it was seen when it was made under another one."""

import msgspec

from qcode.sandbox.aside import identity
from qcode.sandbox.inotify import Change

MOST = 1_000
Identity = tuple[int, int]
UNKNOWN: Identity = (0, 0)


class _File(msgspec.Struct):
    identity: Identity
    written: int = 0


class Made:
    """The files that were made in some folders of late."""

    def __init__(self) -> None:
        self._files: dict[str, _File] = {}
        self._moving: tuple[int, Identity] = (0, UNKNOWN)

    def follow(self, change: Change) -> Identity:
        """What came by it to its name; unknown also where more than one had written it."""
        if change.kind == "written":
            if change.path in self._files:
                self._files[change.path].written += 1
        elif change.kind == "gone":
            file = self._files.pop(change.path, None)
            clean = file.identity if file and file.written <= 1 else UNKNOWN
            self._moving = (change.moved, clean)
        elif change.moved:
            self._files.pop(change.path, None)
            moved, came = self._moving
            return came if moved == change.moved else UNKNOWN
        else:
            if len(self._files) >= MOST:
                self._files.clear()
            self._files[change.path] = _File(identity(change.path))
        return UNKNOWN
