"""The fence without any tool: namespaces and bind mounts, raised by `launcher`.

Linux from 5.12 on (`mount_setattr`), where an unprivileged user may make user namespaces.
"""

import functools
import marshal
import os
import sys
from pathlib import Path
from types import CodeType
from typing import Any

from qcode.sandbox.fence import Inside, Wrapped
from qcode.sandbox.ground import Ground
from qcode.sandbox.plan import Plan
from qcode.sandbox.standing import Standing

PROCESSES = 8_192
"""Processes and threads of one command; the kernel does not count those of root."""
_BOOT = (
    "import marshal;c,p=marshal.load(open({0},'rb'));s={{'__name__':'launcher'}};"
    "exec(c,s);s['main'](p)"
)


class Namespaces:
    """See `Fence`."""

    name = "namespaces"

    def __init__(self, ground: Ground) -> None:
        self._standing = Standing(ground)

    def around(self, inside: Inside) -> Wrapped:
        """The launcher and its plan, in a file that only it and this process have."""
        held, plan = self._standing.stand()
        try:
            told = _memory(marshal.dumps((_launcher(), _told(plan, inside, held))))
        except BaseException:
            for descriptor in held:
                os.close(descriptor)
            raise
        words = (sys.executable, "-I", "-S", "-c", _BOOT.format(told))
        return Wrapped(words, {}, (told, *held))

    def left(self) -> None:
        """A command has ended."""
        self._standing.sweep()

    def close(self) -> None:
        """No command follows."""
        self._standing.close()


def _told(plan: Plan, inside: Inside, held: tuple[int, ...]) -> dict[str, Any]:
    return {
        "places": [(place.kind, place.path, place.source) for place in plan.places],
        "held": list(held),
        "processes": PROCESSES,
        "words": list(inside.words),
        "folder": str(inside.folder),
        "environment": dict(inside.environment),
    }


@functools.cache
def _launcher() -> CodeType:
    """Compiled once: compiling costs as much as half a start of Python."""
    path = Path(__file__).with_name("launcher.py")
    return compile(path.read_bytes(), "launcher.py", "exec", dont_inherit=True)


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
