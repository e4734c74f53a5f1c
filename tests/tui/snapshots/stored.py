"""The stored pictures, and what is said when one is different."""

import tempfile
from pathlib import Path

FOLDER = Path(__file__).parent / "pictures"
RENEW = "python -m tests.tui.snapshots --renew"


def differs(name: str, made: str) -> str:
    """Why the picture is not the stored one; empty = it is. The new one is written where it can be
    looked at."""
    stored = FOLDER / f"{name}.svg"
    before = stored.read_text(encoding="utf-8") if stored.exists() else ""
    if before == made:
        return ""
    folder = Path(tempfile.gettempdir()) / "qcode-snapshots"
    folder.mkdir(exist_ok=True)
    new = folder / stored.name
    new.write_text(made, encoding="utf-8", newline="\n")
    told = f"{_rows(before, made)} of {stored.name} look different." if before else "It is new."
    return f"""{told}
  stored: {stored}
  new:    {new}
Open both in a browser. If the new one is as it should be: {RENEW} {name.partition(".")[0]}"""


def keep(name: str, made: str) -> bool:
    """Store it; False = it was stored already."""
    path = FOLDER / f"{name}.svg"
    if path.exists() and path.read_text(encoding="utf-8") == made:
        return False
    FOLDER.mkdir(exist_ok=True)
    path.write_text(made, encoding="utf-8", newline="\n")
    return True


def _rows(before: str, made: str) -> str:
    """Which ones, counted from 1; a row of the terminal is a row of the file behind its head."""
    old, new = before.splitlines()[3:-1], made.splitlines()[3:-1]
    size = max(len(old), len(new))
    other = [at + 1 for at in range(size) if old[at : at + 1] != new[at : at + 1]]
    shown = ", ".join(map(str, other[:12])) + (", …" if len(other) > 12 else "")
    return f"Rows {shown}" if other else "The colours"
