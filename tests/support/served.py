"""Servers that qcode started for a test: where they are told of, and that none stays behind."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from qcode.serve import shared
from qcode.serve.card import Card, Place, Task
from qcode.serve.source import alias_of

PATIENCE_SECONDS = 40.0
"""Two cores may have others to serve."""


def until(condition: Callable[[], object], seconds: float = PATIENCE_SECONDS) -> None:
    """Wait for it; AssertionError where it does not come."""
    limit = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < limit, f"not within {seconds} s"
        time.sleep(0.02)


def runs(pid: int) -> bool:
    """Whether the process computes still; a zombie does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return state(pid) != "Z"


def state(pid: int) -> str:
    """A letter, as the system tells it; empty = it does not."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    return ""


def hang(pid: int) -> None:
    """Have it do nothing from here on, nor end: its other threads hear of it a little later."""
    os.kill(pid, signal.SIGSTOP)
    until(lambda: state(pid) in ("T", ""))


def ours(home: Path) -> list[int]:
    """Processes of `qcode.serve`, and what they started, that were given this home."""
    mark = b"HOME=" + os.fsencode(home) + b"\0"
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        pid = int(entry.name)
        with suppress(OSError):
            line = (entry / "cmdline").read_bytes()
            is_kept = b"qcode.serve" in line or b"--api-key-file" in line
            if is_kept and mark in (entry / "environ").read_bytes() + b"\0":
                found.append(pid)
    return [pid for pid in found if runs(pid) and pid != os.getpid()]


@contextmanager
def none_left(home: Path) -> Iterator[None]:
    """Ends what runs in `home`, and fails where something cannot be ended that way."""
    yield
    for folder in (home / "qcode" / "state" / "serve", home / "servers"):
        if folder.is_dir():
            for place, _ in list(shared.servers(folder)):
                shared.stop(place)
    limit = time.monotonic() + 10
    while (left := ours(home)) and time.monotonic() < limit:
        time.sleep(0.05)
    for pid in left:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    assert not left, f"left behind: {left}"


def task(place: Place, model: Path, *flags: tuple[str, str], idle_seconds: float = 60.0) -> Task:
    """What the keeper of `place` is told: the tiny model by xllamacpp, with little context."""
    return Task(
        backend="xllamacpp",
        program="",
        model=str(model),
        alias=alias_of(model),
        flags=(("--ctx-size", "8192"), ("--threads", "1"), ("--fit", "off"), *flags),
        folder=str(place.folder),
        id=place.id,
        key=shared.new_key(),
        idle_seconds=idle_seconds,
        context_tokens=8192,
    )


def ready(use: shared.Use) -> Card:
    """Its card, once it serves."""
    return use.ready(lambda card, seconds: None, PATIENCE_SECONDS)
