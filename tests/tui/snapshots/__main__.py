"""`python -m tests.tui.snapshots [NAME …]` says which pictures differ; `--renew` stores them."""

import asyncio
import sys
import tempfile
from pathlib import Path

from tests.tui.snapshots.scenes import SHEETS, named, pictures, sheets
from tests.tui.snapshots.stage import home
from tests.tui.snapshots.stored import FOLDER, differs, keep


def _made(wanted: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name in SHEETS:
        if not wanted or any(f"block-{name}".startswith(one) for one in wanted):
            found |= sheets(name)
    for name, size in named():
        if not wanted or any(name.startswith(one) for one in wanted):
            with tempfile.TemporaryDirectory() as folder, home(Path(folder)) as project:
                found |= asyncio.run(pictures(name, size, project))
    return found


def main(words: list[str]) -> int:
    """0 = nothing was different, or all is stored."""
    wanted = [word for word in words if not word.startswith("--")]
    made = _made(wanted)
    if "--renew" not in words:
        told = [text for name, svg in made.items() if (text := differs(name, svg))]
        print("\n\n".join(told) or f"{len(made)} pictures are as stored.")  # noqa: T201 - a command
        return 1 if told else 0
    written = sum([keep(name, svg) for name, svg in made.items()])
    gone = [one for one in FOLDER.glob("*.svg") if not wanted and one.stem not in made]
    for one in gone:
        one.unlink()
    # a command for whoever changes the looks: its words are its result
    print(f"{written} of {len(made)} pictures written, {len(gone)} removed: {FOLDER}")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
