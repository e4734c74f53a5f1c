"""The engine's process: its command line, its start, its end, and whether it serves.

It is the leader of a group of its own and ends with its keeper, also where that one is killed.
"""

import ctypes
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Literal

import msgspec

from qcode.serve import boot
from qcode.serve.answers import kept
from qcode.serve.boot import environment, start_of
from qcode.serve.card import Place, Task, write
from qcode.serve.order import Order
from qcode.serve.output import Output

HOST = "127.0.0.1"
END_SECONDS = 5.0
HELP_SECONDS = 30.0
HEALTH_SECONDS = 2.0
QUESTION = b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"


def hold_port(wished: int = 0) -> socket.socket:
    """A free port of this machine, held and not listened at; the wished one, if it can be had.

    Held with SO_REUSEPORT, it is free for processes of the same user alone: no stranger gets it
    before the engine does, nor while a crashed one is started again.
    """
    held = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        held.bind((HOST, wished))
    except OSError:
        held.bind((HOST, 0))
    return held


class Child(msgspec.Struct):
    """An engine that was started."""

    process: "subprocess.Popen[bytes]"
    said_before: int
    """Bytes of the log that are not its own."""

    @property
    def code(self) -> int | None:
        """Its exit code; None = it runs."""
        return self.process.poll()

    def wait(self, seconds: float) -> int | None:
        """Its exit code as soon as it has ended; None = it still runs."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def end(self) -> None:
        """End it, and all that it started."""
        if self.process.stdin:
            with suppress(OSError):
                self.process.stdin.close()
        self._signal(signal.SIGTERM)
        self.wait(END_SECONDS)
        self.kill()

    def kill(self) -> None:
        """End it and all that it started, at once. What waits for a driver may not end."""
        self._signal(signal.SIGKILL)
        self.wait(END_SECONDS)

    def _signal(self, number: int) -> None:
        with suppress(ProcessLookupError, PermissionError):  # macOS says EPERM of what has ended
            os.killpg(self.process.pid, number)


def start(task: Task, place: Place, port: int, output: Output) -> Child:
    """Start the engine of `task` at `port`. Raises OSError."""
    before = output.size()
    write(place.key_file, f"{task.key}\n".encode())
    if task.backend == "xllamacpp":
        order = Order(task.model, task.alias, port, task.key, task.flags, shares_port=True)
        process = _spawn(boot.words("native"), "pipe")
        assert process.stdin
        with suppress(BrokenPipeError):  # it has ended; its exit code tells
            process.stdin.write(msgspec.json.encode(order) + b"\n")
            process.stdin.flush()
    else:
        words = line(task, place, port, can_share=shares_port(task.program, place.folder))
        output.add(f"qcode: {' '.join(words)}\n".encode())
        if sys.platform == "linux":
            process = _spawn(words, "nothing")
        else:
            process = _spawn((*boot.words("minder"), *words), "pipe")
    assert process.stdout
    output.follow(process.stdout)
    return Child(process, before)


def line(task: Task, place: Place, port: int, *, can_share: bool) -> tuple[str, ...]:
    """The command line of a `llama-server`; the key stands in a file."""
    flags = [word for name, value in task.flags for word in (name, *([value] if value else ()))]
    named = () if any(name == "--alias" for name, _ in task.flags) else ("--alias", task.alias)
    where = ("--host", HOST, "--port", str(port), "--api-key-file", str(place.key_file))
    shared = ("--reuse-port",) if can_share else ()
    return (*start_of(task.program), "--model", task.model, *flags, *named, *where, *shared)


@cache
def shares_port(program: str, memory: Path) -> bool:
    """Whether it must be told to share the port with its keeper: builds before b8580 always do.
    `memory` is the folder for what programs told."""
    return kept(memory, program, "--reuse-port", lambda: _shares_port(program)) == "yes"


def _shares_port(program: str) -> str:
    """Empty where it does not tell."""
    words = (*start_of(program), "--help")
    try:
        done = subprocess.run(
            words, stdin=subprocess.DEVNULL, capture_output=True, timeout=HELP_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return "yes" if b"--reuse-port" in done.stdout + done.stderr else "no"


def serves(port: int) -> Literal["ready", "loading", "nobody"]:
    """What is to be had at `port`, by its `/health`.

    Asked by hand: a keeper stays for hours, and `http.client` with `email` is half of its memory.
    """
    try:
        with socket.create_connection((HOST, port), HEALTH_SECONDS) as asked:
            asked.sendall(QUESTION)
            words = asked.recv(4096).split(None, 2)
    except OSError:
        return "nobody"
    if len(words) < 2 or not words[0].startswith(b"HTTP/"):
        return "nobody"
    return "ready" if words[1] == b"200" else "loading"


def _spawn(words: tuple[str, ...], stdin: Literal["pipe", "nothing"]) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        words,
        stdin=subprocess.PIPE if stdin == "pipe" else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd="/",
        env=environment(),
        start_new_session=True,
        preexec_fn=_dying_with(os.getpid()) if sys.platform == "linux" else None,
    )


def _dying_with(parent: int) -> Callable[[], None]:
    """In the child: be killed when the parent dies. Loaded beforehand: behind the fork as little
    as can be is done."""
    prctl = ctypes.CDLL(None).prctl

    def ask() -> None:
        prctl(1, signal.SIGKILL, 0, 0, 0)  # PR_SET_PDEATHSIG
        if os.getppid() != parent:  # it has died since
            os._exit(1)

    return ask
