"""Control groups (Linux, version 2): the kernel's own limit for a command and all it starts.

Used where a group above this process's may be written and hands memory and pids on, as systemd does
for the sessions of users; nothing is changed in it but groups of our own. Elsewhere, and under the
older version, `limits` watches, which it does in any case.
"""

import itertools
import os
import time
from contextlib import suppress
from pathlib import Path

import msgspec

ROOT = Path("/sys/fs/cgroup")
OWN = Path("/proc/self/cgroup")
NEEDED = frozenset({"memory", "pids"})
_ENTER = ("/bin/sh", "-c", '{ echo $$ >"$0"; } 2>/dev/null; exec "$@"')
_TRIES, _PAUSE_SECONDS = 20, 0.002
"""What was killed counts for a moment longer."""
_numbers = itertools.count(1)


class Cell(msgspec.Struct, frozen=True):
    """The group of one command."""

    folder: Path

    def enter(self, words: tuple[str, ...]) -> tuple[str, ...]:
        """What enters it and becomes `words`; where it cannot, it runs without."""
        return (*_ENTER, str(self.folder / "cgroup.procs"), *words)

    def close(self) -> str:
        """End what is in it, and it; what the kernel did about its limits, a sentence or nothing.

        Never raises.
        """
        said = self._said()
        with suppress(OSError):
            (self.folder / "cgroup.kill").write_text("1")
        for _ in range(_TRIES):
            try:
                self.folder.rmdir()
            except FileNotFoundError:
                break
            except OSError:
                time.sleep(_PAUSE_SECONDS)
            else:
                break
        return said

    def _said(self) -> str:
        if _count(self.folder / "memory.events", "oom_kill"):
            return "The kernel ended it at the limit of memory (settings [sandbox])."
        if _count(self.folder / "pids.events", "max"):
            return "It was kept from starting more processes than are allowed (settings [sandbox])."
        return ""


def delegated(root: Path = ROOT, own: Path = OWN) -> Path | None:
    """The nearest group in which this process may make others; None = there is none."""
    with suppress(OSError, ValueError):
        (row,) = (it for it in own.read_text().splitlines() if it.startswith("0::/"))
        here = root / row[4:]
        for group in here.parents:
            if not group.is_relative_to(root):
                return None
            if os.access(group, os.W_OK) and os.access(group / "cgroup.procs", os.W_OK):
                handed_on = (group / "cgroup.subtree_control").read_text().split()
                if set(handed_on) >= NEEDED:
                    _sweep(group)
                    return group
    return None


def cell(group: Path, memory_bytes: int, processes: int) -> Cell | None:
    """A new one in `group`; None = it could not be made."""
    folder = group / f"qcode-{os.getpid()}-{next(_numbers)}"
    try:
        folder.mkdir()
    except OSError:
        return None
    made = Cell(folder)
    try:
        (folder / "memory.max").write_text(str(memory_bytes))
        (folder / "pids.max").write_text(str(processes))
    except OSError:
        made.close()
        return None
    with suppress(OSError):  # younger than the rest
        (folder / "memory.oom.group").write_text("1")
    return made


def _sweep(group: Path) -> None:
    """Take away what a killed qcode left; one with something in it is not taken."""
    for folder in group.glob("qcode-*-*"):
        number = folder.name.split("-")[1]
        if number.isdigit() and not Path("/proc", number).exists():
            with suppress(OSError):
                folder.rmdir()


def _count(file: Path, name: str) -> int:
    with suppress(OSError, ValueError):
        rows = dict(line.split() for line in file.read_text().splitlines())
        return int(rows.get(name, 0))
    return 0
