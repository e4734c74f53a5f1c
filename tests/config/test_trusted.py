"""What was trusted is kept for one real path, for the person alone, and whole or not at all."""

import os
import stat
import sys
from pathlib import Path

import pytest

from qcode.config.material import Piece
from qcode.config.trusted import (
    LONGEST_TEXT,
    Entry,
    Kept,
    decline,
    entries,
    entry,
    file_of,
    forget,
    keep,
)
from qcode.protocol.errors import ConfigError

PIECES = {".qcode/config.toml": Piece("file", b"[agent]\n")}


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """The user's own folder."""
    return tmp_path / "state"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A workspace."""
    (tmp_path / "project").mkdir()
    return tmp_path / "project"


def test_what_is_kept_comes_back_with_its_text(state: Path, project: Path) -> None:
    keep(state, project, PIECES)
    found = entry(state, project)
    piece = PIECES[".qcode/config.toml"]
    assert found.files == {".qcode/config.toml": Kept(piece.sha256, "[agent]\n")}
    assert found.folder == str(project.resolve())
    assert found.since.endswith("+00:00")
    assert entries(state) == (found,)


def test_nothing_is_written_into_the_repository(state: Path, project: Path) -> None:
    keep(state, project, PIECES)
    decline(state, project, "x")
    assert list(project.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such modes")
def test_nobody_else_reads_or_writes_it(state: Path, project: Path) -> None:
    os.umask(0)
    try:
        keep(state, project, PIECES)
    finally:
        os.umask(0o022)
    file = file_of(state, project)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(state.stat().st_mode) == 0o700


@pytest.mark.skipif(sys.platform == "win32", reason="links need POSIX")
def test_a_link_to_a_folder_is_that_folder(state: Path, project: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(project)
    keep(state, link, PIECES)
    assert entry(state, project).files
    link.unlink()
    (tmp_path / "other").mkdir()
    link.symlink_to(tmp_path / "other")
    assert entry(state, link).files is None


def test_a_nested_folder_is_another(state: Path, project: Path) -> None:
    (project / "vendor").mkdir()
    keep(state, project, PIECES)
    assert entry(state, project / "vendor").files is None


def test_a_no_leaves_what_was_trusted_and_a_yes_ends_it(state: Path, project: Path) -> None:
    keep(state, project, PIECES)
    decline(state, project, "d" * 64)
    found = entry(state, project)
    assert (found.declined, bool(found.files)) == ("d" * 64, True)
    keep(state, project, PIECES)
    assert entry(state, project).declined == ""


def test_a_long_or_binary_file_is_kept_without_text(state: Path, project: Path) -> None:
    keep(
        state,
        project,
        {
            "long": Piece("file", b"x" * (LONGEST_TEXT + 1)),
            "binary": Piece("file", b"\0"),
            "link": Piece("link", b"/etc"),
        },
    )
    files = entry(state, project).files
    assert files is not None
    assert {name: one.text for name, one in files.items()} == dict.fromkeys(files)


def test_forgotten_is_as_if_nothing_was_said(state: Path, project: Path) -> None:
    keep(state, project, PIECES)
    assert forget(state, project)
    assert not forget(state, project)
    assert entry(state, project) == Entry(str(project.resolve()))
    assert list((state / "trust").iterdir()) == []


@pytest.mark.parametrize("data", [b"", b"{", b'{"folder": 3}', b"\xff"])
def test_what_is_broken_trusts_nothing_and_can_be_mended(
    state: Path, project: Path, data: bytes
) -> None:
    keep(state, project, PIECES)
    file_of(state, project).write_bytes(data)
    with pytest.raises(ConfigError, match="nothing of it counts"):
        entry(state, project)
    assert entries(state) == ()
    decline(state, project, "d" * 64)
    assert entry(state, project).files is None


def test_an_entry_that_names_another_folder_trusts_nothing(state: Path, project: Path) -> None:
    """Somebody copied the file."""
    other = project / "other"
    other.mkdir()
    keep(state, other, PIECES)
    file_of(state, project).write_bytes(file_of(state, other).read_bytes())
    assert entry(state, project).files is None


@pytest.mark.skipif(sys.platform == "win32", reason="a folder can be made there")
def test_a_state_that_cannot_be_written_is_said(project: Path, tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file")
    with pytest.raises(ConfigError, match=r"cannot be (made|written)"):
        keep(tmp_path / "state", project, PIECES)
