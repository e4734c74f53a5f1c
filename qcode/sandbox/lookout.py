"""Protected names that somebody outside replaces while commands run inside: those are ended.

A protected name is a mount on the file that is there. When that file is renamed, removed or
replaced outside (`git config`, `git clean`, an editor), the kernel takes the mount away in every
namespace, and what runs inside can write the next file of this name. No mount prevents it: the
folder around it must stay writable, for git replaces its index by renaming, and Landlock grants a
folder whole or not at all. To be asked about every call (seccomp's notifications) would cost a
build more than the build.

So the names are listened to while something runs, and at the first such event all that runs with
the old mount is killed. What spins is faster than any listener. Therefore the events are read on
until all of it has ended. Only a file that was seen to be made under another name (`config.lock`),
to be written once, and to be renamed with nothing after it, stays; of any other nobody can tell
whose work it is. It is set aside, and a file is put back as it was when the last command began.
What is left: who writes into `config.lock` just before it is closed, so that the kernel tells both
as one, and the moments until a file is set aside. So a person is told to look in any case.
"""

import _thread
import os
import signal
import threading
import time
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress

import msgspec

from qcode.sandbox.aside import Kept, identity, keep, set_aside
from qcode.sandbox.ear import Ear
from qcode.sandbox.group import Group
from qcode.sandbox.inotify import Change
from qcode.sandbox.made import UNKNOWN, Identity, Made
from qcode.sandbox.tracking import only_tracks

WAIT_SECONDS, PAUSE_SECONDS = 2.0, 0.000_5
LAST_SECONDS = 0.005
"""bubblewrap's init is in a group of its own, and is killed when that of the other has ended."""
MOST_MADE = 1_000


class Guarding(msgspec.Struct, eq=False):
    """The names of one command."""

    names: frozenset[str]
    group: int = 0
    """0 = it has not started."""
    over: bool = False


class _Finding(msgspec.Struct):
    """What happened to one name, from the first event on which its mount was gone."""

    made: Identity
    """Of the file that was seen to be made for it."""
    touched: bool
    """A second time, or in a way that would not be seen."""


class _Findings(msgspec.Struct):
    by_name: dict[str, _Finding] = msgspec.field(default_factory=dict)
    ended: dict[Guarding, None] = msgspec.field(default_factory=dict)


class Lookout:
    """Over the commands of one runner. Costs nothing while none runs."""

    def __init__(self, told: Callable[[int, str], None], ear: Callable[[], Ear] = Ear) -> None:
        """`told` is given group and sentence, in another thread."""
        self._new_ear = ear
        self._told = told
        self._lock = threading.Lock()
        self._guardings: set[Guarding] = set()
        self._kept: dict[str, Kept] = {}
        self._ear: Ear | None = None
        self._made = Made()

    def begin(self, names: Collection[str]) -> Guarding:
        """A command is about to be started; before its mounts are made. Raises OSError."""
        guarding = Guarding(frozenset(names))
        if not names:
            return guarding
        with self._lock:
            if self._ear is None:
                self._ear = self._opened()
            else:
                self._heard(self._ear.read())  # what came before is not its business
            self._ear.add({it.rpartition("/")[0] for it in names})
            self._kept |= {name: keep(name, self._kept.get(name)) for name in names}
            self._guardings.add(guarding)
        return guarding

    def started(self, guarding: Guarding, group: int) -> None:
        """It runs as this group."""
        with self._lock:
            guarding.group = group
            if guarding.over:
                _kill(group)

    def end(self, guarding: Guarding) -> None:
        """Nothing of it runs, or it never started."""
        with self._lock:
            self._guardings.discard(guarding)
            if not self._guardings and self._ear is not None:
                self._ear.wake()
                self._ear = None

    def _opened(self) -> Ear:
        ear = self._new_ear()
        self._made = Made()
        # `threading.Thread.start` waits until it runs: 1 to 4 ms on a busy machine, each command
        _thread.start_new_thread(self._listen, (ear,))
        return ear

    def _listen(self, ear: Ear) -> None:
        try:
            while ear.wait():
                with self._lock:
                    if self._ear is not ear:
                        return
                    self._heard(ear.read())
        finally:
            ear.close()

    def _heard(self, changes: Iterable[Change]) -> None:
        """With the lock."""
        found = _Findings()
        for change in changes:
            self._one(change, found)
        if not found.ended or self._ear is None:
            return
        _wait({it.group for it in found.ended if it.group})
        for change in self._ear.read():
            self._one(change, found)
        sentences = [self._settle(*it) for it in sorted(found.by_name.items())]
        for guarding in found.ended:
            for sentence in sentences:
                self._told(guarding.group, sentence)

    def _one(self, change: Change, found: _Findings) -> None:
        if not change.path:
            for name in {it for one in self._guardings for it in one.names}:
                if identity(name) != self._kept[name].identity:
                    self._replaced(name, _Finding(UNKNOWN, touched=True), found)
            return
        if change.path in found.by_name:
            found.by_name[change.path].touched = True
            return
        made = self._made.follow(change)
        if change.kind != "written":  # into the file that is there: its mount stays
            touched = change.folder and change.kind == "came"  # in it nothing is listened to
            self._replaced(change.path, _Finding(made, touched), found)

    def _replaced(self, name: str, finding: _Finding, found: _Findings) -> None:
        for guarding in self._guardings:
            if name not in guarding.names:
                continue
            if not guarding.over:
                guarding.over = True
                _kill(guarding.group)
                found.ended[guarding] = None
            if guarding in found.ended:  # and may live still
                found.by_name[name] = finding

    def _settle(self, name: str, finding: _Finding) -> str:
        said = f"{name} was replaced or removed outside while this ran in the fence with the old "
        said += "one protected, so it was ended."
        now = identity(name)
        if now == UNKNOWN:
            return said
        if not finding.touched and now == finding.made:
            return f"{said} It was not seen to touch the new one; have a look at it all the same."
        if _is_harmless(name, self._kept.get(name)):
            return f"{said} Nothing but which branch follows which is new in it."
        other, back = set_aside(name, self._kept.get(name))
        if not other:
            return f"{said} It may have written the new one, which could not be moved: look at it."
        state = "is again what it was before" if back else "is not there any more"
        return f"{said} It may have written the new one, which is {other} now; {name} {state}."


def _is_harmless(name: str, kept: Kept | None) -> bool:
    if kept is None or not name.endswith("/config"):
        return False
    now = keep(name, None).held
    was = kept.held
    if was.data is None or now.data is None or was.rights != now.rights:
        return False
    return only_tracks(was.data, now.data)


def _kill(group: int) -> None:
    if group:
        with suppress(OSError):  # it has ended
            os.killpg(group, signal.SIGKILL)


def _wait(groups: set[int]) -> None:
    """Until nothing of them runs, for a while."""
    left, deadline = [Group(it) for it in groups], time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline and any(it.alive() for it in left):
        time.sleep(PAUSE_SECONDS)
    time.sleep(LAST_SECONDS)
