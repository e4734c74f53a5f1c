"""The demo's project as a git repository with a failing test: made, judged, put back.

It needs git and a Python, nothing else: its tests are `unittest`. The texts are in `booking`.
"""

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from qcode.demo.booking import FILES, TESTS
from qcode.protocol.errors import InputError

LIMIT_SECONDS = 120.0


def command() -> tuple[str, ...]:
    """What runs the project's tests, with the Python that runs qcode: it is known to work."""
    return (os.path.realpath(sys.executable), "-m", "unittest")


def prompt() -> str:
    """The main job, in a person's words."""
    return (
        "A test of this project fails. Find the bug, fix it in the code (not in the tests), "
        f"and run the tests again: {shlex.join(command())}"
    )


def write(folder: Path) -> None:
    """Write the project into `folder` (new or empty) and commit it. Raises InputError."""
    for name, text in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
    _git(folder, "init", "--quiet", "--template=")
    _git(folder, "add", "--all")
    identity = ("-c", "user.name=qcode demo", "-c", "user.email=demo@localhost")
    _git(folder, *identity, "commit", "--quiet", "--message=A booking desk")


def diff(folder: Path) -> str:
    """What was changed since the commit, new files included, as `git diff` prints it."""
    _git(folder, "add", "--all", "--intent-to-add")
    return _git(folder, "diff")


def changed_tests(folder: Path) -> str:
    """Changed or deleted test files, one per line."""
    return _git(folder, "diff", "--name-only", "HEAD", "--", TESTS)


def put_tests_back(folder: Path) -> None:
    """The tests as they were committed: a bug is not fixed by changing what shows it."""
    _git(folder, "checkout", "--quiet", "HEAD", "--", TESTS)


class FinalRun(msgspec.Struct, frozen=True):
    """How the project's tests ended."""

    output: str
    exit_code: int


def run_tests(folder: Path) -> FinalRun:
    """Run the project's tests. A run that does not end counts as red."""
    try:
        done = _run(command(), folder)
    except subprocess.TimeoutExpired:
        return FinalRun(f"The tests did not end within {LIMIT_SECONDS:.0f} s.", 1)
    return FinalRun(done.stdout, done.returncode)


def _run(line: Sequence[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """With both streams of the output in `stdout`. Raises TimeoutExpired."""
    return subprocess.run(
        line,
        cwd=folder,
        env=_clean(os.environ),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        timeout=LIMIT_SECONDS,
        check=False,
    )


def _clean(environment: Mapping[str, str]) -> dict[str, str]:
    """Without what would point git at another repository or Python at other modules."""
    kept = {k: v for k, v in environment.items() if not k.startswith("GIT_")}
    for name in ("PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP"):
        kept.pop(name, None)
    # The person's hooks, signing keys and line-end rules have no business in the demo.
    return {**kept, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}


def _git(folder: Path, *arguments: str) -> str:
    git = shutil.which("git")
    if git is None:
        raise InputError("The demo needs git, and there is none on the PATH. Install git.")
    done = _run((git, *arguments), folder)
    if done.returncode != 0:
        raise InputError(f"git {shlex.join(arguments)} failed in {folder}: {done.stdout.strip()}")
    return done.stdout
