"""qcode in a real terminal: what is typed, what is seen, what is left behind."""

import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.rig import Cli, calling, logs, words
from tests.support.script import Pace, Reply
from tests.support.scripted_server import ScriptedServer

if sys.platform == "win32":
    pytest.skip("no pseudo terminals there", allow_module_level=True)

from tests.support.terminal import Terminal

SLOW = Reply(text=words(400), pace=Pace(delta_seconds=0.01, characters=5))
Serve = Callable[..., ScriptedServer]


@contextmanager
def app(cli: Cli, *argv: str, size: tuple[int, int] = (100, 30)) -> Iterator[Terminal]:
    """The app, its prompt to be seen."""
    with Terminal(cli.line(*argv), cwd=cli.folder, env=cli.environ, size=size) as terminal:
        yield terminal


def ready(terminal: Terminal) -> Terminal:
    """A server was found, and the prompt waits."""
    terminal.wait_for("❯")
    terminal.wait_for("scripted-model")
    return terminal


def test_type_stream_interrupt_resize_quit(cli: Cli, serve: Serve) -> None:
    server = serve(Reply(text="The **count** was rounded."), SLOW)
    with app(cli) as terminal:
        ready(terminal).type("why does it fail?\r")
        terminal.wait_for("The count was rounded.")
        terminal.type("and now at length\r")
        terminal.wait_until(lambda seen: len(server.requests) == 2 and "writing" in seen.text)
        terminal.resize(80, 24)
        terminal.wait_until(lambda seen: "ask mode" in seen.rows[-1])
        terminal.type("a draft")
        terminal.wait_for("a draft")
        terminal.type("\x1b")
        terminal.wait_for("cancelled")
        assert "a draft" in terminal.text
        server.wait_for(lambda known: known.requests[1].closed_early is not None)
        terminal.type("\x03")
        terminal.wait_until(lambda seen: "a draft" not in seen.text)
        terminal.type("\x03\x03")
        assert terminal.wait() == 0
        terminal.wait_for("qcode --resume")
        assert "The count was rounded." in terminal.text


@pytest.mark.parametrize("after_seconds", [0.0, 0.1, 0.2, 0.3, 0.4, 0.5])
def test_keys_typed_before_the_first_paint_are_kept(
    cli: Cli, serve: Serve, after_seconds: float
) -> None:
    serve()
    with app(cli) as terminal:
        time.sleep(after_seconds)  # wherever the start happens to be then
        terminal.type("typed early")
        ready(terminal)
        terminal.wait_until(lambda seen: any("❯ typed early" in row for row in seen.rows))


def test_a_prompt_on_the_command_line_is_sent(cli: Cli, serve: Serve) -> None:
    serve(Reply(text="At once."))
    with app(cli, "say something") as terminal:
        terminal.wait_for("At once.")
        terminal.type("\x04")
        assert terminal.wait() == 0


def test_a_session_goes_on_where_it_was_left(cli: Cli, serve: Serve) -> None:
    server = serve(Reply(text="It is blue."), Reply(text="Still blue."))
    with app(cli, "which colour?") as terminal:
        terminal.wait_for("It is blue.")
        terminal.type("\x04")
        terminal.wait()
    with app(cli, "--continue") as terminal:
        terminal.wait_for("It is blue.")
        ready(terminal).type("and now?\r")
        terminal.wait_for("Still blue.")
        assert "which colour?" in server.requests[1].raw.decode()
        terminal.type("\x04")
        terminal.wait()


def test_a_call_is_approved_in_the_terminal(cli: Cli, serve: Serve) -> None:
    serve(calling("shell", command="echo made > made.txt"), Reply(text="It is made."))
    with app(cli, "make it") as terminal:
        terminal.wait_for("wants to run")
        time.sleep(0.8)  # a key too soon is no answer
        terminal.type("y")
        terminal.wait_for("It is made.")
        assert (cli.folder / "made.txt").read_text() == "made\n"
        terminal.type("\x04")
        terminal.wait()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_leaves_a_session_and_no_children(
    cli: Cli, serve: Serve, number: signal.Signals, home: Path
) -> None:
    serve(calling("shell", command="sleep 4321"))
    with app(cli, "--permission-mode", "auto", "--sandbox", "off", "sleep") as terminal:
        terminal.wait_until(lambda seen: _runs("sleep 4321"))
        os.kill(terminal.process.pid, number)
        assert terminal.wait() == 143
    assert not _runs("sleep 4321")
    (log,) = logs(home)
    with app(cli, "--continue") as terminal:
        terminal.wait_for("sleep 4321")
    assert log.exists()


def test_a_closed_terminal_leaves_a_session_and_no_children(
    cli: Cli, serve: Serve, home: Path
) -> None:
    serve(calling("shell", command="sleep 4322"))
    with app(cli, "--permission-mode", "auto", "--sandbox", "off", "sleep") as terminal:
        terminal.wait_until(lambda seen: _runs("sleep 4322"))
        terminal.close()
        assert terminal.process.returncode == 143
    assert not _runs("sleep 4322")
    assert len(logs(home)) == 1


def test_it_goes_to_the_background_and_comes_back(cli: Cli, serve: Serve) -> None:
    serve(Reply(text="It is back."))
    line = shlex.join(cli.line())
    with Terminal(["bash", "--norc", "-i"], cwd=cli.folder, env=cli.environ) as terminal:
        terminal.type(f"{line}\r")
        ready(terminal).type("a draft\x1a")
        terminal.wait_for("Stopped")
        terminal.type("fg\r")
        terminal.wait_until(lambda seen: "a draft" in seen.text and "ask mode" in seen.rows[-1])
        terminal.type("\r")
        terminal.wait_for("It is back.")
        terminal.type("\x04")
        terminal.wait_for("qcode --resume")
        terminal.type("exit\r")
        terminal.wait()


def test_without_a_server_the_demo_can_be_watched(cli: Cli) -> None:
    cli.url = "http://127.0.0.1:9/v1"  # nobody there
    with app(cli) as terminal:
        terminal.wait_for("No server answers yet")
        time.sleep(0.8)  # a key too soon is no answer
        terminal.type("d")
        terminal.wait_for("edit wants to change", 20)
        terminal.wait_for("playback (a script, no model)")
        time.sleep(0.8)
        terminal.type("y")
        terminal.wait_for("shell wants to run")
        time.sleep(0.8)
        terminal.type("y")
        terminal.wait_for("The tests pass now.", 20)
        terminal.wait_for("/new begins a session of your own in")
        terminal.type("\x04")
        assert terminal.wait() == 0


def test_nothing_of_the_screen_is_left_to_be_drawn(cli: Cli, serve: Serve) -> None:
    """What the app writes row by row is what it would paint whole."""
    serve(Reply(text=words(120), pace=Pace(delta_seconds=0.004, characters=7)))
    with app(cli, "at length", size=(80, 24)) as terminal:
        terminal.wait_for("1 step")
        terminal.settle(0.5)
        before = terminal.text
        terminal.type("\x0c")
        terminal.settle(0.5)
        assert terminal.text == before
        terminal.type("\x04")
        terminal.wait()


def test_without_a_terminal_there_is_a_sentence(cli: Cli) -> None:
    ran = cli.run("fix it")
    assert ran.code == 2
    assert "qcode -p" in ran.err


def test_a_session_that_is_not_there_is_told_before_the_screen_changes(cli: Cli) -> None:
    with app(cli, "--resume", "nowhere") as terminal:
        assert terminal.wait() == 42
        assert "There is no session" in terminal.text
        assert "❯" not in terminal.text


def _runs(command: str) -> bool:
    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True)
    return any(row.strip() == command for row in listed.stdout.splitlines())


def test_the_app_is_seen_where_its_stderr_goes_to_a_file(cli: Cli, serve: Serve) -> None:
    serve()
    line = f"exec {shlex.join(cli.line())} 2>{shlex.quote(str(cli.folder / 'log'))}"
    with Terminal(["sh", "-c", line], cwd=cli.folder, env=cli.environ) as terminal:
        ready(terminal).type("\x04")
        assert terminal.wait() == 0
    assert b"\x1b" not in (cli.folder / "log").read_bytes()


def test_a_dumb_terminal_gets_lines_and_no_sequences(cli: Cli, serve: Serve) -> None:
    serve()
    line = ["sh", "-c", f"TERM=dumb exec {shlex.join(cli.line())}"]
    with Terminal(line, cwd=cli.folder, env=cli.environ) as terminal:
        came, end = b"", time.monotonic() + 10
        while b"> " not in came and time.monotonic() < end:
            came += terminal.pump(0.1)
        terminal.type("/quit\r")
        assert terminal.wait() == 0
    assert b"> " in came
    assert b"\x1b" not in came


def test_alt_is_heard_from_a_terminal_that_sends_escape_before_the_key(
    cli: Cli, serve: Serve
) -> None:
    serve()
    with app(cli) as terminal:
        ready(terminal).type("one\x1b\rtwo")
        terminal.wait_until(lambda seen: "❯ one\n   two" in seen.text)
        terminal.type("\x1b.")
        terminal.wait_for("thinking: high")
        terminal.type("\x1b,")
        terminal.wait_for("thinking: medium")
        terminal.type("\x1bx")
        terminal.wait_for(" commands ")
        terminal.type("\x1b")
        terminal.wait_until(lambda seen: "❯ one\n   two" in seen.text)


def test_no_color_leaves_the_terminals_own_colours(cli: Cli, serve: Serve) -> None:
    serve()
    line = ["env", "NO_COLOR=1", *cli.line()]
    with Terminal(line, cwd=cli.folder, env=cli.environ) as terminal:
        came = b""
        while b"scripted-model" not in came and terminal.running:
            came += terminal.pump(1.0)
        terminal.wait_for("❯")
        assert b"\x1b[" in came
        assert not re.search(rb"\x1b\[[0-9;]*[34]8;[25];[0-9;]*m", came)


def test_a_report_is_written_where_it_says_without_a_word_of_the_session(
    cli: Cli, serve: Serve, home: Path
) -> None:
    serve(Reply(text="It is blue."))
    with app(cli, "which colour?", size=(120, 40)) as terminal:
        terminal.wait_for("It is blue.")
        ready(terminal).type("/bug\r")
        terminal.wait_for("Read it before you send it")
        terminal.wait_for("TurnStarted 1")
        terminal.type("q")
        terminal.wait_for("A report about qcode is in")
        terminal.type("\x04")
        assert terminal.wait() == 0
    (written,) = home.rglob("bug.md")
    assert "TurnStarted 1" in written.read_text()
    assert "colour" not in written.read_text()
