"""ripgrep as a quick way to learn which files have a match at all."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

from qcode.workspace.files import WHOLE_BYTES
from qcode.workspace.ignore import Bounds, repository
from qcode.workspace.pattern import Pattern
from qcode.workspace.search import Sieve

_FIXED = (
    "--no-config",  # a configuration could name a program to run (--pre)
    "--files-with-matches",
    "--null",
    "--no-messages",
    "--color=never",
    "--hidden",
    "--glob=!.git",
    "--no-ignore-global",
    "--no-ignore-dot",
    "--no-require-git",
    f"--max-filesize={WHOLE_BYTES}",
)
_POLL_SECONDS = 0.1


def listed(
    rg: str, start: Path, bounds: Bounds, pattern: Pattern, given_up: Callable[[], bool]
) -> list[str] | None:
    """Absolute paths below `start` in path order; None = ripgrep could not tell.

    It may name files without a match (binary ones), never leaves one out. What git ignores is
    taken out by our own rules: ripgrep's differ where there is no repository.
    """
    parents = () if repository(start) else ("--no-ignore-parent",)
    command = (rg, *_FIXED, *parents, f"--regexp={pattern.rust}", "--", ".")
    output = _output(command, start, given_up)
    if output is None:
        return None
    base = str(start).rstrip("/")
    names = (os.fsdecode(name).removeprefix("./") for name in output.split(b"\0") if name)
    sieve = Sieve(start, bounds)
    paths = [path for name in names if sieve.passes(path := f"{base}/{name}")]
    return sorted(paths, key=lambda path: path.split("/"))


def _output(command: tuple[str, ...], folder: Path, given_up: Callable[[], bool]) -> bytes | None:
    """What the command prints; None = it did not start, was given up, or refused the pattern."""
    try:
        process = subprocess.Popen(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
    except OSError:
        return None
    with process:
        while True:
            try:
                output, _ = process.communicate(timeout=_POLL_SECONDS)
            except subprocess.TimeoutExpired:
                if given_up():
                    process.kill()
                    return None
                continue
            return output if output or process.returncode in (0, 1) else None
