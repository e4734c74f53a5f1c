"""The fence that this machine has, for tests that really try it."""

import getpass
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

from qcode.sandbox.fence import Inside, Message, Wrapped
from qcode.sandbox.ground import Ground
from qcode.sandbox.namespaces import Namespaces
from qcode.sandbox.trial import trial


@cache
def why_not() -> str:
    """Why the fence of namespaces cannot be tried on this machine; empty = it can."""
    if sys.platform != "linux":
        return "namespaces are Linux's"
    with tempfile.TemporaryDirectory() as base:
        found = trial(Namespaces, Path(base))
    return "" if found.proven else f"no fence holds here: {found.why or dict(found.broken)}"


class Nothing:
    """A fence that is none: what the probes must notice."""

    name = "nothing"

    def __init__(self, ground: Ground) -> None:
        """Stands on nothing."""

    def around(self, inside: Inside) -> Wrapped:
        return Wrapped(inside.words, inside.environment, ())

    def ahead(self) -> None:
        """Nothing to prepare."""

    def message(self, inside: Inside) -> Message:
        raise OSError("nothing waits")

    def network(self) -> None:
        """None of its own."""

    def left(self) -> None:
        """Nothing to do."""

    def close(self) -> None:
        """The same."""


def marked(mark: str) -> list[int]:
    """Processes with `mark` among their words: their numbers inside a fence are others."""
    found = []
    for entry in Path("/proc").iterdir():
        with suppress(OSError):
            if entry.name.isdigit() and mark.encode() in (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
    return [number for number in found if number != os.getpid()]


@contextmanager
def outside_tmp() -> Iterator[Path]:
    """A folder that a fence shows: /tmp is another one inside, the home folder is not."""
    home = Path(f"~{getpass.getuser()}").expanduser()  # HOME is another one in tests
    with tempfile.TemporaryDirectory(dir=home, prefix=".qcode-test-") as folder:
        yield Path(folder).resolve()
