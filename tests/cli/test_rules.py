"""Rules that a person approves while a session runs."""

import sys
from pathlib import Path

import pytest

from qcode.cli.rules import keep
from qcode.config.learned import learned
from qcode.config.paths import paths
from qcode.protocol.errors import ConfigError


@pytest.mark.skipif(sys.platform == "win32", reason="links need privileges there")
def test_a_link_in_the_place_of_the_project_gives_no_other_one_its_rules(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QCODE_HOME", str(tmp_path.resolve() / "home"))
    project, other = tmp_path.resolve() / "project", tmp_path.resolve() / "other"
    project.mkdir()
    other.mkdir()
    keep(project, ["Bash(ls:*)"])
    project.rename(tmp_path / "moved")
    project.symlink_to(other)
    with pytest.raises(ConfigError, match="leads elsewhere"):
        keep(project, ["Bash(pwd:*)"])
    assert learned(paths().state, other) == ()
    project.unlink()
    project.mkdir()
    assert learned(paths().state, project) == ("Bash(ls:*)",)
