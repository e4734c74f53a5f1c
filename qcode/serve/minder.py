"""Runs a program and ends it when its own stdin ends: `python -m qcode.serve.minder PROGRAM …`.

For systems where a process cannot ask to be ended together with its parent.
"""

import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress


def main() -> int:
    """Run it; returns its exit code, as a shell says it."""
    child = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL)
    signal.signal(signal.SIGTERM, lambda *_: child.terminate())
    threading.Thread(target=_end_with_stdin, args=(child,), daemon=True).start()
    code = child.wait()
    return code if code >= 0 else 128 - code


def _end_with_stdin(child: "subprocess.Popen[bytes]") -> None:
    while os.read(0, 4096):
        pass
    with suppress(ProcessLookupError):
        child.kill()
