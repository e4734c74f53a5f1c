"""What could configure qcode in a folder: all of it, by its bytes, and nothing behind a link."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from qcode.config.material import DEEPEST, MOST_BYTES, MOST_FILES, Piece, read
from qcode.protocol.errors import ConfigError

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="links and pipes need POSIX")


@pytest.fixture
def inside(tmp_path: Path) -> Path:
    """The folder of a project's configuration."""
    folder = tmp_path / ".qcode"
    folder.mkdir()
    return folder


def test_nothing_is_there_where_nothing_configures(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("[agent]\n")
    (tmp_path / ".env").write_text("QCODE_MODEL=evil\n")
    assert read(tmp_path) == {}


def test_all_files_are_found_with_their_bytes(inside: Path, tmp_path: Path) -> None:
    (inside / "config.toml").write_bytes(b"[agent]\r\n")
    (inside / "hooks" / "deep").mkdir(parents=True)
    (inside / "hooks" / "deep" / "run").write_bytes(b"\xff")
    found = read(tmp_path)
    assert dict(found) == {
        ".qcode/config.toml": Piece("file", b"[agent]\r\n"),
        ".qcode/hooks/deep/run": Piece("file", b"\xff"),
    }
    assert found[".qcode/config.toml"].text == "[agent]\r\n"
    assert found[".qcode/hooks/deep/run"].text is None


def test_a_parents_configuration_is_not_that_of_a_nested_folder(
    inside: Path, tmp_path: Path
) -> None:
    (inside / "config.toml").write_text("[agent]\n")
    (tmp_path / "vendor" / "theirs").mkdir(parents=True)
    assert read(tmp_path / "vendor" / "theirs") == {}


@POSIX
def test_no_link_is_followed(inside: Path, tmp_path: Path) -> None:
    secret = tmp_path / "id_rsa"
    secret.write_text("secret")
    (inside / "config.toml").symlink_to(secret)
    (inside / "hooks").symlink_to(tmp_path)
    found = read(tmp_path)
    assert dict(found) == {
        ".qcode/config.toml": Piece("link", os.fsencode(secret)),
        ".qcode/hooks": Piece("link", os.fsencode(tmp_path)),
    }
    assert found[".qcode/hooks"].text is None


@POSIX
def test_the_folder_itself_may_not_be_a_link_either(tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "config.toml").write_text("[agent]\n")
    (tmp_path / ".qcode").symlink_to("theirs")
    assert dict(read(tmp_path)) == {".qcode": Piece("link", b"theirs")}


@POSIX
def test_a_pipe_keeps_nobody_waiting(inside: Path, tmp_path: Path) -> None:
    os.mkfifo(inside / "config.toml")
    assert dict(read(tmp_path)) == {".qcode/config.toml": Piece("other", b"")}


def test_kind_and_content_both_make_the_hash() -> None:
    assert len({Piece("file", b"x").sha256, Piece("link", b"x").sha256}) == 2
    assert Piece("file", b"x").sha256 != Piece("file", b"y").sha256


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_names_that_are_no_text_stay_apart(inside: Path, tmp_path: Path) -> None:
    base = os.fsencode(inside)
    for name in (b"\x80", b"\\x80", b"\\\\x80"):
        Path(os.fsdecode(base + b"/" + name)).write_text("x")
    found = read(tmp_path)
    assert len(found) == 3
    for path in found:
        path.encode("utf-8")


@pytest.mark.parametrize("much", ["many", "large", "deep"])
def test_too_much_to_be_looked_at_is_an_error(inside: Path, tmp_path: Path, much: str) -> None:
    if much == "many":
        for number in range(MOST_FILES + 1):
            (inside / str(number)).touch()
    elif much == "large":
        with (inside / "large").open("wb") as file:
            file.truncate(MOST_BYTES * 1000)  # of holes: it must not be read whole
    else:
        inside.joinpath(*["d"] * (DEEPEST + 1)).mkdir(parents=True)
    with pytest.raises(ConfigError, match="count"):
        read(tmp_path)


def test_qcodes_own_folders_are_no_project(tmp_path: Path) -> None:
    """`QCODE_HOME=~/.qcode`, and the workspace is the home."""
    (tmp_path / ".qcode" / "state").mkdir(parents=True)
    (tmp_path / ".qcode" / "state" / "x.json").touch()
    (tmp_path / ".qcode" / "config.toml").touch()
    assert set(read(tmp_path, (tmp_path / ".qcode" / "state",))) == {".qcode/config.toml"}


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="root may read all")
def test_what_cannot_be_read_is_an_error_and_not_nothing(inside: Path, tmp_path: Path) -> None:
    (inside / "config.toml").touch(mode=0o000)
    with pytest.raises(ConfigError, match="cannot be read"):
        read(tmp_path)


def test_a_repository_keeps_no_list_of_what_is_read(tmp_path: Path) -> None:
    """Git's own files say nothing of it: a work tree elsewhere is another folder."""
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    (tmp_path / ".git" / "config.toml").write_text("[agent]\n")
    assert read(tmp_path) == {}
