"""Processor and memory of a Linux machine, or of the container that a program lives in."""

import re
from collections.abc import Collection, Iterator
from pathlib import Path

_HUGE = 1 << 60
"""From here on a limit is none: version 1 of cgroups writes 2**63 less a page."""


def processor(root: Path) -> str:
    """Its name; empty where the kernel tells none."""
    found = re.search(r"^(?:model name|Model)\s*:\s*(.+)$", _text(root / "proc/cpuinfo"), re.M)
    if found:
        return " ".join(found[1].split())
    return _text(root / "proc/device-tree/model").strip("\0 \n")


def is_jetson(root: Path) -> bool:
    """Whether it is one of NVIDIA's small ones, whose older drivers come without NVML."""
    return "jetson" in _text(root / "proc/device-tree/model").lower()


def cores(root: Path, usable: Collection[int]) -> int:
    """Physical cores among the `usable` processors: two threads of a core count as one.

    Of processors with fast and slow cores the fast ones; never more than a container may use.
    """
    found: set[tuple[int, ...]] = set()
    fast = _numbers(_text(root / "sys/devices/cpu_core/cpus"))
    counting = [one for one in usable if one in fast] or list(usable)
    for one in counting:
        told = root / f"sys/devices/system/cpu/cpu{one}/topology/thread_siblings_list"
        found.add(tuple(sorted(_numbers(_text(told)))) or (one,))
    return max(1, min(len(found), _quota(root) or len(found)))


def memory(root: Path) -> tuple[int, int]:
    """Bytes in all and free ones: of the machine or of the container, whichever is less."""
    text = _text(root / "proc/meminfo")
    total, free = _kilobytes(text, "MemTotal"), _kilobytes(text, "MemAvailable")
    for limit, used in _limits(root):
        total, free = min(total, limit), min(free, max(0, limit - used))
    return total, free


def _kilobytes(text: str, name: str) -> int:
    found = re.search(rf"^{name}:\s+(\d+) kB", text, re.M)
    return int(found[1]) << 10 if found else 0


def _limits(root: Path) -> Iterator[tuple[int, int]]:
    """Limit and use of each group around this process that has a limit."""
    for base, names in (
        ("sys/fs/cgroup", ("memory.max", "memory.current", "inactive_file")),
        (
            "sys/fs/cgroup/memory",
            ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
        ),
    ):
        for group in _groups(root, base):
            limit = _number(group / names[0])
            if limit is not None and limit < _HUGE:
                kept = re.search(rf"^{names[2]} (\d+)", _text(group / "memory.stat"), re.M)
                # what is only kept of files is given back when memory is wanted
                used = (_number(group / names[1]) or 0) - (int(kept[1]) if kept else 0)
                yield limit, max(0, used)


def _quota(root: Path) -> int | None:
    """Whole processors that a container may keep busy; None = all."""
    quotas = []
    for group in _groups(root, "sys/fs/cgroup"):
        found = re.match(r"(\d+) (\d+)", _text(group / "cpu.max"))
        if found and int(found[2]):
            quotas.append(-(-int(found[1]) // int(found[2])))
    return max(1, min(quotas)) if quotas else None


def _groups(root: Path, base: str) -> Iterator[Path]:
    """The folder of this process's group below `base`, and all above it."""
    mine = ""
    for line in _text(root / "proc/self/cgroup").splitlines():
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        wanted = controllers == "memory" if base.endswith("/memory") else number == "0"
        mine = path if wanted else mine
    parts = [part for part in mine.split("/") if part and part != ".."]
    for depth in range(len(parts), -1, -1):
        yield root.joinpath(base, *parts[:depth])


def _numbers(text: str) -> set[int]:
    """Those of a list such as `0-3,8`."""
    found: set[int] = set()
    for first, last in re.findall(r"(\d{1,5})(?:-(\d{1,5}))?", text):
        found |= set(range(int(first), int(last or first) + 1))
    return found


def _number(path: Path) -> int | None:
    text = _text(path).strip()
    return int(text) if text.isdecimal() else None


def _text(path: Path) -> str:
    """Empty where there is no such file, or none that can be read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
