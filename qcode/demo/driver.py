"""The demo itself: pick what answers, let the real command line work, show diff and tests."""

import asyncio
import os
import shlex
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal

import msgspec

from qcode.demo import project
from qcode.demo.playback import playback
from qcode.demo.script import MODEL, bug_fix

STOP_SECONDS = 5.0

NO_MODEL = (41, 42, 52, 75)
"""Exit codes of a run in which no model took part: key refused, no such model, wrong settings,
nobody answers. There is nothing to show behind them."""

Say = Callable[[str], None]


class Plan(msgspec.Struct, frozen=True):
    """What the caller decides."""

    base_url: str
    """As the person set it; empty = look for a local server."""
    find_local: Callable[[], Awaitable[str | None]]
    """Base URL of a local server that answers, or None; asked only without `base_url`."""
    folder: Literal["remove", "keep"] = "remove"
    """What becomes of the project after success; after failure it stays."""
    why_playback: str = "QCODE_BASE_URL is not set and no local server is ready on a known port"
    """Told when neither of the two above answers."""
    gguf: str = ""
    """A model that qcode serves itself, before all others; empty = none."""
    parent: Path | None = None
    """Where the folder is made; None = where the system has its temporary files."""


class Endpoint(msgspec.Struct, frozen=True):
    """What answers in this run."""

    base_url: str
    """Empty = the flags say what answers."""
    flags: tuple[str, ...]
    environment: Mapping[str, str]
    said: str


async def run(plan: Plan, say: Say) -> int:
    """Do the main job in a new folder; the exit code is that of the final test run."""
    home = Path(tempfile.mkdtemp(prefix="qcode-demo-", dir=plan.parent))
    folder = home / "hotel"
    keep = False
    try:
        folder.mkdir()
        await asyncio.to_thread(_prepare, folder, say)
        keep = True  # from here on there is something to look at when it goes wrong
        async with _endpoint(plan, home) as endpoint:
            say(endpoint.said)
            worked = await _work(endpoint, folder, say)
        if worked in NO_MODEL:
            keep = plan.folder == "keep"
            say("The demo stops here: no model answered. qcode demo --playback needs none.")
            return 1
        exit_code = await asyncio.to_thread(_judge, folder, say)
        keep = exit_code != 0 or plan.folder == "keep"
        return exit_code
    finally:
        if keep:
            say(f"The folder is kept: {folder}")
        else:
            shutil.rmtree(home, ignore_errors=True)  # a file left in /tmp is no failure


def _prepare(folder: Path, say: Say) -> None:
    project.write(folder)
    say(f"A git repository with a bug and a failing test: {folder}\n")
    _show_tests(project.run_tests(folder), say)


@asynccontextmanager
async def _endpoint(plan: Plan, home: Path) -> AsyncIterator[Endpoint]:
    """The first of: the model that was named, what the person set, a local server, the playback."""
    if plan.gguf:
        said = f"Model: {plan.gguf}, served by qcode itself.\n"
        yield Endpoint("", ("--gguf", plan.gguf), os.environ, said)
    elif plan.base_url:
        said = f"Model: the one at {plan.base_url} (QCODE_BASE_URL).\n"
        yield Endpoint(plan.base_url, (), os.environ, said)
    elif local := await plan.find_local():
        said = f"Model: the one of the local server at {local}.\n"
        yield Endpoint(local, (), os.environ, said)
    else:
        said = f"No model: {plan.why_playback}.\n{_PLAYBACK}"
        async with playback(bug_fix()) as base_url:
            yield Endpoint(base_url, ("--model", MODEL), _without_settings(home), said)


_PLAYBACK = """\
A playback takes its place: a script with answers written by hand for this one bug, and no model.
The agent, its tools, the edit and the tests are real.
"""


def _without_settings(home: Path) -> dict[str, str]:
    """Nothing of the person's: a rule or a model name of theirs would lead away from the script."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("QCODE_", "OPENAI_"))}
    return {**kept, "QCODE_HOME": str(home / "qcode")}


async def _work(endpoint: Endpoint, folder: Path, say: Say) -> int:
    """Run the real command line, whose output goes straight to the terminal; its exit code."""
    line = _command_line(endpoint, folder)
    say(f"$ {shlex.join(line)}\n")
    child = await asyncio.create_subprocess_exec(
        *line, cwd=folder.parent, env=endpoint.environment, stdin=asyncio.subprocess.DEVNULL
    )
    try:
        exit_code = await child.wait()
    finally:
        await _stop(child)
    if exit_code != 0:
        say(f"\nqcode ended with exit code {exit_code}.")
    return exit_code


def _command_line(endpoint: Endpoint, folder: Path) -> tuple[str, ...]:
    job = ("-p", project.prompt(), "--permission-mode", "auto", "--sandbox", "off")
    address = ("--base-url", endpoint.base_url) if endpoint.base_url else ()
    where = ("-C", str(folder), *address, *endpoint.flags)
    # The folder is gone in a minute: no session of it is kept.
    return (sys.executable, "-m", "qcode", *job, "--no-session", *where)


async def _stop(child: asyncio.subprocess.Process) -> None:
    """End the child if it still runs: the demo was interrupted."""
    if child.returncode is not None:
        return
    child.terminate()
    try:
        async with asyncio.timeout(STOP_SECONDS):
            await child.wait()
    except TimeoutError:
        child.kill()
        await child.wait()


def _judge(folder: Path, say: Say) -> int:
    """Show what changed and whether the tests pass; returns the exit code of the tests."""
    say("\n$ git diff")
    say(project.diff(folder) or "(nothing was changed)\n")
    if changed := project.changed_tests(folder):
        project.put_tests_back(folder)
        say(f"Tests were changed; they are put back before the last run: {changed}")
    final = project.run_tests(folder)
    _show_tests(final, say)
    if final.exit_code == 0:
        say("The bug is fixed: the tests are green.")
        return 0
    say("The demo did not fix the bug: the tests are still red.")
    return final.exit_code if final.exit_code > 0 else 1  # below 0: ended by a signal


def _show_tests(ran: project.FinalRun, say: Say) -> None:
    say(f"$ {shlex.join(project.command())}\n{ran.output}")
