"""Plain mode as a person meets it, on a pty and behind a pipe."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.support.llama_words import About
from tests.support.script import Call, Reply
from tests.support.scripted_server import StartScripted

if sys.platform == "win32":
    pytest.skip("a pty is needed", allow_module_level=True)

ROOT = Path(__file__).parents[2]
COLOUR = re.compile(rb"\x1b\[[0-9;]*m")
WAIT_SECONDS = 20.0


class Plain:
    """A process whose stdin and stdout are a terminal; what it tells its engine is in a file."""

    def __init__(self, folder: Path, argv: Sequence[str] = (), **environ: str) -> None:
        self.ours, theirs = os.openpty()
        self.said = b""
        self._told = folder / "told"
        self._told.touch()
        scripted = ("-m", "tests.tui.plain_main", str(self._told))
        self.process = subprocess.Popen(
            [sys.executable, *(argv or scripted)],
            cwd=folder if argv else ROOT,
            env={**os.environ, "TERM": "xterm-256color", **environ},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)

    @property
    def told(self) -> list[str]:
        """Inputs that reached the engine, by name."""
        return self._told.read_text().splitlines()

    def type(self, text: str) -> None:
        os.write(self.ours, text.encode())

    def until(self, text: str) -> bytes:
        """Read until `text` was said; everything that was said."""
        end = time.monotonic() + WAIT_SECONDS
        while text.encode() not in COLOUR.sub(b"", self.said):
            assert time.monotonic() < end, f"no {text!r} in {self.said!r} {self.told}"
            self._read()
        return self.said

    def ends(self) -> int:
        """Its exit code."""
        end = time.monotonic() + WAIT_SECONDS
        while self.process.poll() is None:
            assert time.monotonic() < end, f"it goes on: {self.said!r} {self.told}"
            self._read()
            time.sleep(0.02)
        self._read()
        return self.process.returncode

    def _read(self) -> None:
        os.set_blocking(self.ours, False)
        try:
            self.said += os.read(self.ours, 65_536)
        except BlockingIOError:
            time.sleep(0.01)
        except OSError:  # nobody is at the other end any more
            time.sleep(0.01)

    def interrupt(self) -> None:
        self.process.send_signal(signal.SIGINT)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.ours)


@pytest.fixture
def plain(tmp_path: Path) -> Iterator[Plain]:
    started = Plain(tmp_path)
    yield started
    started.close()


@pytest.fixture
def colourless(tmp_path: Path) -> Iterator[Plain]:
    started = Plain(tmp_path, NO_COLOR="1")
    yield started
    started.close()


def _a_whole_turn(plain: Plain) -> bytes:
    plain.until("> ")
    plain.type("Fix it.\n")
    plain.until("allow? ")
    plain.type("y\n")
    plain.until("done: ")
    plain.type("/quit\n")
    assert plain.ends() == 0
    return plain.said


def test_a_turn_is_told_line_by_line_and_the_edit_asked_for(plain: Plain) -> None:
    said = COLOUR.sub(b"", _a_whole_turn(plain)).decode().replace("\r\n", "\n")
    story = said.partition("Fix it.\n")[2]
    assert story.startswith(
        "thought 1 token\n"
        "I change a.py.\n"
        "\n"
        "It holds one line.\n"
        "edit wants to change:\n"
        "  a.py, 1 added, 1 removed:\n"
        "  @@ -1 +1 @@\n"
        "  -old = 1\n"
        "  +new = 1\n"
        "  because ask mode asks before edits\n"
        "  session would allow: Edit(a.py)\n"
        "allow? [y]es once, [s]ession, [n]o, [w]ords: y\n"
        "edit a.py, +1 −1\n"
    )
    assert said.endswith("Go on with: qcode --resume s1\n")


def test_colours_are_the_only_sequences(plain: Plain) -> None:
    said = _a_whole_turn(plain)
    assert COLOUR.search(said)
    assert b"\x1b" not in COLOUR.sub(b"", said)
    assert not re.search(rb"\r(?!\n)|\x08|\x07", said)


def test_with_no_color_there_is_no_sequence_at_all(colourless: Plain) -> None:
    said = _a_whole_turn(colourless)
    assert b"\x1b" not in said
    assert not re.search(rb"\r(?!\n)|\x08|\x07", said)


def test_denied_with_words_the_model_is_told_why(plain: Plain) -> None:
    plain.type("Fix it.\n")
    plain.until("allow? ")
    plain.type("w\n")
    plain.until("why not? ")
    plain.type("use ceil\n")
    plain.until("denied: use ceil")


def test_what_is_no_answer_is_asked_again(plain: Plain) -> None:
    plain.type("Fix it.\n")
    plain.until("allow? ")
    plain.type("maybe\n")
    plain.until("one of the letters in brackets")
    assert "ApprovalReply" not in plain.told
    plain.type("no\n")
    plain.until("done: ")


def test_ctrl_c_cancels_the_turn_and_twice_on_an_idle_prompt_quits(plain: Plain) -> None:
    plain.until("> ")
    plain.type("hang\n")
    while "Prompt" not in plain.told:
        time.sleep(0.02)
    time.sleep(0.2)
    plain.interrupt()
    plain.until("cancelled: The turn was cancelled.")
    plain.interrupt()
    plain.until("Ctrl+C again quits.")
    plain.interrupt()
    assert plain.ends() == 0
    assert plain.told[-2:] == ["Cancel", "closed"]


def test_a_hangup_closes_the_session(plain: Plain) -> None:
    plain.until("> ")
    plain.type("hang\n")
    while "Prompt" not in plain.told:
        time.sleep(0.02)
    plain.process.send_signal(signal.SIGHUP)
    assert plain.ends() == 128 + signal.SIGHUP
    assert plain.told[-1] == "closed"


def test_the_end_of_the_input_quits(plain: Plain) -> None:
    plain.until("> ")
    plain.type("\x04")
    assert plain.ends() == 0
    assert plain.told[-1] == "closed"


def _piped(text: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.tui.plain_main", os.devnull],
        cwd=ROOT,
        input=text,
        capture_output=True,
        text=True,
        timeout=WAIT_SECONDS,
        check=False,
    )


def test_piped_lines_answer_what_is_asked_in_their_order() -> None:
    done = _piped("Fix it.\nn\n/mode\n/nonsense\n/help\n")
    assert done.returncode == 0
    assert "edit a.py: denied" in done.stdout
    assert "ask mode; /mode NAME changes it." in done.stdout
    assert "There is no command /nonsense." in done.stdout
    assert "/quit: leave" in done.stdout
    assert "\x1b" not in done.stdout


def test_a_pipe_that_ends_before_an_approval_denies_it() -> None:
    done = _piped("Fix it.\n")
    assert done.returncode == 0
    assert "nobody can be asked any more" in done.stdout


def test_a_prompt_of_several_lines_goes_on_behind_backslashes() -> None:
    done = _piped("Fix\\\nit.\nn\n/rewind\n")
    assert "1: Fix" in done.stdout


def test_a_real_session_over_a_server_is_told_and_goes_back(
    tmp_path: Path, scripted: StartScripted
) -> None:
    write = Call("write", {"path": "a.py", "content": "x = 1\n"})
    server = scripted(
        Reply(reasoning="Hm.", text="I write it.", calls=(write,)),
        Reply(text="It is there.\n\nTry it."),
        about=About(kind="llamacpp"),
    )
    plain = Plain(tmp_path, ("-m", "qcode", "--plain", "--base-url", server.base_url))
    try:
        plain.until("> ")
        plain.type("Make a.py.\n")
        plain.until("allow? ")
        assert not (tmp_path / "a.py").exists()
        plain.type("y\n")
        plain.until("write a.py, +1 −0")
        plain.until("It is there.\r\n\r\nTry it.\r\ndone: 2 steps")
        plain.type("!echo hello\n")
        plain.until("! echo hello, exit 0")
        plain.type("/undo\n")
        plain.until("Put back: a.py.")
        assert not (tmp_path / "a.py").exists()
        plain.type("/redo\n")
        plain.until("/undo takes that back")
        assert (tmp_path / "a.py").exists()
        plain.type("/rewind 1 both\n")
        plain.until("went back to before turn 1")
        plain.type("/quit\n")
        assert plain.ends() == 0
    finally:
        plain.close()
    assert not (tmp_path / "a.py").exists()


def test_an_examination_is_told_line_by_line(plain: Plain) -> None:
    plain.until("> ")
    plain.type("/doctor nonsense\n")
    plain.until("/doctor takes nothing but anyway")
    plain.type("/doctor anyway\n")
    said = COLOUR.sub(b"", plain.until("writes a report.")).decode()
    assert said.index("Ctrl+C ends it") < said.index("context: how large it is")
    assert "slow: The context is small." in said
    assert "change: -c 65536" in said
    assert "4,096 tokens until its end" in said
    plain.type("/quit\n")
    assert plain.ends() == 0
    assert b"\x1b" not in COLOUR.sub(b"", plain.said)


def test_ctrl_c_ends_an_examination_and_keeps_what_is_known(plain: Plain) -> None:
    plain.until("> ")
    plain.type("/doctor\n")
    plain.until("context: how large it is")
    plain.type("hang\n")
    plain.interrupt()
    plain.until("4,096 tokens until Ctrl+C")
    plain.until("nothing for")  # the line that was typed meanwhile is heard now
    plain.interrupt()
    plain.until("cancelled")
    plain.type("/quit\n")
    assert plain.ends() == 0
    assert plain.told.index("Prompt") < plain.told.index("Cancel")


def test_a_hangup_ends_an_examination_and_the_session(plain: Plain) -> None:
    plain.until("> ")
    plain.type("/doctor\n")
    plain.until("context: how large it is")
    plain.process.send_signal(signal.SIGHUP)
    assert plain.ends() == 128 + signal.SIGHUP
    assert plain.told[-1] == "closed"
