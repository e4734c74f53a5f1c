"""A program in a real pseudo terminal, and the screen as a terminal emulator sees it.

    with Terminal(["qcode"], cwd=tmp_path) as terminal:
        terminal.wait_for("qcode")
        terminal.type("hello")
        terminal.wait_until(lambda seen: "hello" in seen.text)

Not for Windows, which has no pseudo terminals of this kind.
"""

import contextlib
import os
import select
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Self

import pyte

if sys.platform != "win32":
    import fcntl
    import termios

_ATTACH = (  # a shell does the same: the terminal becomes the one that signals come from
    "import fcntl,os,sys,termios; fcntl.ioctl(0,termios.TIOCSCTTY,0);"
    "os.execvp(sys.argv[1],sys.argv[1:])"
)
_SYNCHRONIZED = b"\x1b[?2026$p"
_KEPT = 4_000
PATIENCE = 30.0
"""Seconds: only what fails waits so long, and a busy machine is no failure."""


class Terminal:
    """Of 120 columns and 40 rows, unless told. Reads only while it waits, as a slow terminal."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        size: tuple[int, int] = (120, 40),
    ) -> None:
        self.received = 0
        """Bytes from the program."""
        self.blind = False
        """Count what comes, but do not work out the screen: that costs more than most programs."""
        self._screen = pyte.Screen(*size)
        self._stream = pyte.ByteStream(self._screen)
        self._tail = b""
        self._master, slave = os.openpty()
        self._set_size(*size)
        surroundings = {**(os.environ if env is None else env)}
        for name in ("COLUMNS", "LINES", "NO_COLOR", "TERM_PROGRAM"):
            surroundings.pop(name, None)
        surroundings |= {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
        self.began = time.monotonic()
        self.process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _ATTACH, *command],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            cwd=cwd,
            env=surroundings,
            start_new_session=True,
        )
        os.close(slave)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- the screen --

    @property
    def rows(self) -> list[str]:
        """The screen, row by row, without blanks at their ends."""
        return [row.rstrip() for row in self._screen.display]

    @property
    def text(self) -> str:
        """The whole screen."""
        return "\n".join(self.rows)

    @property
    def modes(self) -> set[int]:
        """DEC's private modes that are on: 1003 = the mouse is told of."""
        return {mode >> 5 for mode in self._screen.mode}

    @property
    def cursor(self) -> tuple[int, int]:
        """Column and row."""
        return self._screen.cursor.x, self._screen.cursor.y

    def wait_for(self, words: str, seconds: float = PATIENCE) -> None:
        """Read until they stand on the screen."""
        self.wait_until(lambda seen: words in seen.text, seconds)

    def wait_until(self, met: Callable[[Self], bool], seconds: float = PATIENCE) -> None:
        """Read until `met(self)`; AssertionError with the screen when it is not in time."""
        end = time.monotonic() + seconds
        while not met(self):
            left = end - time.monotonic()
            assert left > 0, f"not within {seconds} s; the screen:\n{self.text}"
            if not self.pump(min(left, 0.05)) and not self.running:
                assert met(self), f"it has ended; the screen:\n{self.text}"

    def settle(self, seconds: float = 0.15) -> None:
        """Read until nothing has come for so long."""
        while self.pump(seconds):
            pass

    def pump(self, seconds: float) -> bytes:
        """Read once what is there, or comes within so many seconds."""
        if not select.select([self._master], [], [], seconds)[0]:
            return b""
        try:
            data = os.read(self._master, 65_536)
        except OSError:  # EIO: the program has left
            return b""
        self.received += len(data)
        around = self._tail[-len(_SYNCHRONIZED) + 1 :] + data
        if _SYNCHRONIZED in around:
            os.write(self._master, b"\x1b[?2026;2$y")
        self._tail = (self._tail + data)[-_KEPT:]
        if not self.blind:
            self._stream.feed(data)
        return data

    # -- the person --

    def type(self, keys: str) -> None:
        """As if typed."""
        os.write(self._master, keys.encode())

    def paste(self, text: str) -> None:
        """As terminals do that mark it."""
        self.type(f"\x1b[200~{text}\x1b[201~")

    def resize(self, columns: int, rows: int) -> None:
        """The window has another size now; the program is told."""
        self._screen.resize(rows, columns)
        self._set_size(columns, rows)

    def echo_seconds(self, sign: str, limit_seconds: float = 3) -> float:
        """Type a sign that is nowhere else in what comes, and wait until it is written."""
        wanted, came, began = sign.encode(), b"", time.monotonic()
        self.type(sign)
        while wanted not in came:
            left = began + limit_seconds - time.monotonic()
            assert left > 0, f"{sign} was not shown within {limit_seconds} s"
            came += self.pump(left)
        return time.monotonic() - began

    # -- the program --

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self.process.poll() is None

    def cpu_seconds(self) -> float:
        """User and system, of all its threads."""
        if sys.platform == "linux":
            stat = Path(f"/proc/{self.process.pid}/stat").read_text(encoding="ascii")
            user, system = stat.rsplit(")", 1)[1].split()[11:13]
            return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")
        *hours, minutes, seconds = self._ps("time").split(":")
        return (int(hours[0]) * 60 if hours else 0) * 60 + int(minutes) * 60 + float(seconds)

    def resident_bytes(self) -> int:
        """Memory that it holds now."""
        return int(self._ps("rss")) * 1024

    def _ps(self, field: str) -> str:
        pid = str(self.process.pid)
        asked = ["ps", "-o", f"{field}=", "-p", pid]
        return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()

    def wait(self, seconds: float = PATIENCE) -> int:
        """Read until it ends; its exit status."""
        end = time.monotonic() + seconds
        while self.running:
            assert time.monotonic() < end, f"it still runs; the screen:\n{self.text}"
            self.pump(0.05)
        self.settle(0.01)
        return self.process.wait()

    def close(self) -> None:
        """As when its window is closed; what does not leave then is killed."""
        with contextlib.suppress(OSError):  # closed before
            os.close(self._master)
        try:
            self.process.wait(3)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def _set_size(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
