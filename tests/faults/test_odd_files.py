"""Pipes, sockets and devices, files that change while they are read, folders and names that are
odd: nothing hangs, nothing grows, and what can be read is."""

import os
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.e2e.rig import DONE, YOLO, Cli, calling, results
from tests.faults.bounded import Bounds, bounded, within
from tests.support.scripted_server import ScriptedServer

Serve = Callable[..., ScriptedServer]
SHELL = calling("shell", command="true; echo ran > made")


def _specials(folder: Path) -> None:
    """One of each kind that a folder may hold."""
    os.mkfifo(folder / "pipe.txt")
    (folder / "to-pipe.txt").symlink_to("pipe.txt")
    (folder / "zero").symlink_to("/dev/zero")
    (folder / "turn").symlink_to("turn")
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(os.path.relpath(folder / "socket.txt"))
    with suppress(PermissionError):
        os.mknod(folder / "null.txt", 0o600 | 0o020000, os.makedev(1, 3))


@pytest.fixture
def special(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace with them; a socket's path must be short."""
    monkeypatch.chdir(cli.folder)
    _specials(cli.folder)
    (cli.folder / "plain.txt").write_text("needle\n")
    return cli.folder


@pytest.mark.parametrize("path", ["pipe.txt", "to-pipe.txt", "socket.txt", "zero", "turn"])
def test_what_is_no_file_is_neither_read_nor_waited_for(
    cli: Cli, serve: Serve, special: Path, path: str
) -> None:
    server = serve(
        *(calling("read", path=path), calling("grep", pattern="needle", path=path)),
        calling("edit", path=path, old_string="a", new_string="b"),
        *(calling("write", path=path, content="b"), DONE),
    )
    ran = bounded(cli, *YOLO, "--allowed-tools", "Read(//dev/zero) Edit(//dev/zero)")
    assert ran.code == 0, ran.err
    told = results(server.requests[-1].body)
    assert len(told) == 4
    assert all(len(one) < 2_000 for one in told)
    assert os.path.lexists(special / path)


def test_searches_and_commands_pass_over_what_is_no_file(
    cli: Cli, serve: Serve, special: Path
) -> None:
    server = serve(calling("grep", pattern="needle"), calling("glob", pattern="**/*"), SHELL, DONE)
    ran = bounded(cli, *YOLO)
    assert ran.code == 0, ran.err
    found, _, _ = results(server.requests[-1].body)
    assert "plain.txt" in found
    assert (special / "made").exists()
    undone = within(cli, [*cli.line("sessions", "rewind", "--to", "0")[:-2]])
    assert undone.code == 0, undone.err
    assert not (special / "made").exists()


@pytest.mark.parametrize(
    "name", ["AGENTS.md", ".gitignore", ".git", ".qcode/config.toml", ".ignore"]
)
def test_a_pipe_where_qcode_looks_by_itself_is_not_waited_for(
    cli: Cli, serve: Serve, name: str
) -> None:
    (cli.folder / name).parent.mkdir(exist_ok=True)
    os.mkfifo(cli.folder / name)
    (cli.folder / "plain.txt").write_text("needle\n")
    looks = [calling("glob", pattern="*"), calling("read", path=name)]
    if name != ".gitignore":  # there ripgrep waits, for half the time that a search may take
        looks.append(calling("grep", pattern="needle"))
    serve(*looks, SHELL, DONE)
    ran = bounded(cli, *YOLO)
    assert ran.code == 0, ran.err
    assert ran.err


@contextmanager
def _restless(do: Callable[[int], None]) -> Iterator[None]:
    """Somebody does it again and again meanwhile."""
    over = threading.Event()

    def work() -> None:
        number = 0
        while not over.is_set():
            number += 1
            with suppress(OSError):
                do(number)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _grows(folder: Path) -> Callable[[int], None]:
    (folder / "log.txt").write_text("needle\n" * 1000)

    def do(number: int) -> None:
        path = folder / "log.txt"
        if path.stat().st_size < 50_000_000:
            with path.open("a") as file:
                file.write(f"needle {number}\n" * 5000)

    return do


def _vanishes(folder: Path) -> Callable[[int], None]:
    def do(number: int) -> None:
        path = folder / "log.txt"
        path.write_text("needle\n" * 2000)
        path.unlink()

    return do


def _turns(folder: Path) -> Callable[[int], None]:
    """A file, then a folder, then a pipe, then a link to nowhere."""

    def do(number: int) -> None:
        path = folder / "log.txt"
        path.write_text("needle\n")
        path.unlink()
        path.mkdir()
        path.rmdir()
        os.mkfifo(path)
        path.unlink()
        path.symlink_to("/dev/zero")
        path.unlink()

    return do


@pytest.mark.parametrize("what", [_grows, _vanishes, _turns])
def test_files_that_change_while_they_are_looked_at(
    cli: Cli, serve: Serve, what: Callable[[Path], Callable[[int], None]]
) -> None:
    do = what(cli.folder)
    calls = (
        calling("read", path="log.txt"),
        calling("grep", pattern="needle"),
        calling("edit", path="log.txt", old_string="needle", new_string="hay"),
        SHELL,
        calling("glob", pattern="**/*"),
    )
    serve(*calls * 2, DONE)
    with _restless(do):
        ran = bounded(cli, "--loops", "off", *YOLO, bounds=Bounds(seconds=30, mib=250))
    assert ran.code == 0, ran.err
    assert (cli.folder / "made").read_text() == "ran\n"


@pytest.mark.timeout(300)
def test_a_folder_of_100_000_entries(cli: Cli, serve: Serve) -> None:
    """With `make faults`; else a fifth of them, for to make them takes longer than the test."""
    count = 100_000 if os.environ.get("QCODE_KILLS") else 20_000
    for number in range(count):
        (cli.folder / f"f{number}").touch()
    (cli.folder / "f17777").write_text("needle\n")
    server = serve(
        *(calling("glob", pattern="*"), calling("grep", pattern="needle")),
        *(calling("shell", command="rm f19*"), DONE),
    )
    ran = bounded(cli, *YOLO, bounds=Bounds(seconds=90, mib=350))
    assert ran.code == 0, ran.err
    listed, found, _ = results(server.requests[-1].body)
    assert len(listed) < 100_000
    assert "f17777" in found
    line = cli.line("sessions", "rewind", "--to", "0", "--json")[:-2]
    assert within(cli, line, Bounds(seconds=90, mib=350)).code == 0
    assert len(list(cli.folder.iterdir())) == count


def test_names_with_newlines_and_bytes_that_are_no_text(cli: Cli, serve: Serve) -> None:
    names = [b"new\nline.txt", b"\xff\xfe.txt", b"\x1b]0;title\x07.txt", b"a\rb.txt", b" .txt"]
    for name in names:
        with open(os.fsencode(cli.folder) + b"/" + name, "wb") as file:  # noqa: PTH123 - bytes
            file.write(b"needle\n")
    subprocess.run(["git", "init", "-q"], cwd=cli.folder, check=True)
    serve(
        *(calling("grep", pattern="needle"), calling("glob", pattern="*.txt")),
        *(calling("shell", command="rm -f ./*.txt"), DONE),
    )
    ran = bounded(cli, *YOLO)
    assert ran.code == 0, ran.err
    for sign in ("\x1b", "\x07", "\r"):
        assert sign not in ran.out + ran.err
    back = within(cli, cli.line("sessions", "rewind", "--to", "0")[:-2])
    assert back.code == 0, back.err
    assert not set(back.out) & {"\x1b", "\x07", "\r"}
    left = {os.fsencode(path.name) for path in cli.folder.iterdir()}
    assert left - {b".git"} == set(names)
