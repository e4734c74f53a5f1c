"""Processes that are left of a run: found by where they are, whatever their parents are."""

import os
import time
from collections.abc import Iterator
from pathlib import Path


def left(folder: Path, seconds: float = 5.0) -> list[str]:
    """Command lines of processes that work in `folder` or name it, once `seconds` are over."""
    deadline = time.monotonic() + seconds
    while found := list(_in(str(folder))):
        if time.monotonic() > deadline:
            return found
        time.sleep(0.01)
    return []


def _in(folder: str) -> Iterator[str]:
    for entry in os.scandir("/proc"):
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            cwd = Path(f"/proc/{entry.name}/cwd").readlink()
            line = Path(f"/proc/{entry.name}/cmdline").read_bytes()
            state = Path(f"/proc/{entry.name}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:  # gone meanwhile
            continue
        if state != "Z" and (f"{cwd}/".startswith(f"{folder}/") or os.fsencode(folder) in line):
            yield f"{entry.name} {line.replace(bytes(1), b' ').decode(errors='replace')}"


def peak_bytes(process: int) -> int:
    """The most memory that a running process has had; 0 = it is gone."""
    try:
        rows = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(row.split()[1]) * 1024 for row in rows if row.startswith("VmHWM:")), 0)
