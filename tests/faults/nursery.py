"""Forks qcode from a process that has its modules already: 0.1 s where a fresh one takes 0.5.

What is forked is a process of its own, with a group, streams, folder and environment of its own;
SIGKILL ends it as it ends any other. A line on stdin is one run as JSON; its process id comes out
at once; the next line says `kill` or `wait`, and its wait status comes out behind its end.
"""

import importlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

_MODULES = (
    *("qcode.cli.main", "qcode.cli.dispatch", "qcode.cli.prompt", "qcode.cli.args"),
    *("qcode.cli.session_rewind", "qcode.permission.shell", "qcode.server.client", "openai"),
    *("tree_sitter", "tree_sitter_bash", "pathspec", "sqlite3", "ctypes", "httpx2"),
)


class Nursery:
    """Starts runs of qcode, one at a time."""

    def __init__(self) -> None:
        line = [sys.executable, "-m", "tests.faults.nursery"]
        self._process = subprocess.Popen(
            line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def start(self, argv: Sequence[str], folder: Path, environ: dict[str, str], out: Path) -> int:
        """Number of a process that runs qcode; its output goes to the file `out`."""
        given = {"argv": [*argv], "cwd": str(folder), "env": environ, "out": str(out)}
        self._say(json.dumps(given))
        return self._answer()

    def wait(self) -> int:
        """The exit code of the run, behind its end; a signal as its number below zero."""
        self._say("wait")
        return os.waitstatus_to_exitcode(self._answer())

    def kill(self) -> int:
        """The same, by SIGKILL unless it has ended already."""
        self._say("kill")
        return os.waitstatus_to_exitcode(self._answer())

    def _say(self, line: str) -> None:
        assert self._process.stdin
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()

    def _answer(self) -> int:
        assert self._process.stdout
        return int(self._process.stdout.readline())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        self._process.wait(20)
        self._process.stdout.close()


def _run(given: dict[str, Any]) -> None:
    """In the child; never returns."""
    code = 99
    try:
        os.setpgid(0, 0)
        os.chdir(given["cwd"])
        os.environ.clear()
        os.environ.update(given["env"])
        out = os.open(given["out"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for number, stream in ((0, nothing), (1, out), (2, out)):
            os.dup2(stream, number)
        sys.argv = ["qcode", *given["argv"]]
        from qcode.cli.main import main  # noqa: PLC0415 - as `python -m qcode` does it

        code = main()
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)


def _serve() -> None:
    for name in _MODULES:
        importlib.import_module(name)
    for line in sys.stdin:
        given = json.loads(line)
        child = os.fork()
        if not child:
            _run(given)
        os.write(1, b"%d\n" % child)
        if sys.stdin.readline() == "kill\n":
            os.kill(child, signal.SIGKILL)  # it is not waited for yet, so the number is its own
        os.write(1, b"%d\n" % os.waitpid(child, 0)[1])


if __name__ == "__main__":
    _serve()
