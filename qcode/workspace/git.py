"""What git knows about the workspace. Everything here does without git, and without a repository.

A repository may be hostile: its configuration can name programs that git runs for a harmless
question (monitors, hooks, diff drivers, filters). So each is switched off by name, submodules are
left alone, and nothing of the environment that steers git is passed on.
"""

import asyncio
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from qcode.protocol.errors import InputError
from qcode.protocol.text import one_line, plain, well_formed
from qcode.workspace.ignore import git_folder, head_of, repository
from qcode.workspace.programs import installed

SHOWN_CHANGES = 10
_LARGE_INDEX_BYTES = 2_000_000
"""About 20,000 files; with 100,000 the question takes 0.35 s and fills the processor meanwhile."""
_OUTPUT_BYTES = 4 * 1024 * 1024
_ERROR_BYTES = 4000
_ASK_SECONDS = 30.0
_LONGEST_NAME = 500
"""Characters of HEAD; file systems take 255 bytes for a branch's name."""
_SAFE = (
    "--no-pager",
    "--no-optional-locks",
    *("-c", "core.fsmonitor="),
    *("-c", f"core.hooksPath={os.devnull}"),
    *("-c", "core.untrackedCache=false"),
    *("-c", "submodule.recurse=false"),
)
EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
"""Git's name for a folder without files: what a repository without commits is compared with."""


def branch(folder: Path) -> str:
    """The branch's name, `detached at 1a2b3c4d`, or empty without a repository. Starts nothing."""
    top = repository(folder)
    if top is None:
        return ""
    head = one_line(well_formed(head_of(f"{git_folder(str(top))}/HEAD")), _LONGEST_NAME)
    if not head:
        return ""
    name = head.removeprefix("ref: refs/heads/")
    return name if name != head else f"detached at {head[:8]}"


async def changes(folder: Path, limit_seconds: float = 2.0) -> str | None:
    """Uncommitted changes in short, such as ` M src/a.py`, the first ten; empty = none.

    None = no git, no repository, one too large to ask, or no answer in time.
    """
    if _is_large(folder):
        return None
    arguments = ("status", "--porcelain=v1", "-z", "--ignore-submodules=all", "--no-renames")
    output = await _git(folder, limit_seconds, *arguments)
    if output is None:
        return None
    rows = [plain(row) for row in output.split("\0") if row]
    more = [f"and {len(rows) - SHOWN_CHANGES} more"] if len(rows) > SHOWN_CHANGES else []
    return "\n".join([*sorted(rows)[:SHOWN_CHANGES], *more])


def _is_large(folder: Path) -> bool:
    """More files than `git status` can look at while somebody waits for a first answer."""
    top = repository(folder)
    if top is None:
        return False
    try:
        return Path(git_folder(str(top)), "index").stat().st_size > _LARGE_INDEX_BYTES
    except OSError:
        return False


async def diff(folder: Path, limit_seconds: float = 10.0) -> str | None:
    """All uncommitted changes to tracked files as a patch, cut at 4 MB; None as in `changes`."""
    options = ("diff", "--no-ext-diff", "--no-textconv", "--no-color", "--ignore-submodules=all")
    output = await _git(folder, limit_seconds, *options, "HEAD", "--")
    if output is None:  # no commit yet
        output = await _git(folder, limit_seconds, *options, EMPTY_TREE, "--")
    return output


async def _git(folder: Path, limit_seconds: float, *arguments: str) -> str | None:
    """Standard output; None when it fails or takes too long."""
    program = installed("git")
    if program is None or repository(folder) is None:
        return None
    try:
        async with asyncio.timeout(limit_seconds):
            off = await _filters_off(program, folder)
            return None if off is None else await _output(program, folder, *off, *arguments)
    except TimeoutError:
        return None


async def _filters_off(program: str, folder: Path) -> list[str] | None:
    """Options that empty each filter of the configuration: git would run it on changed files."""
    asked = ("config", "--name-only", "-z", "--get-regexp", r"^filter\..*\.(clean|smudge|process)$")
    names = await _output(program, folder, *asked, codes=(0, 1))
    if names is None:
        return None
    off: list[str] = []
    for name in sorted(filter(None, set(names.split("\0")))):
        if "=" in name:  # it would be read as another name
            return None
        driver = name.rpartition(".")[0]
        off += ["-c", f"{name}=", "-c", f"{driver}.required=false"]
    return off


async def _output(
    program: str, folder: Path, *arguments: str, codes: tuple[int, ...] = (0,)
) -> str | None:
    reply = await _reply(program, folder, arguments, b"", _OUTPUT_BYTES)
    if reply is None or reply.code not in codes:
        return None
    return reply.out.decode("utf-8", "replace")


class Reply(msgspec.Struct, frozen=True):
    """What git answered."""

    code: int
    out: bytes
    error: str
    """Its own words, plain; empty = it said nothing."""


async def ask(
    top: Path, arguments: Sequence[str], given: bytes = b"", limit_bytes: int = _OUTPUT_BYTES
) -> Reply:
    """One question to git at the top of a repository, with the same care. Raises InputError.

    A filter of the repository never runs, so nothing of a filtered file may be written this way.
    """
    program = installed("git")
    if program is None:
        raise InputError("There is no git on this machine's PATH. Install it.")
    try:
        async with asyncio.timeout(_ASK_SECONDS):
            off = await _filters_off(program, top)
            if off is None:
                raise InputError(f"git cannot read the configuration of {top}. Try git status.")
            reply = await _reply(program, top, (*off, *arguments), given, limit_bytes)
    except TimeoutError as error:
        raise InputError(f"git did not answer in {_ASK_SECONDS:.0f} s, in {top}.") from error
    if reply is None:
        raise InputError(f"git could not be started in {top}.")
    return reply


async def _reply(
    program: str, folder: Path, arguments: Sequence[str], given: bytes, limit_bytes: int
) -> Reply | None:
    try:
        process = await asyncio.create_subprocess_exec(
            program,
            *_SAFE,
            *arguments,
            cwd=folder,
            env=_environment(),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
    except OSError:
        return None
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        out, error, _ = await asyncio.gather(
            _read(process.stdout, limit_bytes),
            _read(process.stderr, _ERROR_BYTES),
            _feed(process.stdin, given),
        )
        code = await process.wait()
        return Reply(code, out, plain(error.decode("utf-8", "replace")).strip())
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):  # it ended by itself just now
                process.kill()
            await process.wait()


async def _feed(stream: asyncio.StreamWriter, given: bytes) -> None:
    with suppress(BrokenPipeError, ConnectionResetError):  # it needs no more, or has ended
        stream.write(given)
        await stream.drain()
        stream.close()
        await stream.wait_closed()


async def _read(stream: asyncio.StreamReader, limit_bytes: int) -> bytes:
    """All that comes; what is beyond the limit is thrown away."""
    kept = bytearray()
    while piece := await stream.read(65536):
        kept += piece[: limit_bytes - len(kept)]
    return bytes(kept)


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return kept | {
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_ALLOW_PROTOCOL": "none",  # a partial clone fetches what it lacks
        "LC_ALL": "C",
    }
