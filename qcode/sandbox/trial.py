"""Runs the probes inside a fence and says what held."""

import json
import os
import platform
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

import msgspec

from qcode.sandbox.fence import Fence, Inside
from qcode.sandbox.ground import Ground
from qcode.sandbox.keeper import Keeper
from qcode.sandbox.landlock import Landlock
from qcode.sandbox.names import NAMES
from qcode.sandbox.promises import PROMISES, Verdict, weaker
from qcode.sandbox.scene import Scene, scene
from qcode.sandbox.watch import Watch

SECONDS = 15.0
PS = ("ps", "-A", "-ww", "-o", "pid=,args=")


class Trial(msgspec.Struct, frozen=True):
    """What came of it."""

    broken: Mapping[str, str]
    """Promise -> what succeeded; those not in here held."""
    seconds: float
    why: str = ""
    """Why there was no trial at all; empty = there was."""
    weaker: Mapping[str, Verdict] = msgspec.field(default_factory=dict)
    """What this fence does not promise: it counts without."""

    @property
    def proven(self) -> bool:
        """Whether the fence counts as one."""
        return not self.why and not set(self.broken) - set(self.weaker)

    def verdict(self, promise: str) -> Verdict:
        """What came of one."""
        if self.why:
            return "not tried"
        return self.weaker.get(promise, "not held") if promise in self.broken else "held"


def trial(make: Callable[[Ground], Fence], base: Path) -> Trial:
    """Try every promise in a scene below `base`. Never raises for a fence that fails.

    Where it came to nothing it is tried once more: what somebody else removes at that moment, a
    socket that was to be covered say, hinders one trial and not the next.
    """
    found = _tried(make, base)
    return _tried(make, base) if found.why else found


def _tried(make: Callable[[Ground], Fence], base: Path) -> Trial:
    began = time.monotonic()
    try:
        with scene(base) as place:
            fence = make(place.ground)
            broken = _run(fence, place)
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        return Trial({}, time.monotonic() - began, str(error))
    return Trial(broken, time.monotonic() - began, weaker=weaker(fence.name, platform.machine()))


def _run(fence: Fence, place: Scene) -> dict[str, str]:
    # as text: this file may lie where the fence shows nothing
    probes = Path(__file__).with_name("probes.py").read_text(encoding="utf-8")
    mark = f"{place.told['abstract']}-left"
    line = 'setsid sh -c "kill -STOP \\$\\$" "$1" >/dev/null 2>&1 & shift; exec "$@"'
    # Not the one of a virtual environment: that may lie in /tmp, of which the fence has its own.
    python = os.path.realpath(sys.executable)
    words = ("/bin/sh", "-c", line, "sh", mark, python, "-I", "-S", "-c", probes)
    before = _protected(place)
    inside = Inside(
        (*words, json.dumps(place.told)), place.ground.writable[0], {"PATH": os.defpath}
    )
    try:
        printed = _watched(fence, inside, place)
        found = json.loads(printed)
        broken = {name: str(found.get(name, "it was not tried")) for name in PROMISES}
        broken["session-ends"] = "a process runs on" if _runs(mark) else ""
    finally:
        fence.close()
    if _protected(place) != before:  # whatever it looked like inside
        broken["missing-names"] = broken["missing-names"] or "one of them was left on the disk"
    return {name: said for name, said in broken.items() if said}


def _watched(fence: Fence, inside: Inside, place: Scene) -> bytes:
    """What it prints. Where protected names are only watched, they must be as before."""
    if not isinstance(fence, Landlock):
        return _output(fence, inside)
    watch, before = Watch(place.ground), _protected(place)
    watch.begin()
    try:
        return _output(fence, inside)
    finally:
        watch.end()
        if _protected(place) != before:
            raise OSError("what was written under a protected name could not be undone")


def _protected(place: Scene) -> dict[str, bytes]:
    """What stands under protected names now."""
    folder = place.ground.writable[0]
    files = (it for name in NAMES for it in (folder / name, *(folder / name).rglob("*")))
    return {str(it): it.read_bytes() if it.is_file() else b"" for it in files if it.exists()}


def _output(fence: Fence, inside: Inside) -> bytes:
    wrapped, keeper = fence.around(inside), Keeper()  # this process may be killed meanwhile
    words, stdin = keeper.around(wrapped.words)
    try:
        process = subprocess.Popen(
            words,
            env=wrapped.environment,
            pass_fds=wrapped.descriptors,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except BaseException:  # Ctrl+C, too: its process must not stay
        keeper.close()
        raise
    finally:
        for descriptor in wrapped.descriptors:
            os.close(descriptor)
    try:
        printed, said = process.communicate(timeout=SECONDS)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        keeper.ended(process.pid)
        keeper.close()
        for descriptor in wrapped.held:
            os.close(descriptor)
    if process.returncode:
        raise OSError(said.decode(errors="replace").strip() or f"exit {process.returncode}")
    return printed


def _runs(mark: str) -> bool:
    """Whether a process with `mark` in its arguments is left, a moment later; it is ended then."""
    deadline = time.monotonic() + 1.0
    while (left := _marked(mark.encode())) and time.monotonic() < deadline:
        time.sleep(0.002)
    for number in left:
        with suppress(OSError):
            os.kill(number, signal.SIGKILL)
    return bool(left)


def _marked(mark: bytes) -> list[int]:
    numbers = []
    if sys.platform != "linux":
        printed = subprocess.run(PS, capture_output=True, check=True).stdout
        return [int(row.split()[0]) for row in printed.splitlines() if mark in row]
    for entry in Path("/proc").iterdir():
        with suppress(OSError):
            if entry.name.isdigit() and mark in (entry / "cmdline").read_bytes():
                numbers.append(int(entry.name))
    return numbers
