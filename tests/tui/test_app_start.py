"""What the first paint waits for: read in a fresh interpreter, as `tests/house` does."""

import pytest

from tests.house.test_cold_start import HEAVY, modules_after

LATER = (
    *("qcode.assemble", "qcode.engine.engine", "qcode.server.client", "qcode.session.store"),
    *("qcode.tui.screens.review", "qcode.tui.plain", "sqlite3", "pygments", "httpx2"),
)


@pytest.mark.parametrize("module", ["qcode.cli.app", "qcode.tui.app"])
def test_what_opens_a_session_loads_behind_the_first_paint(module: str) -> None:
    found = modules_after(f"import {module}")
    packages = {name.split(".")[0] for name in found}
    assert not packages & set(HEAVY) - {"textual", "tree_sitter"}  # the second comes with it
    assert not found & {*LATER}


def test_textual_is_not_needed_to_refuse_flags() -> None:
    assert "textual" not in modules_after("import qcode.cli.app")
