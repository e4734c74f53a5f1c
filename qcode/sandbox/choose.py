"""The strongest fence that a trial run proves here."""

import hashlib
import json
import os
import platform
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from qcode import __version__
from qcode.sandbox import bubblewrap
from qcode.sandbox.fence import Fence
from qcode.sandbox.ground import Ground
from qcode.sandbox.namespaces import LAUNCHER, Namespaces
from qcode.sandbox.trial import trial

Make = Callable[[Ground], Fence]


@dataclass(frozen=True, slots=True)
class Choice:
    """What commands get."""

    fence: Fence | None
    """None = there is none."""
    why: str
    """Why there is none, a sentence; empty = there is one."""


def choose(ground: Ground, state: Path, environment: Mapping[str, str] = os.environ) -> Choice:
    """`state` must exist; what was proven is kept in it until the next boot or version."""
    if why := _impossible(ground):
        return Choice(None, why)
    known, said = _proven(state), []
    for name, make in candidates(environment):
        if name in known:
            return Choice(make(ground), "")
        found = trial(make, state)
        if found.proven:
            _keep(state, name)
            return Choice(make(ground), "")
        said.append(f"{name}: {found.why or ', '.join(found.broken.values())}")
    return Choice(None, f"No fence holds here ({'; '.join(said)}).")


def candidates(environment: Mapping[str, str]) -> Iterator[tuple[str, Make]]:
    """Name and maker of each that may work here, the strongest first.

    Namespaces before bubblewrap: what a command leaves running can become a job there.
    """
    yield Namespaces.name, Namespaces
    if found := bubblewrap.program(environment):
        yield bubblewrap.Bubblewrap.name, lambda ground: bubblewrap.Bubblewrap(ground, found)


def _impossible(ground: Ground) -> str:
    if sys.platform != "linux":
        return f"This version has no fence for {platform.system()}."
    for folder in ground.writable:
        if folder == Path("/") or folder.is_relative_to("/proc") or folder.is_relative_to("/sys"):
            return f"A fence around {folder} would enclose nothing. Start in a project's folder."
    return ""


def _proven(state: Path) -> tuple[str, ...]:
    with suppress(OSError, ValueError):
        kept = json.loads(_file(state).read_bytes())
        if isinstance(kept, dict) and kept.get("key") == _key() and kept.get("name"):
            return (str(kept["name"]),)
    return ()


def _keep(state: Path, name: str) -> None:
    with suppress(OSError):  # the next start tries again, then
        _file(state).write_text(json.dumps({"key": _key(), "name": name}))


def _file(state: Path) -> Path:
    return state / "fence.json"


def _key() -> str:
    """Changes with whatever may change the outcome."""
    boot = Path("/proc/sys/kernel/random/boot_id").read_text()
    code = b"".join(Path(__file__).with_name(name).read_bytes() for name in LAUNCHER)
    parts = (boot, __version__, platform.release(), str(os.getuid()), sys.executable)
    namespace = os.readlink("/proc/self/ns/user")  # noqa: PTH115 - a text, not a path
    return hashlib.sha256("\0".join((*parts, namespace)).encode() + code).hexdigest()
