"""Folders: where they are, and that nobody else reads them."""

import stat
from pathlib import Path

import pytest

from qcode.config.paths import make, paths
from qcode.protocol.errors import ConfigError


def test_without_any_variable_the_usual_places_below_home(tmp_path: Path) -> None:
    found = paths({"HOME": str(tmp_path)})
    assert found.config_file == tmp_path / ".config/qcode/config.toml"
    assert found.sessions == tmp_path / ".local/share/qcode/sessions"
    assert found.log_file == tmp_path / ".local/state/qcode/qcode.log"


def test_xdg_variables_are_honoured_each_by_itself(tmp_path: Path) -> None:
    found = paths({"HOME": str(tmp_path), "XDG_DATA_HOME": "/data"})
    assert found.data == Path("/data/qcode")
    assert found.config == tmp_path / ".config/qcode"


def test_a_relative_xdg_path_is_ignored(tmp_path: Path) -> None:
    found = paths({"HOME": str(tmp_path), "XDG_CONFIG_HOME": "here"})
    assert found.config == tmp_path / ".config/qcode"


def test_our_own_variable_replaces_all_three(tmp_path: Path) -> None:
    found = paths({"HOME": "/h", "XDG_CONFIG_HOME": "/c", "QCODE_HOME": str(tmp_path)})
    assert (found.config, found.data, found.state) == (
        tmp_path / "config",
        tmp_path / "data",
        tmp_path / "state",
    )


def test_our_own_variable_must_be_absolute() -> None:
    with pytest.raises(ConfigError, match="absolute"):
        paths({"QCODE_HOME": "./.qcode"})


def test_a_folder_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    made = make(tmp_path / "a" / "b")
    assert stat.S_IMODE(made.stat().st_mode) == 0o700
    assert stat.S_IMODE(made.parent.stat().st_mode) & 0o077 == 0
    assert make(made) == made


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="cannot be made"):
        make(tmp_path / "file" / "x")
