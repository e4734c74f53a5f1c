"""The fence without any tool: namespaces and bind mounts, raised by `launcher`.

Linux from 5.12 on (`mount_setattr`), where an unprivileged user may make user namespaces.
"""

import functools
import marshal
import os
import sys
from pathlib import Path
from typing import Any

from qcode.sandbox.fence import Ahead, Inside, Message, Wrapped
from qcode.sandbox.ground import Ground
from qcode.sandbox.plan import Plan
from qcode.sandbox.standing import Standing

PROCESSES = 8_192
"""Processes and threads of one command; the kernel does not count those of root."""
LAUNCHER = ("mounting.py", "launcher.py")
"""They share one namespace of names there, in which each finds what the ones before it made."""
_BOOT = (
    "import marshal;f=open({},'rb');s={{'__name__':'launcher'}};"
    "exec(marshal.load(f),s);exec(marshal.load(f),s);s['begin'](f)"
)


class Namespaces:
    """See `Fence`."""

    name = "namespaces"

    def __init__(self, ground: Ground) -> None:
        self._standing = Standing(ground)

    def around(self, inside: Inside) -> Wrapped:
        """The launcher and its plan, in a file that only it and this process have."""
        said = self.message(inside)
        try:
            told = _memory(_launcher() + said.data)
        except BaseException:
            _close(said.held)
            raise
        return Wrapped(_words(told), {}, (told,), said.held)

    def ahead(self) -> Ahead | None:
        """The launcher, which starts, and waits for its plan: half of all the time it takes."""
        if sys.platform != "linux":
            return None
        reading, writing = os.pipe()
        os.write(writing, _launcher())  # 20 KB: it fits into the pipe
        return Ahead(_words(reading), (reading,), writing)

    def message(self, inside: Inside) -> Message:
        """The plan as it is now."""
        held, plan = self._standing.stand()
        try:
            return Message(marshal.dumps(_told(plan, inside)), held)
        except BaseException:
            _close(held)
            raise

    def left(self) -> None:
        """A command has ended."""
        self._standing.sweep()

    def close(self) -> None:
        """No command follows."""
        self._standing.close()


def _close(descriptors: tuple[int, ...]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)


def _words(told: int) -> tuple[str, ...]:
    return (sys.executable, "-I", "-S", "-c", _BOOT.format(told))


def _told(plan: Plan, inside: Inside) -> dict[str, Any]:
    return {
        "places": [(place.kind, place.path, place.source) for place in plan.places],
        "processes": PROCESSES,
        "words": list(inside.words),
        "folder": str(inside.folder),
        "environment": dict(inside.environment),
    }


@functools.cache
def _launcher() -> bytes:
    """Compiled once: compiling costs as much as half a start of Python."""
    here = Path(__file__)
    sources = ((name, here.with_name(name).read_bytes()) for name in LAUNCHER)
    codes = (compile(source, name, "exec", dont_inherit=True) for name, source in sources)
    return b"".join(map(marshal.dumps, codes))


def _memory(data: bytes) -> int:
    if sys.platform != "linux":
        raise OSError("there are no namespaces on this system")
    descriptor = os.memfd_create("plan")
    try:
        with os.fdopen(os.dup(descriptor), "wb") as file:
            file.write(data)
        os.lseek(descriptor, 0, os.SEEK_SET)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor
