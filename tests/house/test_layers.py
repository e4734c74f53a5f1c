"""Arrows run down only."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_contracts_hold_and_every_module_stands_on_a_floor() -> None:
    script = Path(sys.executable).parent / "lint-imports"
    found = subprocess.run(
        [script, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stdout + found.stderr
    assert "2 kept, 0 broken" in found.stdout


CATALOGUES = {"qcode/protocol/events.py": 550}
"""Lists that are read top to bottom: all that the engine says stands in one place, a class of a
few lines for each event, and the three unions of them. It holds no function, so there is nothing in
it to cut; it grows by what the engine has to say."""


def test_no_file_eats_the_screen() -> None:
    long = {
        name: lines
        for path in (ROOT / "qcode").rglob("*.py")
        if (lines := len(path.read_text(encoding="utf-8").splitlines()))
        > CATALOGUES.get(name := path.relative_to(ROOT).as_posix(), 300)
    }
    assert long == {}


def test_an_init_holds_one_docstring() -> None:
    for path in (ROOT / "qcode").rglob("__init__.py"):
        if path.parent.name != "qcode":
            assert len(path.read_text(encoding="utf-8").splitlines()) == 1, path
