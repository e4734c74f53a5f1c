"""Two qcodes in one repository, and two that want the same session."""

from collections.abc import Callable
from pathlib import Path

from qcode.session.reading import read
from tests.e2e.rig import DONE, LLAMA, YOLO, Cli, logs
from tests.faults.strays import left
from tests.support.script import Body, Call, Pace, Reply
from tests.support.scripted_server import ScriptedServer

Serve = Callable[..., ScriptedServer]
MANY = 6


def _worker(body: Body) -> Reply:
    """Each conversation makes three files of its own, one by a command."""
    prompt = str(body["messages"][1]["content"])
    number = next(n for n in range(MANY) if f"worker {n}." in prompt)
    done = sum(message["role"] == "tool" for message in body["messages"])
    match done:
        case 0:
            call = Call("write", {"path": f"w{number}/a.txt", "content": f"{number}\n"})
        case 1:
            call = Call("shell", {"command": f"echo {number} > w{number}/b.txt; sleep 0.1"})
        case 2:
            path = f"w{number}/a.txt"
            call = Call("edit", {"path": path, "old_string": f"{number}", "new_string": "x"})
        case _:
            return Reply(text=f"worker {number} is done")
    return Reply(calls=(call,))


def test_several_in_one_repository_do_not_hinder_each_other(cli: Cli, home: Path) -> None:
    """What one changes just while a command of another runs, belongs to both: nobody can tell."""
    with ScriptedServer(about=LLAMA, otherwise=_worker) as server:
        cli.url = server.base_url
        prompts = [("-p", f"You are worker {n}.", *YOLO) for n in range(MANY)]
        started = [cli._started(cli.line(*argv), -3) for argv in prompts]
        ended = [one.end() for one in started]
    for number, ran in enumerate(ended):
        assert (ran.code, ran.out) == (0, f"worker {number} is done\n"), ran.err
        assert (cli.folder / f"w{number}" / "a.txt").read_text() == "x\n"
    assert len(logs(home)) == MANY
    for log in logs(home):
        opened = read(log)
        assert not opened.lost_bytes
        assert not opened.skipped
    assert not left(cli.folder)


def test_a_session_in_use_is_told_and_goes_on_unharmed(cli: Cli, serve: Serve, home: Path) -> None:
    serve(DONE, Reply(text="slow " * 50, pace=Pace(delta_seconds=0.1, characters=5)), DONE)
    assert cli.ask().code == 0
    [log] = logs(home)
    running = cli.start("--continue")
    while not log.with_suffix(".lock").exists():
        pass
    for argv in (
        ("-p", "again", "--continue"),
        ("sessions", "rewind", "--turn", "1"),
        ("sessions", "delete", log.stem, "--yes"),
    ):
        line = cli.line(*argv) if argv[0] == "-p" else cli.line(*argv)[:-2]
        refused = within_code(cli, line)
        assert refused[0] == 42, refused
        assert "is open in another qcode" in refused[1]
    copy = cli.ask("--continue", "--fork-session")
    assert copy.code == 0, copy.err
    assert running.end().code == 0
    assert len(logs(home)) == 2
    assert all(not read(one).lost_bytes for one in logs(home))


def within_code(cli: Cli, line: list[str]) -> tuple[int, str]:
    """Exit code and stderr; others may run meanwhile."""
    ran = cli._started(line, -3).end()
    return ran.code, ran.err
