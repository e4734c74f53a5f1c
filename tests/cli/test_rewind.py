"""`qcode sessions rewind` and `diff`: files and conversation of a real session, from the shell."""

import argparse
import asyncio
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from qcode.cli import sessions
from qcode.config.paths import paths
from qcode.protocol.errors import InputError, SessionError, UsageError
from qcode.session.conversation import fold
from qcode.session.places import project
from qcode.session.store import Store
from tests.engine.rig import YOLO, configured, rig, started
from tests.support.script import Call, Reply
from tests.support.scripted_server import StartScripted
from tests.workspace.trees import git, tree

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that the session works in, and the command runs in."""
    folder = tmp_path / "shop"
    (folder / "src").mkdir(parents=True)
    (folder / "src" / "a.py").write_text("one\n")
    (folder / "b.txt").write_text("b\n")
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def command(capfdbinary: pytest.CaptureFixture[bytes]) -> Command:
    """Runs `qcode sessions …`; gives exit code, stdout, stderr."""

    def run(*argv: str) -> tuple[int, str, str]:
        parser = argparse.ArgumentParser()
        sessions.add(parser.add_subparsers())
        code = sessions.run(parser.parse_args(["sessions", *argv]), Store(paths().sessions))
        out, err = capfdbinary.readouterr()
        return code, out.decode("utf-8", "surrogateescape"), err.decode()

    return run


def _shell(line: str) -> Reply:
    return Reply(calls=(Call("shell", {"command": line}),))


def _write(path: str, text: str) -> Reply:
    return Reply(calls=(Call("write", {"path": path, "content": text}),))


TURNS = (
    *(_write("c.txt", "1\n"), Reply(text="made c")),
    *(_shell("printf 'two\\n' > src/a.py; rm b.txt; chmod +x c.txt"), Reply(text="changed a")),
    Reply(text="nothing to do"),
    *(_shell("rm -r src; ln -s c.txt link"), Reply(text="removed src")),
)
"""Four turns; each state of the tree stands in `Played.states`."""

Played = tuple[str, list[dict[str, Any]]]
Play = Callable[[], Played]


@pytest.fixture
def play(scripted: StartScripted, here: Path) -> Play:
    """Plays them; gives the session's id, and the tree before and behind each turn."""

    async def played() -> Played:
        log = Store(paths().sessions).create(here)
        kept = paths().checkpoints / project(here)
        start = started(here, log=log, kept=kept)
        states: list[dict[str, Any]] = [tree(here)]
        async with rig(configured(scripted(*TURNS).base_url, permission=YOLO), start) as run:
            for prompt in ("one", "two", "three", "four"):
                await run.turn(prompt)
                states.append(tree(here))
        log.close()
        return log.session_id, states

    return lambda: asyncio.run(played())


def _live(session_id: str) -> tuple[int, ...]:
    return fold(Store(paths().sessions).open(session_id).events).live_turns


def test_without_a_number_the_turns_are_listed_with_what_each_changed(
    play: Play, command: Command, here: Path
) -> None:
    session_id, states = play()
    code, out, err = command("rewind", session_id)
    assert code == 0
    assert [row.split()[0] for row in out.splitlines()[1:] if row[:5].strip()] == [*"1234"]
    assert "b.txt, c.txt, src/a.py" in out
    assert "--turn N" in err
    rows = msgspec.json.decode(command("rewind", "--json")[1])
    assert rows[0] == {"turn": 1, "prompt": "one", "files": ["c.txt"]}
    assert rows[2]["files"] == []
    assert (tree(here), _live(session_id)) == (states[-1], (1, 2, 3, 4))


@pytest.mark.parametrize(
    ("flags", "state", "live"),
    [
        (["--turn", "2"], 1, (1,)),
        (["--to", "2", "--both"], 2, (1, 2)),
        (["--to", "0"], 0, ()),
        (["--to", "1", "--files"], 1, (1, 2, 3, 4)),
        (["--turn", "4", "--conversation"], 4, (1, 2, 3)),
    ],
)
def test_files_and_conversation_go_back(
    play: Play, command: Command, here: Path, flags: list[str], state: int, live: tuple[int, ...]
) -> None:
    session_id, states = play()
    code, _, err = command("rewind", session_id, *flags)
    assert (code, tree(here), _live(session_id)) == (0, states[state], live)
    if state != 4:
        assert "--redo" in err
        assert command("rewind", session_id, "--redo")[0] == 0
        assert tree(here) == states[4]


def test_what_is_put_back_stands_on_stdout(play: Play, command: Command) -> None:
    session_id, _ = play()
    code, out, err = command("rewind", session_id, "--to", "3")
    assert (code, out.split()) == (0, ["link", "src", "src/a.py"])
    assert "Put back 3 files." in err
    assert "The conversation goes on from before turn 4." in err


def test_a_dry_run_changes_nothing_and_says_what_would_be(
    play: Play, command: Command, here: Path
) -> None:
    session_id, states = play()
    log = Store(paths().sessions).path(session_id).read_bytes()
    code, out, err = command("rewind", session_id, "--to", "3", "--dry-run")
    assert (code, out.split()) == (0, ["link", "src", "src/a.py"])
    assert "Would put back 3 files." in err
    assert "would go on" in err
    assert tree(here) == states[-1]
    assert Store(paths().sessions).path(session_id).read_bytes() == log


def test_what_the_person_changed_needs_force_and_is_kept(
    play: Play, command: Command, here: Path
) -> None:
    session_id, states = play()
    (here / "c.txt").write_text("my own\n")
    mine = tree(here)
    refused = r"because of c.txt \(it was changed since\). --force puts these back, too"
    with pytest.raises(InputError, match=refused):
        command("rewind", session_id, "--to", "0")
    assert (tree(here), _live(session_id)) == (mine, (1, 2, 3, 4))
    code, out, _ = command("rewind", session_id, "--to", "0", "--force", "--json")
    told = msgspec.json.decode(out)
    assert (code, told["left"], told["before_turn"], told["dry_run"]) == (0, {}, 1, False)
    assert tree(here) == states[0]
    assert command("rewind", session_id, "--redo")[0] == 0
    assert tree(here) == mine


def test_what_is_gone_from_the_store_is_named_and_force_does_the_rest(
    play: Play, command: Command, here: Path
) -> None:
    session_id, states = play()
    for path in (paths().checkpoints / project(here) / "packs").iterdir():
        path.write_bytes(b"torn")
    with pytest.raises(InputError, match=r"not kept\).*--force puts the rest back"):
        command("rewind", session_id, "--to", "3")
    assert tree(here) == states[4]
    code, _, err = command("rewind", session_id, "--to", "3", "--force")
    assert code == 1
    assert "Left as it is: src/a.py (what it was is not kept)." in err
    assert not (here / "link").is_symlink()


def test_a_session_in_use_stays_as_it_is(play: Play, command: Command, here: Path) -> None:
    session_id, states = play()
    held = Store(paths().sessions).resume(session_id).log
    with held, pytest.raises(SessionError, match="is open in another qcode"):
        command("rewind", session_id, "--to", "0")
    assert tree(here) == states[-1]


def test_a_turn_that_is_not_there_is_a_sentence(play: Play, command: Command) -> None:
    session_id, _ = play()
    for argv in (["rewind", session_id, "--turn", "9"], ["diff", session_id, "--to", "9"]):
        with pytest.raises(InputError, match="has no turn 9; its last is 4"):
            command(*argv)
    with pytest.raises(InputError, match="behind --to 1"):
        command("diff", session_id, "--from", "2", "--to", "1")
    assert "nothing to put back" in command("rewind", session_id, "--to", "4")[2]


def test_flags_that_contradict_each_other_are_refused(here: Path) -> None:
    for argv in (["--to", "1", "--turn", "1"], ["--files", "--both"], ["--turn", "0"]):
        with pytest.raises(UsageError):
            sessions.main(["rewind", *argv])


def test_the_patch_of_a_session_makes_its_changes_anew(
    play: Play, command: Command, here: Path, tmp_path: Path
) -> None:
    session_id, states = play()
    copy = tmp_path / "copy"
    copy.mkdir()
    git(copy, "init", "-q")
    for state, (start, to) in ((2, (0, 2)), (4, (2, 4))):
        if state == 2:
            (copy / "src").mkdir()
            (copy / "src" / "a.py").write_text("one\n")
            (copy / "b.txt").write_text("b\n")
        code, out, err = command("diff", session_id, "--from", str(start), "--to", str(to))
        assert (code, err) == (0, "")
        (tmp_path / "made.patch").write_text(out)
        git(copy, "apply", str(tmp_path / "made.patch"))
        assert tree(copy) == states[state]


def test_the_numbers_of_a_diff(play: Play, command: Command) -> None:
    session_id, _ = play()
    rows = msgspec.json.decode(command("diff", session_id, "--json")[1])
    assert [(row["path"], row["kind"], row["added"], row["removed"]) for row in rows] == [
        ("b.txt", "deleted", 0, 1),
        ("c.txt", "new", 1, 0),
        ("link", "new", 1, 0),
        ("src/a.py", "deleted", 0, 1),
    ]
    _, out, _ = command("diff", session_id, "--from", "1", "--to", "2", "--stat")
    assert [row.split() for row in out.splitlines()] == [
        ["b.txt", "+0", "-1", "deleted"],
        ["c.txt", "+0", "-0", "mode"],
        ["src/a.py", "+1", "-1"],
    ]
    code, out, err = command("diff", session_id, "--from", "2", "--to", "3")
    assert (code, out, err) == (0, "", "No files were changed by these turns.\n")


def test_a_session_without_checkpoints_is_no_error(
    command: Command, here: Path, scripted: StartScripted
) -> None:
    log = Store(paths().sessions).create(here)
    server = scripted(_write("c.txt", "1\n"), Reply(text="made c"))
    start = started(here, log=log)

    async def played() -> None:
        async with rig(configured(server.base_url, permission=YOLO), start) as run:
            await run.turn("one")

    asyncio.run(played())
    log.close()
    code, _, err = command("rewind", "--to", "0")
    assert (code, err) == (0, "The conversation goes on from before turn 1.\n")
    assert (here / "c.txt").exists()


def test_the_help_names_both() -> None:
    line = [sys.executable, "-m", "qcode", "sessions", "--help"]
    done = subprocess.run(line, capture_output=True, text=True, check=True)
    assert "rewind" in done.stdout
    assert "diff" in done.stdout
