"""Files and disks that do not do what is wanted: a clear sentence, and nothing lost."""

import resource
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from tests.e2e.rig import (
    DONE,
    LLAMA,
    QCODE,
    YOLO,
    Cli,
    calling,
    logs,
    obey_permissions,
    results,
    words,
)
from tests.support.script import Body, Call, Reply
from tests.support.scripted_server import ScriptedServer

Serve = Callable[..., ScriptedServer]


def files_up_to(size: int) -> Callable[[], None]:
    """In the child: no file may grow beyond `size` bytes, as on a disk that is full."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def told(server: ScriptedServer) -> list[str]:
    """The results in the last request."""
    return results(server.requests[-1].body)


def test_what_is_no_text_file_is_told_by_its_kind(cli: Cli, serve: Serve) -> None:
    (cli.folder / "sub" / "deeper").mkdir(parents=True)
    (cli.folder / "image.png").write_bytes(b"\x89PNG\r\n\x1a\n\0\0")
    with (cli.folder / "huge.txt").open("wb") as file:
        file.write(b"first line\nsecond\n" * 2000)
        file.truncate(2 << 30)
    server = serve(
        Reply(
            calls=(
                Call("read", {"path": "image.png"}),
                Call("read", {"path": "sub"}),
                Call("read", {"path": "huge.txt", "last_line": 2}),
                Call("edit", {"path": "huge.txt", "old_string": "first", "new_string": "1"}),
                Call("edit", {"path": "sub", "old_string": "a", "new_string": "b"}),
                Call("write", {"path": "sub", "content": "x"}),
                Call("grep", {"pattern": "second"}),
            )
        ),
        DONE,
    )
    ran = cli.ask()
    assert ran.code == 0
    assert ran.seconds < 15
    image, folder, huge, edited, edited_folder, written, _ = told(server)
    assert "PNG image" in image
    assert "is a folder" in folder
    assert "2,147,483,648 bytes" in huge
    assert "2,147,483,648 bytes" in edited
    assert "is a folder" in edited_folder
    assert "is a folder" in written
    assert len(server.requests[-1].raw) < 40_000


def test_without_write_permission_nothing_changes(cli: Cli, serve: Serve) -> None:
    (cli.folder / "locked.txt").write_text("keep")
    (cli.folder / "locked.txt").chmod(0o400)
    closed = cli.folder / "closed"
    closed.mkdir()
    closed.chmod(0o500)
    server = serve(
        Reply(
            calls=(
                Call("read", {"path": "locked.txt"}),
                Call("edit", {"path": "locked.txt", "old_string": "keep", "new_string": "no"}),
                Call("write", {"path": "closed/new.txt", "content": "x"}),
            )
        ),
        DONE,
    )
    assert cli.ask(before=obey_permissions).code == 0
    _, edited, written = told(server)
    assert "locked.txt: no permission to write" in edited
    assert "closed/new.txt: no permission to write" in written
    assert (cli.folder / "locked.txt").read_text() == "keep"
    assert list(closed.iterdir()) == []


def test_a_file_that_may_not_grow_stays_as_it_was(cli: Cli, serve: Serve) -> None:
    (cli.folder / "a.txt").write_text("keep\n")
    edit = {"path": "a.txt", "old_string": "keep", "new_string": words(8_000)}
    server = serve(Reply(calls=(Call("read", {"path": "a.txt"}), Call("edit", edit))), DONE)
    assert cli.ask("--no-session", before=files_up_to(20_000)).code == 0
    assert "larger than the system lets a file grow" in told(server)[1]
    assert (cli.folder / "a.txt").read_text() == "keep\n"
    assert [path.name for path in cli.folder.iterdir()] == ["a.txt"]


def test_a_full_and_a_read_only_disk_lose_nothing(cli: Cli, serve: Serve, small_disk: Path) -> None:
    cli.folder = small_disk
    (small_disk / "k.txt").write_text("keep\n")
    edit = Call("edit", {"path": "k.txt", "old_string": "keep", "new_string": words(18_000)})
    large = replace(LLAMA, context_tokens=262_144)
    server = serve(calling("read", path="k.txt"), Reply(calls=(edit,)), DONE, about=large)
    assert cli.ask().code == 0
    assert "the disk is full. Nothing was changed" in told(server)[1]
    assert (small_disk / "k.txt").read_text() == "keep\n"
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    small = Call("edit", {"path": "k.txt", "old_string": "keep", "new_string": "x"})
    server = serve(calling("read", path="k.txt"), Reply(calls=(small,)), DONE)
    assert cli.ask().code == 0
    assert "mounted read-only. Nothing was changed" in told(server)[1]


def test_a_session_that_cannot_begin_is_told_before_the_work(cli: Cli, home: Path) -> None:
    (home / "qcode").mkdir(mode=0o500)
    ran = cli.ask("--output-format", "json", before=obey_permissions)
    assert ran.code == 1
    assert "no permission" in ran.json["errors"][0]
    assert "QCODE_HOME" in ran.json["errors"][0]


def test_an_answer_that_the_session_cannot_hold_is_still_printed(
    cli: Cli, serve: Serve, home: Path
) -> None:
    serve(Reply(text=words(8000)))
    ran = cli.ask(before=files_up_to(16_000))
    assert ran.code == 1
    assert ran.out == words(8000) + "\n"
    assert "may not grow further" in ran.err
    [log] = logs(home)
    assert log.read_bytes().endswith(b"}\n")  # whole lines only


def test_a_session_on_a_full_disk_goes_on_when_there_is_room(
    cli: Cli, serve: Serve, home: Path
) -> None:
    serve(calling("write", path="a.txt", content=words(6_000)))
    failed = cli.ask(before=files_up_to(16_000))
    assert failed.code == 1
    assert not (cli.folder / "a.txt").exists()  # not logged, so not done
    server = serve(Reply(text="Back."))
    assert cli.ask("--continue").out == "Back.\n"
    assert [m["role"] for m in server.requests[0].messages].count("user") == 2


def test_a_project_note_that_cannot_be_read_is_told_and_stops_nothing(
    cli: Cli, serve: Serve
) -> None:
    (cli.folder / "AGENTS.md").write_text("be kind")
    (cli.folder / "AGENTS.md").chmod(0)
    server = serve(DONE)
    ran = cli.ask(before=obey_permissions)
    assert ran.code == 0
    assert "AGENTS.md: no permission to read" in ran.err
    assert "be kind" not in server.requests[0].messages[1]["content"]


def test_a_folder_that_is_deleted_meanwhile_is_told(cli: Cli, serve: Serve) -> None:
    def gone(body: Body) -> Reply:
        shutil.rmtree(cli.folder)
        return Reply(calls=(Call("shell", {"command": "ls"}), Call("read", {"path": "a.txt"})))

    server = serve(gone, DONE)
    ran = cli.ask(*YOLO)
    assert ran.code == 0
    shell, read = told(server)
    assert f"The folder {cli.folder} is gone" in shell
    assert "a.txt" in read


def test_a_current_folder_that_is_gone_is_a_sentence(cli: Cli) -> None:
    words = ("-p x", "sessions list", "config show")
    lines = "\n".join(f"PYTHONSAFEPATH=1 {' '.join(QCODE)} {each}; echo $?" for each in words)
    ran = cli.shell(f"mkdir gone; cd gone; rmdir ../gone\n{lines}")
    assert ran.out.split() == ["42"] * len(words)
    assert ran.err.count("The current folder is gone") == len(words)


def test_no_room_for_temporary_files_is_a_sentence(cli: Cli, tmp_path: Path) -> None:
    assert "Traceback" not in cli.ask(environ={"TMPDIR": str(tmp_path / "nowhere")}).err
