"""A run of qcode within stated bounds: seconds, memory, and no process left."""

import subprocess
import threading
import time
from dataclasses import dataclass

from tests.e2e.rig import Cli, Ran, lawful
from tests.faults.strays import left, peak_bytes

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a run may take."""

    seconds: float = 20.0
    mib: int = 200
    """Of memory, at its peak. A run that does nothing takes about 90."""


USUAL = Bounds()


def bounded(cli: Cli, *argv: str, bounds: Bounds = USUAL) -> Ran:
    """`cli.ask`, within the bounds."""
    return within(cli, cli.line("-p", "do it", *argv), bounds)


def within(cli: Cli, line: list[str], bounds: Bounds = USUAL) -> Ran:
    """The command line, within the bounds."""
    began = time.monotonic()
    process = subprocess.Popen(
        line,
        cwd=cli.folder,
        env=cli.environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    peaks = [0]

    def watch() -> None:
        while process.poll() is None:
            peaks.append(peak_bytes(process.pid))
            time.sleep(0.01)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        out, err = process.communicate(timeout=bounds.seconds)
    finally:
        process.kill()
        watcher.join()
    ran = lawful(process.returncode, out, err, time.monotonic() - began)
    assert max(peaks) < bounds.mib * MIB, f"{max(peaks) / MIB:.0f} MiB: {ran.err}"
    assert not left(cli.folder), left(cli.folder)
    return ran
