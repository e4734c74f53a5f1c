"""What is to be seen is what was looked at."""

import sys
from pathlib import Path

import pytest

from tests.tui.snapshots.scenes import SHEETS, named, pictures, sheets
from tests.tui.snapshots.stage import home
from tests.tui.snapshots.stored import FOLDER, RENEW, differs

pytestmark = pytest.mark.skipif(
    sys.platform == "win32", reason="paths and the home have other forms there"
)


@pytest.mark.parametrize("name", SHEETS)
def test_blocks_look_as_stored(name: str) -> None:
    told = [text for one, svg in sheets(name).items() if (text := differs(one, svg))]
    assert not told, "\n\n".join(told)


@pytest.mark.parametrize(("name", "size"), named(), ids=lambda given: str(given))
async def test_screens_look_as_stored(name: str, size: tuple[int, int], tmp_path: Path) -> None:
    with home(tmp_path) as project:
        made = await pictures(name, size, project)
    told = [text for one, svg in made.items() if (text := differs(one, svg))]
    assert not told, "\n\n".join(told)


def test_no_picture_is_left_of_what_is_gone() -> None:
    names = {one for name in SHEETS for one in sheets(name)}
    scenes = {f"{name}.{width}x{height}" for name, (width, height) in named()}
    left = {path.stem for path in FOLDER.glob("*.svg")} - names
    assert {name.rpartition(".")[0] for name in left} == scenes, f"Run `{RENEW}`."
