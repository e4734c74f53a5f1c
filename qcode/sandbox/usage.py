"""What a command and all it started use: read from the table of processes.

To it belong the group and session that it began with, and whatever descends from those. Behind
namespaces that is all of it, for there nothing gets away from its init.
"""

import os
import subprocess
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress

import msgspec

PS = ("ps", "-A", "-o", "pid=,ppid=,pgid=,rss=")
"""The same words on macOS, where there is no /proc."""
_PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096


class Row(msgspec.Struct, frozen=True):
    """A process."""

    parent: int
    group: int
    session: int
    """0 = not known."""
    threads: int
    resident: int
    """Bytes; what it shares with others is in the figure of each."""
    started: int = 0
    """Ticks since the boot, which tells it from another one with its number; 0 = not known."""


Table = Mapping[int, Row]


def table() -> Table:
    """All processes there are now. Takes some milliseconds."""
    return _from_proc() if sys.platform == "linux" else _from_ps()


def tree(rows: Table, group: int, known: Collection[int] = ()) -> frozenset[int]:
    """The processes that belong to `group`, and those `known` to, with what they have started."""
    below: dict[int, list[int]] = {}
    for number, row in rows.items():
        below.setdefault(row.parent, []).append(number)
    found = [it for it, row in rows.items() if it in known or group in (it, row.group, row.session)]
    seen = set(found)
    for number in found:  # it grows on the way
        for child in below.get(number, ()):
            if child not in seen:
                seen.add(child)
                found.append(child)
    return frozenset(found)


def threads(rows: Table, numbers: Iterable[int]) -> int:
    """Of all of them together."""
    return sum(rows[number].threads for number in numbers)


def resident(rows: Table, numbers: Iterable[int]) -> int:
    """Bytes of memory, at most: what they share counts for each of them."""
    return sum(rows[number].resident for number in numbers)


def proportional(rows: Table, numbers: Iterable[int]) -> int:
    """The same with what is shared divided up; slow. As `resident` where the kernel tells less."""
    return sum(_share(number) or rows[number].resident for number in numbers)


def _share(number: int) -> int:
    with suppress(OSError), open(f"/proc/{number}/smaps_rollup", "rb") as file:  # noqa: PTH123 - half the time
        for line in file:
            if line.startswith(b"Pss:"):
                return int(line.split()[1]) * 1024
    return 0


def _from_proc() -> dict[int, Row]:
    found = {}
    # pathlib would double the time for each:
    for name in os.listdir("/proc"):  # noqa: PTH208
        if name.isdigit():
            with suppress(OSError), open(f"/proc/{name}/stat", "rb", 0) as file:  # noqa: PTH123
                found[int(name)] = _row(file.read(1024))
    return found


def _row(stat: bytes) -> Row:
    """proc_pid_stat(5); the name in brackets may hold anything."""
    cells = stat[stat.rindex(b")") + 2 :].split(None, 22)
    parent, group, session = map(int, cells[1:4])
    size, started = int(cells[21]) * _PAGE, int(cells[19])
    return Row(parent, group, session, int(cells[17]), size, started)


def _from_ps() -> dict[int, Row]:
    try:
        printed = subprocess.run(PS, capture_output=True, check=False, timeout=10).stdout
    except (OSError, subprocess.SubprocessError):
        return {}
    return dict(parsed(printed.decode(errors="replace")))


def parsed(printed: str) -> Iterator[tuple[int, Row]]:
    """What `PS` prints; its memory is in kilobytes."""
    for line in printed.splitlines():
        with suppress(ValueError):
            number, parent, group, size = map(int, line.split())
            yield number, Row(parent, group, 0, 1, size * 1024)
