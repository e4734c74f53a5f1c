"""`qcode sessions`: results on stdout, talk on stderr, sentences for what goes wrong."""

import argparse
import os
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from qcode.cli import sessions
from qcode.cli.session_tables import table
from qcode.protocol.cells import fit
from qcode.protocol.errors import InputError, SessionError
from qcode.protocol.events import LoggedEvent, Renamed
from qcode.session.store import Store
from qcode.session.summary import Summary
from tests.session.histories import one_turn, started

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "data" / "sessions")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that the command runs in."""
    folder = tmp_path / "shop"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def command(store: Store, here: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs `qcode sessions …`; gives exit code, stdout, stderr."""

    def run(*argv: str) -> tuple[int, str, str]:
        parser = argparse.ArgumentParser()
        sessions.add(parser.add_subparsers())
        code = sessions.run(parser.parse_args(["sessions", *argv]), store)
        out, err = capsys.readouterr()
        return code, out, err

    return run


def saved(store: Store, folder: Path, *events: LoggedEvent) -> str:
    with store.create(folder) as log:
        log.append(started(log.session_id, str(folder)))
        for event in events:
            log.append(event)
    return log.session_id


def aged(store: Store, folder: Path, days: int) -> str:
    """A session that was last used `days` ago."""
    then = datetime.now(UTC) - timedelta(days=days)
    return saved(Store(store.root, lambda: then), folder, *one_turn())


def test_list_shows_the_sessions_of_this_folder(
    command: Command, store: Store, here: Path, tmp_path: Path
) -> None:
    mine = saved(store, here, *one_turn(1, "Mend the sum."))
    other = saved(store, tmp_path, *one_turn())
    code, out, err = command("list")
    assert (code, err) == (0, "")
    assert mine in out
    assert "Mend the sum." in out
    assert other not in out
    _, out, _ = command("list", "--all")
    assert mine in out
    assert other in out
    assert "shop" in out


def test_every_line_of_the_tables_fits_80_cells(command: Command, store: Store, here: Path) -> None:
    long = "中文" * 100 + " and a long prompt " * 20
    session_id = saved(store, here, *one_turn(1, long, long), *one_turn(2, long))
    for argv in (["list"], ["list", "--all"], ["search", "prompt"]):
        _, out, _ = command(*argv)
        assert out
        for line in out.splitlines():
            assert sum(2 if ord(sign) > 0x2E80 else 1 for sign in line) <= 80, line
    _, out, _ = command("show", session_id)
    turns = out.split("\n\n")[1]
    assert all(sum(2 if ord(c) > 0x2E80 else 1 for c in line) <= 80 for line in turns.split("\n"))


def test_a_broken_log_is_listed_with_the_reason_on_stderr(
    command: Command, store: Store, here: Path
) -> None:
    good = saved(store, here, *one_turn())
    (store.path(good).parent / "bad.jsonl").write_bytes(b"noise")
    code, out, err = command("list")
    assert code == 0
    assert good in out
    assert re.search(r"^bad .*\(broken\)$", out, re.M)
    assert "bad: Its log has no whole first line." in err


def test_an_empty_list_says_where_others_are(
    command: Command, store: Store, tmp_path: Path
) -> None:
    assert command("list") == (0, "", "There are no sessions yet.\n")
    saved(store, tmp_path, *one_turn())
    assert "--all shows those of other folders" in command("list")[2]


def test_the_fields_of_the_json_list_are_a_promise(
    command: Command, store: Store, here: Path
) -> None:
    session_id = saved(store, here, *one_turn(1, "Hello."), Renamed("greeting"))
    _, out, err = command("list", "--json")
    assert err == ""
    (row,) = msgspec.json.decode(out)
    assert row["started"].endswith("Z")
    assert row == {
        "id": session_id,
        "title": "greeting",
        "name": "greeting",
        "folder": str(here),
        "model": "qwen",
        "started": row["started"],
        "updated": row["updated"],
        "turns": 1,
        "generated_tokens": 25,
        "edits": 1,
        "bytes": store.path(session_id).stat().st_size,
        "parent": "",
        "broken": "",
        "usable": True,
    }


def test_an_empty_json_list_is_still_json(command: Command) -> None:
    assert command("list", "--json") == (0, "[]\n", "")


def test_show_takes_the_latest_here_and_lists_its_prompts(
    command: Command, store: Store, here: Path
) -> None:
    session_id = saved(store, here, *one_turn(1, "First."), *one_turn(2, "Second."))
    code, out, _ = command("show")
    assert code == 0
    for words in (session_id, str(here), "qwen", "50 tokens", "    1  First.", "    2  Second."):
        assert words in out
    assert msgspec.json.decode(command("show", session_id[-4:], "--json")[1])["id"] == session_id


def test_show_has_the_last_words_of_each_turn(command: Command, store: Store, here: Path) -> None:
    saved(store, here, *one_turn(1, "First.", "Done\nand more."), *one_turn(2, "Second.", "Ok."))
    rows = command("show")[1].split("\n\n")[1].splitlines()
    assert rows == ["    1  First.", "       → Done", "    2  Second.", "       → Ok."]


def test_a_fork_is_marked_in_the_list(command: Command, store: Store, here: Path) -> None:
    parent = saved(store, here, *one_turn(1, "First."))
    with store.fork(parent).log as log:
        pass
    _, out, _ = command("list")
    rows = {row.split()[0]: row for row in out.splitlines()[1:]}
    assert rows[log.session_id].endswith("(fork) First.")
    assert rows[parent].endswith(" First.")
    assert "(fork)" not in rows[parent]


def test_export_prints_markdown_or_json(command: Command, store: Store, here: Path) -> None:
    saved(store, here, *one_turn(1, "Hello."))
    assert command("export")[1].startswith("# Hello.\n")
    assert msgspec.json.decode(command("export", "--json")[1])["title"] == "Hello."
    assert command("export", "--format", "json") == command("export", "--json")


def test_export_makes_a_page_by_flag_or_by_the_name_of_the_file(
    command: Command, store: Store, here: Path
) -> None:
    saved(store, here, *one_turn(1, "Hello."))
    page = command("export", "--html")[1]
    assert page.startswith("<!doctype html>")
    command("export", "-o", "a.html")
    assert (here / "a.html").read_text(encoding="utf-8") == page
    command("export", "-o", "b.html", "--json")
    assert msgspec.json.decode((here / "b.html").read_bytes())["title"] == "Hello."


def test_export_into_a_file_leaves_stdout_empty(command: Command, store: Store, here: Path) -> None:
    saved(store, here, *one_turn(1, "Hello."))
    assert command("export", "-o", "a.md") == (0, "", "Written to a.md.\n")
    assert (here / "a.md").read_text().startswith("# Hello.")
    with pytest.raises(InputError, match="cannot be written"):
        command("export", "-o", "missing/a.md")


def test_export_of_a_cut_log_says_what_is_missing(
    command: Command, store: Store, here: Path
) -> None:
    session_id = saved(store, here, *one_turn(1, "Hello."))
    path = store.path(session_id)
    path.write_bytes(path.read_bytes()[:-3])
    code, out, err = command("export", session_id)
    assert (code, out[:8]) == (0, "# Hello.")
    assert "The log was cut" in err


def test_search_shows_places_below_their_session(
    command: Command, store: Store, here: Path, tmp_path: Path
) -> None:
    session_id = saved(store, here, *one_turn(1, "Where is the basket?"))
    code, out, err = command("search", "the", "basket")
    assert (code, err) == (0, "")
    assert out.splitlines()[0].startswith(session_id)
    assert out.splitlines()[1] == "    prompt: Where is the basket?"
    saved(store, tmp_path, *one_turn(1, "Another basket."))
    assert "Another" not in command("search", "basket")[1]
    assert "Another" in command("search", "basket", "--all")[1]
    (first, *_) = msgspec.json.decode(command("search", "basket", "--json")[1])
    assert set(first) == {"id", "title", "updated", "n", "kind", "snippet"}


def test_a_search_without_result_says_so(command: Command, store: Store, here: Path) -> None:
    saved(store, here, *one_turn())
    code, out, err = command("search", "nowhere")
    assert (code, out) == (0, "")
    assert err == "Nothing found for “nowhere”. --all searches the sessions of all folders.\n"


def test_without_a_terminal_deleting_needs_yes(command: Command, store: Store, here: Path) -> None:
    first, second = (saved(store, here, *one_turn()) for _ in range(2))
    with pytest.raises(InputError, match="add --yes"):
        command("delete", first)
    assert len(store.list()) == 2
    assert command("delete", first, "--yes") == (0, "", f"Deleted {first}.\n")
    code, out, _ = command("delete", second, second, "--yes", "--json")
    assert (code, msgspec.json.decode(out)) == (0, {"deleted": [second]})
    assert store.list() == ()


AT_A_TERMINAL = """
import argparse, sys
from pathlib import Path
from qcode.cli import sessions
from qcode.session.store import Store

parser = argparse.ArgumentParser()
sessions.add(parser.add_subparsers())
sys.exit(sessions.run(parser.parse_args(sys.argv[2:]), Store(Path(sys.argv[1]))))
"""


def test_at_a_terminal_deleting_needs_no_yes(store: Store, here: Path) -> None:
    pty = pytest.importorskip("pty", reason="Windows has no pseudo-terminals")
    session_id = saved(store, here, *one_turn())
    ours, theirs = pty.openpty()
    command = [sys.executable, "-c", AT_A_TERMINAL, str(store.root), "sessions", "delete"]
    done = subprocess.run([*command, session_id], stdin=theirs, check=False)
    os.close(ours)
    os.close(theirs)
    assert done.returncode == 0
    assert store.list() == ()


@pytest.mark.parametrize(("typed", "left"), [(b"n\n", 1), (b"\n", 1), (b"y\n", 0)])
def test_at_a_terminal_prune_shows_what_goes_and_asks(
    store: Store, here: Path, typed: bytes, left: int
) -> None:
    pty = pytest.importorskip("pty", reason="Windows has no pseudo-terminals")
    session_id = aged(store, here, 60)
    ours, theirs = pty.openpty()
    os.write(ours, typed)
    command = [sys.executable, "-c", AT_A_TERMINAL, str(store.root), "sessions", "prune"]
    flags = ["--keep", "0", "--older-than", "30"]
    done = subprocess.run(
        [*command, *flags], stdin=theirs, capture_output=True, text=True, check=False
    )
    os.close(ours)
    os.close(theirs)
    assert session_id in done.stderr
    assert len(store.list()) == left


def test_one_unknown_id_and_nothing_is_deleted(command: Command, store: Store, here: Path) -> None:
    session_id = saved(store, here, *one_turn())
    with pytest.raises(SessionError, match="no session “nonsense”"):
        command("delete", session_id, "nonsense", "--yes")
    assert len(store.list()) == 1


def test_prune_removes_old_sessions_of_this_folder_and_keeps_the_newest(
    command: Command, store: Store, here: Path, tmp_path: Path
) -> None:
    oldest, old, young = (aged(store, here, days) for days in (60, 50, 1))
    elsewhere = aged(store, tmp_path, 60)
    limits = ["prune", "--older-than", "30d", "--keep", "2"]
    _, out, err = command(*limits, "--dry-run")
    assert oldest in out
    assert "1 session would be deleted" in err
    with pytest.raises(InputError, match="add --yes"):
        command(*limits)
    code, out, _ = command(*limits, "--yes", "--json")
    assert (code, msgspec.json.decode(out)) == (0, {"deleted": [oldest]})
    assert {summary.id for summary in store.list()} == {old, young, elsewhere}
    assert command(*limits)[2] == "Deleted no sessions.\n"


def test_prune_says_how_many_in_use_stayed(command: Command, store: Store, here: Path) -> None:
    session_id = aged(store, here, 60)
    lock = store.resume(session_id).log
    with lock:
        err = command("prune", "--keep", "0", "--older-than", "30", "--yes")[2]
    assert err == "Deleted no sessions. 1 in use stayed.\n"


@pytest.mark.parametrize(
    "argv", [["prune", "--older-than", "soon"], ["list", "-n", "-1"], ["fly"], []]
)
def test_wrong_flags_end_with_2(command: Command, argv: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        command(*argv)
    assert ended.value.code == 2


def test_control_characters_of_a_log_do_not_reach_the_terminal(
    command: Command, store: Store, here: Path
) -> None:
    session_id = saved(store, here, *one_turn(1, "\x1b]0;x\x07Hi\x1b[2J there", "\x9b31mred"))
    for argv in (["list"], ["show"], ["search", "there"], ["export"], ["show", session_id]):
        _, out, err = command(*argv)
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", out + err), argv


def test_a_cut_title_ends_in_an_ellipsis_and_never_inside_a_wide_sign() -> None:
    assert fit("abcdef", 6) == "abcdef"
    assert fit("abcdefg", 6) == "abcde…"
    assert fit("中文中文", 6) == "中文…"
    assert fit("e\u0301" * 6, 6) == "e\u0301" * 6


def test_a_table_of_nothing_is_nothing() -> None:
    assert table(()) == ""
    row = Summary("x", "t", "", "", "", "not a date", "not a date", 0, 0, 0, 0)
    assert "not a date" in table((row,))


def qcode(*argv: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "qcode", "sessions", *argv]
    return subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )


def test_the_command_finds_the_sessions_below_qcode_home(home: Path, here: Path) -> None:
    store = Store(home / "qcode" / "data" / "sessions")
    session_id = saved(store, here, *one_turn(1, "Hello."))
    done = qcode("list", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert [row["id"] for row in msgspec.json.decode(done.stdout)] == [session_id]


def test_what_goes_wrong_is_a_sentence_and_a_code_without_traceback(home: Path, here: Path) -> None:
    store = Store(home / "qcode" / "data" / "sessions")
    session_id = saved(store, here, *one_turn())
    unknown = qcode("show", "20991231-0000-zzzz")
    assert (unknown.returncode, unknown.stdout) == (42, "")
    assert unknown.stderr.startswith("qcode: There is no session “20991231-0000-zzzz”.")
    refused = qcode("delete", session_id)
    assert (refused.returncode, refused.stdout) == (42, "")
    assert refused.stderr == ("qcode: No terminal is attached: to delete 1 session, add --yes.\n")
