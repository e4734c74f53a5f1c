"""What is to be seen is what was looked at."""

import sys

import pytest

from tests.tui.snapshots.scenes import SHEETS, named, sheets
from tests.tui.snapshots.stored import FOLDER, RENEW, differs

pytestmark = pytest.mark.skipif(
    sys.platform == "win32", reason="paths and the home have other forms there"
)


@pytest.mark.parametrize("name", SHEETS)
def test_blocks_look_as_stored(name: str) -> None:
    told = [text for one, svg in sheets(name).items() if (text := differs(one, svg))]
    assert not told, "\n\n".join(told)


def test_no_picture_is_left_of_what_is_gone() -> None:
    names = {one for name in SHEETS for one in sheets(name)}
    scenes = {f"{name}.{width}x{height}" for name, (width, height) in named()}
    left = {path.stem for path in FOLDER.glob("*.svg")} - names
    assert {name.rpartition(".")[0] for name in left} == scenes, f"Run `{RENEW}`."
