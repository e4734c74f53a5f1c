"""`qcode bench tasks` in a repository that somebody else wrote: its tests, and its commits."""

import os
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path

from qcode.bench.copies import Copies, Judge, folder
from qcode.bench.repository import Repository
from qcode.bench.task import Task
from qcode.cli import bench_tasks
from qcode.protocol.errors import SandboxMissing
from tests.redteam.attempts.configured import own_home
from tests.redteam.case import CannotTell
from tests.sandbox.fences import outside_tmp


@dataclass(frozen=True, slots=True)
class Tested:
    """A command for tests, in a copy; succeeds when it ends with 0. `{out}` is a folder outside,
    `{port}` that of a server outside."""

    line: str

    def succeeds(self, tmp: Path) -> bool:
        server = socket.create_server(("127.0.0.1", 0))
        with server, outside_tmp() as out, own_home(tmp / "own"), folder("copy") as copy:
            line = self.line.format(out=out, port=server.getsockname()[1])
            try:
                return Judge(line, "", bench_tasks._fence(None), 60).run(copy).code == 0
            except SandboxMissing as error:
                raise CannotTell(str(error)) from error


@dataclass(frozen=True, slots=True)
class Laid:
    """A commit made of the folder `way` what leads to `to`, and is to be done again; succeeds when
    a file of the commit before it was written there. `to`: from the top of the copy."""

    to: str

    def succeeds(self, tmp: Path) -> bool:
        (tmp / "out").mkdir()
        copies = Copies(Repository.at(_linked(tmp / "repository", tmp / "out")))
        task = Task(
            id="t",
            kind="redo",
            title="",
            commit=copies.repository.head(),
            reverted=("way/x.py",),
        )
        with folder("copy") as copy:
            copies.lay(task, copy)
            return (copy / self.to.format(out=tmp / "out") / "x.py").is_file()


def _linked(made: Path, to: Path) -> Path:
    (made / "way").mkdir(parents=True)
    (made / "way/x.py").write_text("x = 1\n")
    _git(made, "init", "-q", "--template=")
    _commit(made)
    (made / "way/x.py").unlink()
    (made / "way").rmdir()
    (made / "way").symlink_to(to)
    _commit(made)
    return made


def _commit(made: Path) -> None:
    own = ("-c", "user.name=Ann", "-c", "user.email=ann@example.org", "-c", "commit.gpgSign=false")
    _git(made, "add", "-A")
    _git(made, *own, "commit", "-q", "-m", "one")


def _git(made: Path, *words: str) -> None:
    own = {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull}
    subprocess.run(("git", *words), cwd=made, check=True, env={**os.environ, **own})
