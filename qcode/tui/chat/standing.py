"""How the workspace stands in git, in a word each: branch and count of changes."""

import asyncio
import re
from pathlib import Path

from qcode.workspace.git import branch, changes

_MORE = re.compile(r"and (\d+) more")


async def standing(folder: Path) -> tuple[str, str]:
    """`("main", "+2 ~3")`; empty where there is nothing to tell. In a thread: it reads the disk."""
    return await asyncio.to_thread(_look, folder)


def _look(folder: Path) -> tuple[str, str]:
    name = branch(folder)
    return name, counted(asyncio.run(changes(folder)) or "") if name else ""


def counted(rows: str) -> str:
    """Rows of `git status --porcelain` -> `+2 ~3 −1`: new, changed, deleted files.

    >>> counted("?? a.py" + chr(10) + " M b.py")
    '+1 ~1'
    """
    counts = {"+": 0, "~": 0, "−": 0}
    for row in rows.split("\n"):
        if found := _MORE.fullmatch(row):
            counts["~"] += int(found[1])
        elif row:
            state = row[:2]
            counts["+" if "?" in state or "A" in state else "−" if "D" in state else "~"] += 1
    return " ".join(f"{sign}{count}" for sign, count in counts.items() if count)
