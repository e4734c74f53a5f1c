"""The fence without namespaces: Landlock for files, a filter of calls for sockets.

For systems that let nobody make user namespaces. Weaker than the others (`promises.weaker`): it
cannot keep a name inside of the workspace from being written (`watch` finds that out and undoes
it), and no program inside has sockets. So it counts only where the person accepted it.
"""

import marshal
import os
import platform
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

from qcode.sandbox import seccomp
from qcode.sandbox.fence import Ahead, Inside, Message, Wrapped
from qcode.sandbox.founding import Network
from qcode.sandbox.granting import Grants, grants
from qcode.sandbox.ground import Ground
from qcode.sandbox.handed import compiled, words
from qcode.sandbox.memory import in_memory
from qcode.sandbox.moved import moved
from qcode.sandbox.ruleset import ruleset

LAUNCHER = ("kernel.py", "mounting.py", "launcher.py", "confining.py")


class Landlock:
    """See `Fence`."""

    name = "landlock"

    def __init__(self, ground: Ground) -> None:
        self.ground = ground
        self._tmp: Path | None = None
        self._rules = -1
        self._seen: object = None
        self._granted: Grants | None = None

    def around(self, inside: Inside) -> Wrapped:
        """The launcher, its plan, and the rules."""
        tmp = self._private()
        rules = os.dup(self._current(tmp))
        try:
            told = in_memory("plan", compiled(LAUNCHER) + marshal.dumps(_told(inside, tmp)))
        except BaseException:
            os.close(rules)
            raise
        return Wrapped(words(told, LAUNCHER, f"['confine'](f,{rules})"), {}, (told, rules))

    def ahead(self) -> Ahead | None:
        """The rules are taken when the command is known."""
        return None

    def message(self, inside: Inside) -> Message:
        """Nothing waits for one."""
        raise OSError("Landlock takes its plan when it starts")

    def network(self) -> Network | None:
        """There is none inside."""
        return None

    def left(self) -> None:
        """Nothing stood in."""

    def close(self) -> None:
        """No command follows. Never raises."""
        if self._rules >= 0:
            os.close(self._rules)
            self._rules = -1
        if self._tmp is not None:
            shutil.rmtree(self._tmp, ignore_errors=True)
            self._tmp = None

    def _current(self, tmp: Path) -> int:
        """The rules; made anew when a folder that they were made from has changed."""
        if self._rules < 0 or self._granted is None or self._seen != _state(self._granted, tmp):
            granted = grants(self.ground, tmp)
            seen, made = _state(granted, tmp), ruleset(granted.read, granted.write)
            if self._rules >= 0:
                os.close(self._rules)
            self._rules, self._granted, self._seen = made, granted, seen
        return self._rules

    def _private(self) -> Path:
        if self._tmp is None or not self._tmp.is_dir():
            self._tmp = Path(tempfile.mkdtemp(prefix="qcode-")).resolve()
        return self._tmp


def _state(granted: Grants, tmp: Path) -> object:
    """Changes with what was looked at; rules hold on to files, not to their names."""
    found = []
    for path in (*granted.folders, *granted.write, str(tmp)):
        with suppress(OSError):
            known = Path(path).lstat()
            changed = known.st_mtime_ns if path in granted.folders else 0
            found.append((path, known.st_ino, known.st_dev, changed))
    return found


def _told(inside: Inside, tmp: Path) -> dict[str, object]:
    """`processes` is the watcher's: the kernel would count all of the user's."""
    return {
        "processes": 0,
        "filter": seccomp.program_without_sockets(platform.machine()),
        "words": list(inside.words),
        "folder": str(inside.folder),
        "environment": moved(inside.environment, tmp),
    }
