"""What is to be seen is what was looked at: the second third of the screens."""

from pathlib import Path

import pytest

from tests.tui.snapshots.looked import ON_POSIX, looks_as_stored
from tests.tui.snapshots.scenes import named

pytestmark = ON_POSIX


@pytest.mark.parametrize(("name", "size"), named()[1::3], ids=str)
async def test_screens_look_as_stored(name: str, size: tuple[int, int], tmp_path: Path) -> None:
    await looks_as_stored(name, size, tmp_path)
