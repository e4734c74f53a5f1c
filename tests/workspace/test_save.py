"""Replacing files: all or nothing, and everything about them kept."""

import os
import resource
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from qcode.workspace.files import Located, Workspace, load
from qcode.workspace.held import held
from qcode.workspace.save import save
from qcode.workspace.trouble import FileTrouble
from tests.support.nobody import opened, without_privileges


@pytest.fixture
def space(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path)


def rewrite(located: Located, data: bytes) -> None:
    save(located, data, load(located))


def left_over(folder: Path) -> list[Path]:
    return list(folder.rglob(".qcode-*"))


def put_note(file: Path) -> None:
    """An extended attribute."""
    if sys.platform == "darwin":
        subprocess.run(["xattr", "-w", "user.note", "kept", file], check=True)
    else:
        os.setxattr(file, "user.note", b"kept")


def note(file: Path) -> str:
    if sys.platform == "darwin":
        return subprocess.check_output(["xattr", "-p", "user.note", file], text=True).strip()
    return os.getxattr(file, "user.note").decode()


@pytest.fixture
def open_folder(tmp_path: Path) -> Path:
    """A folder that nobody can reach."""
    return opened(tmp_path)


def test_a_new_file_gets_its_folders(space: Workspace) -> None:
    located = space.resolve("a/b/c.txt")
    save(located, b"new", None)
    assert located.path.read_bytes() == b"new"
    umask = os.umask(0)
    os.umask(umask)
    assert stat.S_IMODE(located.path.stat().st_mode) == 0o666 & ~umask


def test_mode_owner_and_attributes_stay(space: Workspace) -> None:
    located = space.resolve("run.sh")
    located.path.write_bytes(b"old")
    located.path.chmod(0o754)
    if os.geteuid() == 0:
        os.chown(located.path, 1234, 2345)
    try:
        put_note(located.path)
    except OSError:
        pytest.skip("this file system keeps no extended attributes")
    before = located.path.stat()
    rewrite(located, b"new")
    after = located.path.stat()
    assert located.path.read_bytes() == b"new"
    assert (after.st_mode, after.st_uid, after.st_gid) == (
        before.st_mode,
        before.st_uid,
        before.st_gid,
    )
    assert note(located.path) == "kept"
    assert after.st_ino != before.st_ino  # replaced, not overwritten


def test_a_link_stays_and_its_target_is_written(space: Workspace) -> None:
    (space.root / "real").write_bytes(b"old")
    (space.root / "link").symlink_to("real")
    rewrite(space.resolve("link"), b"new")
    assert (space.root / "link").is_symlink()
    assert (space.root / "real").read_bytes() == b"new"


def test_a_link_without_a_target_makes_the_target(space: Workspace) -> None:
    (space.root / "link").symlink_to("deep/real")
    save(space.resolve("link"), b"new", None)
    assert (space.root / "link").is_symlink()
    assert (space.root / "deep/real").read_bytes() == b"new"


@pytest.mark.parametrize("data", [b"longer than before", b"s", b""])
def test_all_names_of_a_file_see_the_change(space: Workspace, data: bytes) -> None:
    (space.root / "one").write_bytes(b"old bytes")
    (space.root / "two").hardlink_to(space.root / "one")
    rewrite(space.resolve("one"), data)
    assert (space.root / "two").read_bytes() == data
    assert (space.root / "one").samefile(space.root / "two")


def test_a_file_that_changed_meanwhile_is_left_alone(space: Workspace) -> None:
    located = space.resolve("a")
    located.path.write_bytes(b"read")
    was = load(located)
    located.path.write_bytes(b"somebody else")
    with pytest.raises(FileTrouble, match="changed a moment ago"):
        save(located, b"mine", was)
    assert located.path.read_bytes() == b"somebody else"
    located.path.unlink()
    with pytest.raises(FileTrouble, match="gone since it was read"):
        save(located, b"mine", was)
    assert not located.path.exists()


def test_a_file_that_was_only_touched_is_written(space: Workspace) -> None:
    located = space.resolve("a")
    located.path.write_bytes(b"read")
    was = load(located)
    os.utime(located.path, ns=(1, 1))
    save(located, b"mine", was)
    assert located.path.read_bytes() == b"mine"


def test_a_file_that_came_up_meanwhile_is_left_alone(space: Workspace) -> None:
    (space.root / "a").write_bytes(b"somebody else")
    with pytest.raises(FileTrouble, match="exists by now"):
        save(space.resolve("a"), b"mine", None)
    assert (space.root / "a").read_bytes() == b"somebody else"


def test_a_link_put_in_the_place_of_the_file_is_refused(space: Workspace, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"secret")
    located = space.resolve("a")
    located.path.write_bytes(b"read")
    was = load(located)
    located.path.unlink()
    located.path.symlink_to("secret")
    with pytest.raises(FileTrouble, match="symbolic link"):
        save(located, b"mine", was)
    assert (tmp_path / "secret").read_bytes() == b"secret"


def test_a_link_put_in_the_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "root/sub").mkdir(parents=True)
    (tmp_path / "out").mkdir()
    located = Workspace(tmp_path / "root").resolve("sub/a")
    (tmp_path / "root/sub").rmdir()
    (tmp_path / "root/sub").symlink_to(tmp_path / "out")
    with pytest.raises(FileTrouble, match="leads elsewhere"):
        save(located, b"mine", None)
    assert not list((tmp_path / "out").iterdir())


def test_writing_never_escapes_while_a_folder_is_swapped_again_and_again(tmp_path: Path) -> None:
    """Somebody keeps exchanging the folder and a link that leads out."""
    root, out = tmp_path / "root", tmp_path / "out"
    (root / "sub").mkdir(parents=True)
    out.mkdir()
    located = Workspace(root).resolve("sub/deep/a")
    done = threading.Event()

    (root / "link").symlink_to(out)
    swaps: list[int] = []

    def swap() -> None:
        while not done.is_set():
            (root / "sub").rename(root / f"kept{len(swaps)}")
            with suppress(OSError):  # `save` has just made the folder anew
                (root / "link").rename(root / "sub")
                (root / "sub").rename(root / "link")
                (root / f"kept{len(swaps)}").rename(root / "sub")
            swaps.append(1)
            (root / "sub").mkdir(exist_ok=True)

    thread = threading.Thread(target=swap)
    thread.start()
    try:
        while len(swaps) < 2000 and thread.is_alive():
            try:
                was = load(located) if os.path.lexists(located.path) else None
                save(located, os.urandom(8), was)
            except FileTrouble:
                continue
    finally:
        done.set()
        thread.join()
    assert len(swaps) >= 2000
    assert not list(out.iterdir())


@pytest.mark.parametrize("links", [1, 2])
def test_a_file_without_write_permission_is_left_alone(open_folder: Path, links: int) -> None:
    space = Workspace(open_folder)
    file = open_folder / "a"
    file.write_bytes(b"old")
    if links == 2:
        (open_folder / "b").hardlink_to(file)
    file.chmod(0o444)
    with without_privileges(), pytest.raises(FileTrouble, match=r"a: no permission to write"):
        rewrite(space.resolve("a"), b"new")
    assert file.read_bytes() == b"old"
    assert not left_over(open_folder)


def test_a_folder_without_write_permission_is_a_sentence(open_folder: Path) -> None:
    space = Workspace(open_folder)
    (open_folder / "sub").mkdir()
    (open_folder / "sub").chmod(0o555)
    with without_privileges(), pytest.raises(FileTrouble, match="sub/a: no permission to write"):
        save(space.resolve("sub/a"), b"new", None)


def test_a_folder_where_a_file_was_meant_is_a_sentence(space: Workspace) -> None:
    (space.root / "sub").mkdir()
    (space.root / "file").write_bytes(b"")
    with pytest.raises(FileTrouble, match="sub is a folder"):
        save(space.resolve("sub"), b"new", None)
    with pytest.raises(FileTrouble, match="a part of this path is a file"):
        save(space.resolve("file/a"), b"new", None)
    with pytest.raises(FileTrouble, match="longer than this disk allows"):
        save(space.resolve("x" * 300), b"new", None)


LIMITED = """
import resource, signal, sys
from pathlib import Path
from qcode.workspace.files import Workspace, load
from qcode.workspace.save import save
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
located = Workspace(Path(sys.argv[1])).resolve("a")
save(located, b"n" * 100_000, load(located))
"""


@pytest.mark.parametrize("links", [1, 2])
def test_a_file_that_may_not_grow_keeps_its_bytes(tmp_path: Path, links: int) -> None:
    """The kernel's own limit, in a process of its own."""
    (tmp_path / "a").write_bytes(b"old" * 1000)
    if links == 2:
        (tmp_path / "b").hardlink_to(tmp_path / "a")
    command = [sys.executable, "-c", LIMITED, str(tmp_path)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "larger than the system lets a file grow" in ended.stderr
    assert (tmp_path / "a").read_bytes() == b"old" * 1000
    assert not left_over(tmp_path)
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 4096


@contextmanager
def mounted(folder: Path, options: str) -> Iterator[None]:
    """A small disk of its own; skips where that is not permitted."""
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    if sys.platform != "linux" or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("no permission to mount a file system")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.parametrize("links", [1, 2])
def test_a_full_disk_costs_nothing(tmp_path: Path, links: int) -> None:
    with mounted(tmp_path, "size=64k"):
        located = Workspace(tmp_path).resolve("a")
        located.path.write_bytes(b"old" * 1000)
        if links == 2:
            (tmp_path / "b").hardlink_to(tmp_path / "a")
        with pytest.raises(FileTrouble, match="the disk is full"):
            rewrite(located, b"n" * 200_000)
        assert located.path.read_bytes() == b"old" * 1000
        with pytest.raises(FileTrouble, match="the disk is full"):
            save(Workspace(tmp_path).resolve("new"), b"n" * 200_000, None)
        assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"][:links]


def test_a_read_only_disk_is_a_sentence(tmp_path: Path) -> None:
    with mounted(tmp_path, "size=64k"):
        (tmp_path / "a").write_bytes(b"old")
        subprocess.run(["mount", "-o", "remount,ro", str(tmp_path)], check=True)
        for name in ("a", "new"):
            located = Workspace(tmp_path).resolve(name)
            with pytest.raises(FileTrouble, match=f"{name}: the disk is mounted read-only"):
                save(located, b"new", load(located) if name == "a" else None)
        assert (tmp_path / "a").read_bytes() == b"old"


def test_a_held_folder_is_closed_again(tmp_path: Path) -> None:
    with held(tmp_path) as folder:
        fd = folder.fd
        assert fd is not None
        os.fstat(fd)
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(fd)
