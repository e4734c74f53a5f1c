"""Addresses in the conversation: each case in a process of its own, for browsers are found once."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="other systems have a browser")


def follow(**environ: str) -> str:
    """What came of it."""
    code = "from qcode.tui.chat.links import follow; print(follow('https://example.com/'))"
    known = {name: os.environ[name] for name in ("HOME",) if name in os.environ}
    done = subprocess.run(
        [sys.executable, "-c", code], env=known | environ, capture_output=True, text=True
    )
    return (done.stdout + done.stderr).strip()


def program(folder: Path, name: str, told: Path) -> None:
    """One that writes down what it is asked to show."""
    path = folder / name
    path.write_text(f'#!{shutil.which("sh")}\nprintf %s "$1" > {told}\n', encoding="utf-8")
    path.chmod(0o755)


def test_without_a_browser_a_link_is_not_followed(tmp_path: Path) -> None:
    assert follow(PATH=str(tmp_path)) == "False"


def test_a_browser_that_draws_on_the_terminal_is_not_started(tmp_path: Path) -> None:
    program(tmp_path, "w3m", tmp_path / "told")
    assert follow(PATH=str(tmp_path)) == "False"
    assert not (tmp_path / "told").exists()


def test_the_browser_that_a_person_named_is_started(tmp_path: Path) -> None:
    program(tmp_path, "mine", tmp_path / "told")
    assert follow(PATH=str(tmp_path), BROWSER="mine") == "True"
    assert (tmp_path / "told").read_text() == "https://example.com/"
