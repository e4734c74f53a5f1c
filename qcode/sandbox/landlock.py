"""The fence without namespaces: Landlock for files, a filter of calls for sockets.

For systems that let nobody make user namespaces. Weaker than the others (`promises.weaker`): it
cannot keep a name inside of the workspace from being written (`watch` finds that out and undoes
it), and no program inside has sockets. So it counts only where the person accepted it.
"""

import marshal
import os
import platform
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
from qcode.sandbox.passing import pass_away, passing
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
        self._ahead: Grants | None = None
        """By which rules what waits was started."""

    def around(self, inside: Inside) -> Wrapped:
        """The launcher, its plan, and the rules."""
        rules = os.dup(self._current())
        try:
            told = in_memory("plan", compiled(LAUNCHER) + self._plan(inside))
        except BaseException:
            os.close(rules)
            raise
        return Wrapped(_words(told, rules), {}, (told, rules))

    def ahead(self) -> Ahead | None:
        """The launcher with the rules as they are now."""
        rules = os.dup(self._current())
        try:
            reading, writing = os.pipe()
        except OSError:
            os.close(rules)
            raise
        os.write(writing, compiled(LAUNCHER))  # 40 KB: it fits into the pipe
        self._ahead = self._granted
        return Ahead(_words(reading, rules), (reading, rules), writing)

    def message(self, inside: Inside) -> Message:
        """The plan. Raises OSError where what waits has rules that hold no longer."""
        if self._ahead is not self._granted or not self._are_current():
            raise OSError("what the rules were made from has changed")
        return Message(self._plan(inside), ())

    def network(self) -> Network | None:
        """There is none inside."""
        return None

    def left(self) -> None:
        """Nothing stood in."""

    def close(self) -> None:
        """No command follows. Never raises."""
        if self._rules >= 0:
            os.close(self._rules)
            self._rules, self._granted = -1, None
        if self._tmp is not None:
            pass_away(self._tmp)
            self._tmp = None

    def _current(self) -> int:
        """The rules; made anew when a folder that they were made from has changed."""
        if not self._are_current():
            tmp = self._private()
            granted = grants(self.ground, tmp)
            made = ruleset(granted.read, granted.write)
            if self._rules >= 0:
                os.close(self._rules)
            self._rules, self._granted, self._seen = made, granted, _state(granted)
        return self._rules

    def _plan(self, inside: Inside) -> bytes:
        return marshal.dumps(_told(inside, self._private()))

    def _are_current(self) -> bool:
        return self._granted is not None and self._seen == _state(self._granted)

    def _private(self) -> Path:
        if self._tmp is None or not self._tmp.is_dir():
            self._tmp = passing().resolve()
        return self._tmp


def _words(told: int, rules: int) -> tuple[str, ...]:
    return words(told, LAUNCHER, f"['confine'](f,{rules})")


def _state(granted: Grants) -> object:
    """Changes with what was looked at; rules hold on to files, not to their names."""
    found = []
    for path in (*granted.folders, *granted.write):
        with suppress(OSError):
            known = Path(path).lstat()
            changed = known.st_mtime_ns if path in granted.folders else 0
            found.append((path, known.st_ino, known.st_dev, changed))
    return found


def _told(inside: Inside, tmp: Path) -> dict[str, object]:
    """`processes` is the watcher's: the kernel would count all of the user's."""
    return {
        "processes": 0,
        "filter": seccomp.program_without_namespaces(platform.machine()),
        "words": list(inside.words),
        "folder": str(inside.folder),
        "environment": moved(inside.environment, tmp),
    }
