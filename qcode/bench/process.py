"""One program, run to its end or to its limit; nothing that it started stays behind."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

import msgspec

from qcode.bench.unbroken import unbroken

_GRACE_SECONDS = 8.0
"""For a program that was interrupted: qcode ends its turn, and what runs in its fence."""
_KEPT_BYTES = 4 << 20


class Ran(msgspec.Struct, frozen=True):
    """What came of it."""

    code: int | None
    """None = it took too long and was ended."""
    out: str
    err: str
    """Both: the last 4 MiB."""
    seconds: float


def run(
    words: Sequence[str],
    folder: Path,
    limit_seconds: float,
    environ: Mapping[str, str] | None = None,
) -> Ran:
    """Start it in `folder` without input and wait. Raises OSError where it cannot be started."""
    began = time.monotonic()
    code: int | None = None
    process: subprocess.Popen[bytes] | None = None
    try:
        with unbroken():
            process = _started(words, folder, environ)
            readers = _Tail(process.stdout), _Tail(process.stderr)
        with suppress(subprocess.TimeoutExpired):
            code = process.wait(limit_seconds)
    finally:
        if process:
            _end(process)
    out, err = (reader.text() for reader in readers)
    return Ran(code, out, err, time.monotonic() - began)


def _started(
    words: Sequence[str], folder: Path, environ: Mapping[str, str] | None
) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        words,
        cwd=folder,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,  # Ctrl+C is ours to pass on
    )


def _end(process: "subprocess.Popen[bytes]") -> None:
    """It, in good order if it can, and all that it left in its group."""
    try:
        _interrupt(process)
    finally:  # whoever presses Ctrl+C once more leaves nothing behind either
        if sys.platform != "win32":
            with suppress(ProcessLookupError, PermissionError):  # nobody is left in it
                os.killpg(process.pid, signal.SIGKILL)
        process.kill()
        process.wait()


def _interrupt(process: "subprocess.Popen[bytes]") -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        if process.poll() is None:
            with suppress(OSError, ValueError):  # it has ended just now; Windows knows no SIGINT
                process.send_signal(number)
            with suppress(subprocess.TimeoutExpired):
                process.wait(_GRACE_SECONDS)


class _Tail(threading.Thread):
    """Reads a pipe to its end, and keeps the end."""

    def __init__(self, pipe: IO[bytes] | None) -> None:
        super().__init__(daemon=True)
        assert pipe is not None
        self._pipe = pipe
        self._kept = bytearray()
        self.start()

    def run(self) -> None:
        """In the thread."""
        while piece := os.read(self._pipe.fileno(), 65536):
            self._kept += piece
            del self._kept[:-_KEPT_BYTES]

    def text(self) -> str:
        """What was kept. A pipe that somebody outside of the group holds is not waited for."""
        self.join(1.0)
        if not self.is_alive():
            self._pipe.close()
        return bytes(self._kept).decode("utf-8", "replace")
