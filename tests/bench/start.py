"""From the start of the process to its first request, and what is loaded on the way."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from tests.bench.figure import Figure, counted
from tests.bench.ground import REPEATS, Ground
from tests.bench.qcode import Qcode
from tests.bench.talk import LLAMA
from tests.support.llama_words import About
from tests.support.script import Reply
from tests.support.scripted_server import ScriptedServer

UNWANTED = frozenset({"textual", "keyring", "tiktoken", "openai"})
"""Packages that a run of one answer has no use for."""

FOLDERS = 1_000
FILES_EACH = 100


def version(ground: Ground) -> Iterator[Figure]:
    """`qcode --version`."""
    extra = ground.qcode.imports("--version") - ground.qcode.script_imports()
    beyond = sum(name.split(".")[0] != "qcode" for name in extra)
    yield counted("--version: modules imported beyond the package", beyond, "", 0)
    yield counted("--version: modules of the package", len(extra) - beyond, "")
    ground.qcode.run("--version")
    taken = [ground.qcode.run("--version").seconds * 1000 for _ in range(REPEATS)]
    yield Figure("--version: start to end", median(taken), "ms", digits=0)


def first_request(ground: Ground) -> Iterator[Figure]:
    """`qcode -p` against both kinds of server."""
    folder = ground.folder("empty")
    for about in (LLAMA, About()):
        seconds = median(starts(ground.qcode, folder, about))
        yield Figure(f"-p: start to first request ({about.kind})", seconds, "s", 0.9)
    yield counted("-p: modules of " + ", ".join(sorted(UNWANTED)), len(unwanted(ground)), "", 0)


def unwanted(ground: Ground) -> frozenset[str]:
    """What a run of one answer loads of the unwanted packages."""
    with ScriptedServer(Reply(text="Done.")) as server:
        arguments = ("-p", "Say done.", "--base-url", server.base_url)
        loaded = ground.qcode.imports(*arguments, "-C", str(ground.folder("empty")))
    assert "httpx2" in loaded, "the list of modules was not read"
    return frozenset(name for name in loaded if name.split(".")[0] in UNWANTED)


def repository(ground: Ground) -> Iterator[Figure]:
    """Folders of 100,000 files, without git and with, against an empty one."""
    empty, plain, tracked = (ground.folder(name) for name in ("empty", "plain", "tracked"))
    fill(plain)
    fill(tracked)
    committed(tracked)
    folders = (empty, plain, tracked)
    for folder in folders:
        _start(ground.qcode, folder)  # warm
    # In turn, so that a slow moment meets all of them.
    rounds = [[_start(ground.qcode, folder) for folder in folders] for _ in range(REPEATS)]
    taken = {folder: [one[at] for one in rounds] for at, folder in enumerate(folders)}
    base = median(taken[empty])
    for folder, name in ((plain, "without git"), (tracked, "with git")):
        ratio = median(taken[folder]) / base
        yield Figure(f"100,000 files {name}: start against an empty folder", ratio, "times", 1.2)


def starts(qcode: Qcode, folder: Path, about: About | None = None) -> list[float]:
    """Seconds from the process's start to its first request, warm."""
    return [_start(qcode, folder, about) for _ in range(REPEATS + 1)][1:]


def _start(qcode: Qcode, folder: Path, about: About | None = None) -> float:
    with ScriptedServer(Reply(text="Done."), about=about) as server:
        ran = qcode.prompt(server.base_url, folder, "Say done.")
        return server.requests[0].arrived - ran.began


def fill(folder: Path) -> None:
    """100,000 files."""
    for number in range(FOLDERS):
        made = folder / f"area_{number // 50:02}" / f"part_{number:03}"
        made.mkdir(parents=True)
        for file in range(FILES_EACH):
            (made / f"module_{file:02}.py").write_text(f"NUMBER = {number * file}\n")


def committed(folder: Path) -> None:
    """A repository with one commit and a fresh index."""
    who = ("-c", "user.name=bench", "-c", "user.email=bench@localhost")
    fast = ("-c", "core.compression=0", "-c", "core.fsync=none", "-c", "gc.auto=0")
    for command in (("init", "-q"), ("add", "-A"), ("commit", "-qm", "all"), ("status", "-s")):
        git = ("git", *who, *fast, *command)
        subprocess.run(
            git, cwd=folder, check=True, env={**os.environ, "GIT_CONFIG_GLOBAL": os.devnull}
        )
