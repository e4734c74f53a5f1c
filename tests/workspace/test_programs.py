"""Programs that qcode starts are those of the system."""

from pathlib import Path

import pytest

from qcode.workspace.programs import installed


@pytest.mark.parametrize("entry", [".", "", "bin", "./bin"])
def test_none_is_taken_from_a_relative_entry_of_path(
    entry: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in (tmp_path, tmp_path / "bin"):
        folder.mkdir(exist_ok=True)
        (folder / "git").write_text("#!/bin/sh\n")
        (folder / "git").chmod(0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", entry)
    assert installed("git") is None
    monkeypatch.setenv("PATH", f"{entry}:{tmp_path / 'bin'}")
    assert installed("git") == str(tmp_path / "bin/git")
