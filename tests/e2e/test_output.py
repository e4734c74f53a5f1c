"""Where a result goes: stdout, JSON, a file; and when it cannot go there."""

import json
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.rig import DONE, Cli, calling, obey_permissions, words
from tests.support.script import Reply, Usage
from tests.support.scripted_server import ScriptedServer

Serve = Callable[..., ScriptedServer]
JSON = ("--output-format", "json")


def test_the_answer_alone_is_on_stdout_and_progress_on_stderr(cli: Cli, serve: Serve) -> None:
    serve(calling("glob", pattern="*"), DONE)
    ran = cli.ask()
    assert ran.out == "Done.\n"
    assert "● glob * · 0 found" in ran.err
    assert "2 steps · 1 call" in ran.err


def test_quiet_is_quiet(cli: Cli, serve: Serve) -> None:
    serve(calling("glob", pattern="*"), DONE)
    ran = cli.ask("--quiet")
    assert (ran.out, ran.err) == ("Done.\n", "")


def test_json_is_one_object_on_stdout(cli: Cli, serve: Serve) -> None:
    serve(
        calling("write", path="a.txt", content="x\n"),
        Reply(text="Größe ✓", usage=Usage(1000, 50, 900)),
    )
    found = cli.ask(*JSON, environ={"LC_ALL": "C", "PYTHONIOENCODING": "ascii"}).json
    assert found["type"] == "result"
    assert found["subtype"] == "success"
    assert found["is_error"] is False
    assert found["result"] == "Größe ✓"
    assert found["num_turns"] == 2
    assert found["usage"]["cache_read_input_tokens"] == 900
    assert found["qcode"]["edited"] == ["a.txt"]
    assert found["qcode"]["exit_code"] == 0


WRONG = {
    ("--frobnicate",): 2,
    ("--max-turns", "none"): 2,
    ("--permission-mode", "wild"): 2,
    ("--allowed-tools", "Bash(("): 2,
    ("--sandbox", "required", "-C", "/"): 44,
    ("-C", "nowhere"): 42,
    ("--add-dir", "nowhere"): 42,
    ("--fork-session",): 42,
    ("--continue",): 42,
    ("--resume", "nobody"): 42,
    ("-o", "nowhere/answer.md"): 42,
}


def test_a_script_gets_its_object_whatever_is_wrong(cli: Cli) -> None:
    found = cli.together(*[(*JSON, *argv) for argv in WRONG])
    for ran, (argv, code) in zip(found, WRONG.items(), strict=True):
        assert (argv, ran.code) == (argv, code)
        assert ran.json["is_error"] is True
        assert ran.json["qcode"]["exit_code"] == code
        [sentence] = ran.json["errors"]
        assert f"qcode: {sentence}" in ran.err


def test_a_broken_configuration_names_file_and_line(cli: Cli, home: Path) -> None:
    file = home / "qcode" / "config" / "config.toml"
    file.parent.mkdir(parents=True)
    file.write_text('[server]\nbase_url = "http://x/v1"\n[agent\n')
    ran = cli.ask(*JSON)
    assert ran.code == 52
    assert f"{file}:3" in ran.json["errors"][0]


def test_the_answer_goes_to_a_file_as_well(cli: Cli, serve: Serve) -> None:
    serve(DONE)
    target = cli.folder / "answer.md"
    target.write_text("old")
    target.chmod(0o640)
    assert cli.ask("-o", "answer.md").out == "Done.\n"
    assert target.read_text() == "Done.\n"
    assert stat.S_IMODE(target.stat().st_mode) == 0o640
    assert [path.name for path in cli.folder.iterdir()] == ["answer.md"]


def test_a_file_may_be_a_link_or_a_pipe(cli: Cli, serve: Serve) -> None:
    serve(DONE, DONE)
    (cli.folder / "real.md").touch()
    (cli.folder / "link.md").symlink_to("real.md")
    cli.ask("-o", "link.md")
    assert (cli.folder / "link.md").is_symlink()
    assert (cli.folder / "real.md").read_text() == "Done.\n"
    assert cli.shell("qcode -p 'do it' -q -o /dev/stderr >/dev/null").err == "Done.\n"


def test_a_failed_run_leaves_no_answer_of_an_earlier_one(cli: Cli, serve: Serve) -> None:
    serve(Reply(text="I begin.", calls=calling("glob", pattern="*").calls))
    target = cli.folder / "answer.md"
    target.write_text("the answer of yesterday")
    assert cli.ask("-o", "answer.md", "--max-turns", "1").code == 53
    assert target.read_text() == "I begin.\n"
    target.write_text("the answer of yesterday")
    assert cli.ask("-o", "answer.md", "--permission-mode", "wild").code == 2
    assert target.read_text() == ""


@pytest.mark.parametrize("target", ["sub", "nowhere/answer.md", "closed/answer.md"])
def test_a_file_that_cannot_be_written_is_told_before_the_work(cli: Cli, target: str) -> None:
    (cli.folder / "sub").mkdir()
    (cli.folder / "closed").mkdir(mode=0o500)
    ran = cli.ask("-o", target, before=obey_permissions)
    assert ran.code == 42
    assert target in ran.err
    assert list((cli.folder / "closed").iterdir()) == []


def test_a_full_disk_keeps_the_file_and_prints_the_answer(
    cli: Cli, serve: Serve, small_disk: Path
) -> None:
    (small_disk / "fill").write_bytes(bytes(56_000))
    target = small_disk / "answer.md"
    target.write_text("old")
    serve(Reply(text=words(4000)))
    ran = cli.ask("-o", str(target), *JSON)
    assert ran.code == 42
    assert target.read_text() == "old"
    assert sorted(path.name for path in small_disk.iterdir()) == ["answer.md", "fill"]
    assert ran.json["result"] == words(4000)
    assert "No space left on device" in ran.json["errors"][0]


def test_a_closed_stdout_is_no_success(cli: Cli, serve: Serve) -> None:
    serve(DONE)
    ran = cli.shell("qcode -p 'do it' >&-")
    assert ran.code == 1
    assert "could not be written to stdout" in ran.err
    assert "qcode sessions export" in ran.err  # nothing is lost


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="only Linux has a full device")  # noqa: PTH110 - a Path is no shorter
def test_a_full_stdout_is_no_success_and_a_full_stderr_no_failure(cli: Cli, serve: Serve) -> None:
    serve(DONE, DONE, DONE)
    ran = cli.shell("qcode -p 'do it' >/dev/full")
    assert ran.code == 1
    assert "No space left on device" in ran.err
    assert cli.shell("qcode -p 'do it' --yolo 2>/dev/full").out == "Done.\n"
    assert cli.shell("qcode -p 'do it' 2>&-").out == "Done.\n"


def test_a_reader_that_leaves_ends_it_quietly(cli: Cli, serve: Serve) -> None:
    serve(Reply(text=words(40_000)))
    ran = cli.shell("qcode -p 'do it' -q | (exec <&-; sleep 1); exit ${PIPESTATUS[0]}")
    assert ran.code == 141
    assert ran.err == ""


def test_an_answer_cannot_steer_the_terminal(cli: Cli, serve: Serve) -> None:
    serve(Reply(text="safe \x1b]0;title\x07\x1b[2Jtext"), Reply(text="\x1b[2J"))
    assert cli.ask().out == "safe text\n"
    with pytest.raises(AssertionError, match="no result"):
        cli.ask()


def test_json_survives_what_a_model_writes(cli: Cli, serve: Serve) -> None:
    serve(Reply(text='quotes " and \\ and \u2028 and \x1b[0m'))
    assert json.loads(cli.ask(*JSON).out)["result"].startswith('quotes " and \\ and \u2028')
