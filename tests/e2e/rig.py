"""qcode as it is typed: a folder, an environment, flags; what came out, and with which code.

Two laws hold for every run here, whatever it tests: no traceback is shown, and exit 0 never comes
with an empty stdout.
"""

import ctypes
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from string import ascii_lowercase
from typing import Any

from tests.support.llama_words import About
from tests.support.script import Call, Reply

QCODE = (sys.executable, "-m", "qcode")
LIMIT_SECONDS = 30.0
LLAMA = About(kind="llamacpp")
YOLO = ("--permission-mode", "auto", "--sandbox", "off")
DONE = Reply(text="Done.")


def words(number: int) -> str:
    """Words at random, each with a blank behind it: one word again and again would be a loop."""
    random = Random(number)
    return "".join("".join(random.choices(ascii_lowercase, k=4)) + " " for _ in range(number))


def calling(name: str, **arguments: Any) -> Reply:
    """An answer of one call."""
    return Reply(calls=(Call(name, arguments),))


@dataclass(frozen=True, slots=True)
class Ran:
    """A run that has ended."""

    code: int
    out: str
    err: str
    seconds: float

    @property
    def json(self) -> dict[str, Any]:
        """The one object on stdout."""
        lines = self.out.splitlines()
        assert len(lines) == 1, self.out
        return dict(json.loads(lines[0]))


@dataclass(slots=True)
class Cli:
    """Runs qcode in `folder`."""

    folder: Path
    environ: dict[str, str]
    url: str = ""
    """Base URL that every run gets; empty = none is said."""
    was_killed: bool = False
    """A run was given no time to tidy up."""

    def line(self, *argv: str) -> list[str]:
        """The whole command line."""
        return [*QCODE, *argv, *(("--base-url", self.url) if self.url else ())]

    def run(
        self,
        *argv: str,
        stdin: str | bytes | int | None = None,
        before: Callable[[], None] | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> Ran:
        """Run to the end. `stdin` None = /dev/null; `before` runs in the child, before qcode."""
        began = time.monotonic()
        data = stdin.encode() if isinstance(stdin, str) else stdin
        piped = data if isinstance(data, bytes) else None
        source = data if isinstance(data, int) else subprocess.DEVNULL
        done: subprocess.CompletedProcess[bytes] = subprocess.run(
            self.line(*argv),
            cwd=self.folder,
            env={**self.environ, **(environ or {})},
            input=piped,
            stdin=None if piped is not None else source,
            capture_output=True,
            timeout=LIMIT_SECONDS,
            check=False,
            preexec_fn=before,
        )
        return lawful(done.returncode, done.stdout, done.stderr, time.monotonic() - began)

    def ask(self, *argv: str, **given: Any) -> Ran:
        """`run` with a prompt."""
        return self.run("-p", "do it", *argv, **given)

    def together(self, *argvs: Sequence[str]) -> list[Ran]:
        """`ask` with each of these, side by side."""
        with ThreadPoolExecutor(len(argvs)) as pool:
            return list(pool.map(lambda argv: self.ask(*argv), argvs))

    def shell(self, script: str) -> Ran:
        """A line of bash in which `qcode` is the command with its base URL."""
        began = time.monotonic()
        quoted = " ".join(f"'{word}'" for word in self.line())
        done = subprocess.run(
            ["bash", "-c", f'qcode() {{ {quoted} "$@"; }}\n{script}'],
            cwd=self.folder,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=LIMIT_SECONDS,
            check=False,
        )
        out, err = done.stdout.decode(), done.stderr.decode()
        assert "Traceback" not in out + err, out + err
        return Ran(done.returncode, out, err, time.monotonic() - began)

    def start(self, *argv: str, before: Callable[[], None] | None = None) -> "Running":
        """Start it, with a prompt."""
        return self._started(self.line("-p", "do it", *argv), subprocess.DEVNULL, before)

    def start_reading(self, stdin: int) -> "Running":
        """Start it without a prompt; its result is JSON."""
        return self._started(self.line("-p", "--output-format", "json"), stdin)

    def _started(
        self, line: list[str], stdin: int, before: Callable[[], None] | None = None
    ) -> "Running":
        return Running(
            subprocess.Popen(
                line,
                cwd=self.folder,
                env=self.environ,
                stdin=stdin,
                preexec_fn=before,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
        )


@dataclass(frozen=True, slots=True)
class Running:
    """A run that has not ended."""

    process: "subprocess.Popen[bytes]"

    def signal(self, number: int) -> None:
        """Send a signal to qcode alone."""
        self.process.send_signal(number)

    def line_of_stderr(self) -> bytes:
        """The next one; waits for it."""
        assert self.process.stderr
        return self.process.stderr.readline()

    def end(self) -> Ran:
        """Wait for its end."""
        began = time.monotonic()
        try:
            out, err = self.process.communicate(timeout=LIMIT_SECONDS)
        finally:
            self.process.kill()
        return lawful(self.process.returncode, out, err, time.monotonic() - began)


def lawful(code: int, out: bytes, err: bytes, seconds: float) -> Ran:
    """A run that keeps the two laws."""
    ran = Ran(code, out.decode(), err.decode(), seconds)
    assert "Traceback" not in ran.out + ran.err, ran.err
    assert code != 0 or ran.out.strip(), f"exit 0 and no result: {ran}"
    return ran


def obey_permissions() -> None:
    """In the child: root, too, may only do what the permissions of a file say."""
    if sys.platform == "linux" and os.geteuid() == 0:
        libc = ctypes.CDLL(None)
        for capability in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
            libc.prctl(24, capability, 0, 0, 0)  # PR_CAPBSET_DROP: gone with the next exec


def results(body: Mapping[str, Any]) -> list[str]:
    """What the tools of a request gave back, in order."""
    return [message["content"] for message in body["messages"] if message["role"] == "tool"]


def logs(home: Path) -> list[Path]:
    """The sessions below QCODE_HOME."""
    return sorted((home / "qcode" / "data" / "sessions").glob("*/*.jsonl"))


@contextmanager
def meanwhile(do: Callable[[], None]) -> Iterator[None]:
    """Do something while a run goes on."""
    thread = threading.Thread(target=do)
    thread.start()
    yield
    thread.join(LIMIT_SECONDS)
