"""The fence without any tool: namespaces and bind mounts, raised by `launcher`.

Linux from 5.12 on (`mount_setattr`), where an unprivileged user may make user namespaces.
"""

import marshal
import os
import platform
import sys
import threading
from typing import Any

from qcode.sandbox import seccomp
from qcode.sandbox.fence import Ahead, Inside, Message, Wrapped
from qcode.sandbox.founding import Network, found
from qcode.sandbox.ground import Ground
from qcode.sandbox.handed import compiled, words
from qcode.sandbox.memory import in_memory
from qcode.sandbox.plan import Plan
from qcode.sandbox.standing import Standing

LAUNCHER = ("kernel.py", "mounting.py", "launcher.py")


class Namespaces:
    """See `Fence`."""

    name = "namespaces"

    def __init__(self, ground: Ground) -> None:
        self._standing = Standing(ground)
        self._network: Network | None = None
        self._founding = threading.Lock()
        self._processes = ground.processes

    def around(self, inside: Inside) -> Wrapped:
        """The launcher and its plan, in a file that only it and this process have."""
        said = self.message(inside)
        try:
            spaces = self.network().spaces()
            try:
                told = in_memory("plan", compiled(LAUNCHER) + said.data)
            except BaseException:
                _close(spaces)
                raise
        except BaseException:
            _close(said.held)
            raise
        return Wrapped(_words(told, *spaces), {}, (told, *spaces), said.held, said.protected)

    def ahead(self) -> Ahead | None:
        """The launcher, which starts, and waits for its plan: half of all the time it takes."""
        if sys.platform != "linux":
            return None
        spaces = self.network().spaces()
        try:
            reading, writing = os.pipe()
        except OSError:
            _close(spaces)
            raise
        os.write(writing, compiled(LAUNCHER))  # 20 KB: it fits into the pipe
        return Ahead(_words(reading, *spaces), (reading, *spaces), writing)

    def message(self, inside: Inside) -> Message:
        """The plan as it is now."""
        held, plan = self._standing.stand()
        try:
            data = marshal.dumps(_told(plan, inside, self._processes))
            return Message(data, held, plan.protected)
        except BaseException:
            _close(held)
            raise

    def left(self) -> None:
        """A command has ended."""
        self._standing.sweep()

    def network(self) -> Network:
        """See `Fence.network`."""
        with self._founding:
            if self._network is None:
                self._network = found()
            return self._network

    def close(self) -> None:
        """No command follows."""
        self._standing.close()
        if self._network is not None:
            self._network.close()
            self._network = None


def _close(descriptors: tuple[int, ...]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)


def _words(told: int, user: int, network: int) -> tuple[str, ...]:
    return words(told, LAUNCHER, f"['begin'](f,{user},{network})")


def _told(plan: Plan, inside: Inside, processes: int) -> dict[str, Any]:
    return {
        "places": [(place.kind, place.path, place.source) for place in plan.places],
        "processes": processes,
        "filter": seccomp.program(platform.machine()),
        "words": list(inside.words),
        "folder": str(inside.folder),
        "environment": dict(inside.environment),
    }
