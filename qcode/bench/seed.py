"""A copy gets a repository of its own with one commit: agents look at git, and the history of the
real one holds the answer."""

import os
import subprocess
from pathlib import Path

from qcode.bench.repository import clear
from qcode.protocol.errors import InputError
from qcode.workspace.programs import installed

_OWN = (
    *("-c", f"core.hooksPath={os.devnull}"),
    *("-c", "core.fsmonitor=false", "-c", "diff.ignoreSubmodules=all"),
    *("-c", "commit.gpgSign=false"),
    *("-c", "core.autocrlf=false"),
    *("-c", "user.name=bench", "-c", "user.email=bench@localhost"),
    *("-c", "init.templateDir=", "-c", "init.defaultBranch=main", "-c", "gc.auto=0"),
)


def begin(folder: Path) -> None:
    """Make it. Raises InputError where git fails.

    What prepared the copy was the project's, and git runs here outside of the fence: a repository
    that it made is gone, and those below are asked nothing.
    """
    clear(folder, ".git")
    for words in (("init", "-q"), ("add", "-A"), ("commit", "-q", "--allow-empty", "-m", "Begin")):
        _git(folder, *words)


def _git(folder: Path, *words: str) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    own = {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull, "LC_ALL": "C"}
    line = (installed("git") or "git", *_OWN, *words)
    done = subprocess.run(
        line, cwd=folder, env=kept | own, stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip()
        raise InputError(f"git {words[0]} failed in a copy of the repository: {said}")
