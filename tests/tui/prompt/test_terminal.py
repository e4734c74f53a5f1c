"""The prompt in a real terminal: an editor takes it over and gives it back, keys are echoed."""

import os
import select
import signal
import struct
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there are no ptys")

_PROGRAM = """
import sys
from pathlib import Path
from tests.tui.prompt.room import Room
from qcode.tui.prompt import messages
folder = Path(sys.argv[1])
class Writing(Room):
    def on_prompt_submitted(self, told: messages.Submitted) -> None:
        (folder / "sent").write_text(told.text, encoding="utf-8")
Writing(folder).run()
"""


class Terminal:
    """A program on a pty of 120x40."""

    def __init__(self, arguments: list[str], environ: dict[str, str]) -> None:
        import fcntl  # noqa: PLC0415 - Windows has neither
        import pty  # noqa: PLC0415
        import termios  # noqa: PLC0415

        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execve(sys.executable, [sys.executable, *arguments], environ)
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))

    def press(self, keys: str) -> None:
        os.write(self.fd, keys.encode())

    def until(self, text: str, seconds: float = 30.0) -> str:
        """Read until `text` was written."""
        seen, end = "", time.monotonic() + seconds
        while text not in seen and time.monotonic() < end:
            if select.select([self.fd], [], [], 0.1)[0]:
                seen += os.read(self.fd, 65536).decode("utf-8", "replace")
        assert text in seen
        return seen


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    editor = tmp_path / "editor"
    editor.write_text(
        "#!/bin/sh\necho in the editor\nread key\nprintf ' and more\\n' >> \"$1\"\n",
        encoding="utf-8",
    )
    editor.chmod(0o755)
    environ = {**os.environ, "VISUAL": str(editor), "TERM": "xterm-256color"}
    running = Terminal(["-c", _PROGRAM, str(tmp_path)], environ)
    yield running
    os.kill(running.pid, signal.SIGKILL)
    os.waitpid(running.pid, 0)
    os.close(running.fd)


def test_an_editor_has_the_terminal_and_its_text_comes_back(
    terminal: Terminal, tmp_path: Path
) -> None:
    terminal.until("page")
    terminal.press("words")
    terminal.until("s")
    terminal.press("\x18\x05")  # Ctrl+X Ctrl+E
    terminal.until("in the editor")
    terminal.press("\r")
    terminal.until("and more")
    terminal.press("\r")
    end = time.monotonic() + 10
    while not (tmp_path / "sent").exists() and time.monotonic() < end:
        time.sleep(0.02)
    assert (tmp_path / "sent").read_text(encoding="utf-8") == "words and more"
