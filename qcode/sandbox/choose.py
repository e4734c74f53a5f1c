"""The strongest fence that a trial run proves here."""

import hashlib
import json
import os
import platform
import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from qcode import __version__
from qcode.sandbox import bubblewrap
from qcode.sandbox.fence import Fence
from qcode.sandbox.ground import Ground
from qcode.sandbox.landlock import LAUNCHER, Landlock
from qcode.sandbox.namespaces import Namespaces
from qcode.sandbox.seatbelt import Seatbelt

if TYPE_CHECKING:
    from qcode.sandbox.trial import Trial

CHECK = "`qcode sandbox check` says what was tried."
Make = Callable[[Ground], Fence]
LANDLOCK = Landlock.name
WEAKER = {
    LANDLOCK: "that a protected name was written is found out afterwards and undone, rights and "
    "times of files outside can be changed, and programs inside have no sockets, so it counts only "
    'with [sandbox] accept_landlock = "yes"'
}
"""Fences that count only where the person accepted them -> why."""
CODE = (
    *(*LAUNCHER, "founder.py", "entering.py", "plan.py", "seccomp.py", "bubblewrap.py"),
    *("granting.py", "ruleset.py", "seatbelt.py", "probes.py"),
)
"""Of what is proven."""


class Choice(msgspec.Struct, frozen=True):
    """What commands get."""

    fence: Fence | None
    """None = there is none."""
    why: str
    """Why there is none, a sentence; empty = there is one."""


def choose(
    ground: Ground,
    state: Path,
    environment: Mapping[str, str] = os.environ,
    accepted: Collection[str] = (),
) -> Choice:
    """`state` must exist; what was proven is kept in it until the next boot or version.

    `accepted`: weaker fences that count because the person said so (`LANDLOCK`).
    """
    if why := _impossible(ground):
        return Choice(None, why)
    known, said = _proven(state), []
    # what was proven comes first: the others would fail again at each start
    found_before = [name for name in known if name not in WEAKER]
    for name, make in sorted(candidates(environment), key=lambda it: it[0] not in found_before):
        if name in WEAKER and name not in accepted:
            said.append(f"{name}: {WEAKER[name]}")
            continue
        if name in known:
            return Choice(make(ground), "")
        found = _tried(make, state)
        if found.proven:
            _keep(state, name)
            return Choice(make(ground), "")
        said.append(f"{name}: {found.why or ', '.join(found.broken.values())}")
    return Choice(None, f"No fence holds here ({'; '.join(said)}). {CHECK}")


def _tried(make: Make, state: Path) -> "Trial":
    from qcode.sandbox.trial import trial  # noqa: PLC0415 - once a boot, and 3 ms of every start

    return trial(make, state)


def proven(
    ground: Ground,
    state: Path,
    environment: Mapping[str, str] = os.environ,
    accepted: Collection[str] = (),
) -> str:
    """The fence that an earlier trial proved here, as `choose` would take it; empty = none was, or
    not since the last boot. Tries nothing."""
    known = () if _impossible(ground) else _proven(state)
    names = [name for name, _ in candidates(environment)]
    taken = [name for name in names if name not in WEAKER or name in accepted]
    return next((name for name in taken if name in known), "")


def candidates(environment: Mapping[str, str]) -> Iterator[tuple[str, Make]]:
    """Name and maker of each that may work here, the strongest first.

    Namespaces before bubblewrap: both promise the same (`qcode sandbox check` tries them), but
    behind bubblewrap what a command leaves running ends with it, where it could become a job, a
    place that lies behind a link cannot be covered, and each command waits longer for it. It
    remains for systems that give namespaces to no other program.
    """
    if sys.platform == "linux":
        yield Namespaces.name, Namespaces
        if found := bubblewrap.program(environment):
            yield bubblewrap.Bubblewrap.name, lambda ground: bubblewrap.Bubblewrap(ground, found)
        yield LANDLOCK, Landlock
    if sys.platform == "darwin":
        yield Seatbelt.name, Seatbelt


def _impossible(ground: Ground) -> str:
    if sys.platform not in ("linux", "darwin"):
        return f"This version has no fence for {platform.system()}."
    for folder in ground.writable:
        if folder == Path("/") or folder.is_relative_to("/proc") or folder.is_relative_to("/sys"):
            return f"A fence around {folder} would enclose nothing. Start in a project's folder."
    return ""


def _proven(state: Path) -> tuple[str, ...]:
    with suppress(OSError, ValueError, RecursionError):
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
    code = b"".join(Path(__file__).with_name(name).read_bytes() for name in CODE)
    parts = (__version__, platform.release(), str(os.getuid()), sys.executable, *_boot())
    return hashlib.sha256("\0".join(parts).encode() + code).hexdigest()


def _boot() -> tuple[str, ...]:
    """A Mac says no such thing; there the release of the system stands for it."""
    if sys.platform != "linux":
        return ()
    boot = Path("/proc/sys/kernel/random/boot_id").read_text()
    return boot, os.readlink("/proc/self/ns/user")  # noqa: PTH115 - a text, not a path
