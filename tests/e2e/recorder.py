"""Writes down what a Python process connects to and which names it looks up, whatever does it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

SITE = '''
"""Imported by the interpreter at its start."""
import json, os, sys

_file = os.environ.get("EGRESS_RECORD")

def _write(event, arguments):
    if not event.startswith("socket."):
        return
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        if arguments[1] is None or isinstance(arguments[1], (str, bytes)):
            return  # a Unix socket
        told = list(arguments[1][:2])
    elif event in ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"):
        host = arguments[0]
        told = [host.decode() if isinstance(host, bytes) else host]
    else:
        return
    line = json.dumps([os.getpid(), event, *told]) + "\\n"
    descriptor = os.open(_file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(descriptor, line.encode())
    os.close(descriptor)

if _file:
    sys.addaudithook(_write)
'''


@dataclass(frozen=True, slots=True)
class Recorder:
    """One record, of all processes that are started with its environment."""

    folder: Path

    @property
    def environ(self) -> Mapping[str, str]:
        """What makes a process write."""
        (self.folder / "sitecustomize.py").write_text(SITE)
        return {"PYTHONPATH": str(self.folder), "EGRESS_RECORD": str(self.file)}

    @property
    def file(self) -> Path:
        """A line for each event."""
        return self.folder / "record"

    def reached(self) -> set[tuple[object, ...]]:
        """Host and port of each connection, the host alone of each look-up."""
        rows = [json.loads(line) for line in self.file.read_text().splitlines()]
        return {tuple(row[2:]) for row in rows}
