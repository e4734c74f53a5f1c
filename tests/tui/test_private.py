"""What the app keeps is for the person alone, the folders above it too."""

import sys
from pathlib import Path

import pytest

from qcode.tui import private
from tests.tui.conftest import Enter

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there rights are no bits")


def test_every_folder_that_is_made_is_private(tmp_path: Path) -> None:
    private.make(tmp_path / "a" / "b" / "c")
    private.make(tmp_path / "a" / "b" / "c")
    made = [tmp_path / "a", tmp_path / "a" / "b", tmp_path / "a" / "b" / "c"]
    assert [path.stat().st_mode & 0o077 for path in made] == [0, 0, 0]


async def test_nobody_else_may_look_into_what_a_first_start_makes(house: Enter) -> None:
    async with house() as h:
        await h.begun()
        await h.type("a draft")
        state = h.app.home.state
        await h.until(lambda: any(state.rglob("*")) and any((state / "drafts").glob("*")))
        folders = [state, *(path for path in state.rglob("*") if path.is_dir())]
        assert [path for path in folders if path.stat().st_mode & 0o077] == []
