"""A place for trials: a home with a secret, a workspace, listeners outside. All made for it."""

import os
import platform
import secrets
import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import msgspec

from qcode.sandbox.ground import Ground
from qcode.sandbox.seccomp import MACHINES


class Scene(msgspec.Struct, frozen=True):
    """Where things are."""

    ground: Ground
    told: dict[str, str]
    """For `probes`."""


MOST_ADDRESS = 100
"""Bytes that the address of a socket may have everywhere. A state folder may have a longer name; no
socket can stand there, and the one that is tried stands in /tmp."""


@contextmanager
def scene(base: Path) -> Iterator[Scene]:
    """Made below `base`, which should not be in /tmp: inside that is another. Raises OSError."""
    with ExitStack() as stack:
        root = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=base, prefix="trial-")))
        root = root.resolve()
        told = {name: str(root / path) for name, path in _PATHS.items()}
        for name in ("home", "workspace", "outside"):
            Path(told[name]).mkdir()
        if len(os.fsencode(told["socket"])) > MOST_ADDRESS:
            near = tempfile.TemporaryDirectory(prefix="qcode-trial-")
            told["socket"] = f"{stack.enter_context(near)}/s"
        _write(told["secret"], told["state"], f"{told['outside']}/file")
        _write(f"{told['workspace']}/.git/config", f"{told['workspace']}/.git/hooks/pre-push")
        tmp = stack.enter_context(tempfile.NamedTemporaryFile("w", prefix="qcode-trial-"))
        tmp.write("x")
        tmp.flush()
        told |= {"tmp": tmp.name, "abstract": f"qcode-{secrets.token_hex(8)}"}
        told["port"] = str(_listeners(stack, told))
        told["process"] = str(os.getpid())
        told |= _numbers()
        told["system"] = sys.platform
        with suppress(OSError):  # only Linux has it
            told["namespace"] = os.readlink("/proc/self/ns/pid")  # noqa: PTH115 - a text
        state = Path(told["state"]).parent
        yield Scene(Ground((Path(told["workspace"]),), Path(told["home"]), own=(state,)), told)


_PATHS = {
    "home": "home",
    "workspace": "workspace",
    "outside": "outside",
    "secret": "home/.ssh/id_trial",
    "state": "home/.local/state/qcode/trial",
    "socket": "outside/s",
}


def _numbers() -> dict[str, str]:
    """Of two calls to the kernel; where they are not known both are empty."""
    machine = MACHINES.get(platform.machine())
    known = machine.numbers if machine else {}
    return {name: str(known.get(name, "")) for name in ("clone3", "keyctl")}


def _write(*paths: str) -> None:
    for path in map(Path, paths):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")


def _listeners(stack: ExitStack, told: dict[str, str]) -> int:
    linux = ["\0" + told["abstract"]] if sys.platform == "linux" else []
    for address in (told["socket"], *linux):
        unix = stack.enter_context(socket.socket(socket.AF_UNIX))
        unix.bind(address)
        unix.listen()
    server = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
    return int(server.getsockname()[1])
