"""One screen against its stored pictures; three files of tests, so that they run at once."""

import sys
from pathlib import Path

import pytest

from tests.tui.snapshots.scenes import pictures
from tests.tui.snapshots.stage import home
from tests.tui.snapshots.stored import differs

ON_POSIX = pytest.mark.skipif(
    sys.platform == "win32", reason="paths and the home have other forms there"
)


async def looks_as_stored(name: str, size: tuple[int, int], folder: Path) -> None:
    """AssertionError with what differs."""
    with home(folder) as project:
        made = await pictures(name, size, project)
    told = [text for one, svg in made.items() if (text := differs(one, svg))]
    assert not told, "\n\n".join(told)
