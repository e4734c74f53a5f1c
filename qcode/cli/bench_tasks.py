"""`qcode bench tasks`: small tasks out of your own repository, tried by one model or by several.

The repository is read and stays as it is; all work is done in copies. Results go to stdout and into
a folder, progress to stderr. `--resume` goes on after Ctrl+C.
"""

import argparse
import asyncio
import os
import shlex
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from qcode import __version__
from qcode.bench import process
from qcode.bench.attempting import Agent, Bench, Stopped
from qcode.bench.copies import Copies, Judge, folder
from qcode.bench.detecting import command_of
from qcode.bench.keeping import Kept, go_on
from qcode.bench.making import Wanted, make
from qcode.bench.page import page
from qcode.bench.repository import Repository
from qcode.bench.summary import summary
from qcode.bench.task import Limits, Plan
from qcode.bench.task_tables import beforehand, data, text
from qcode.cli import bench_models
from qcode.cli.bench_settings import chosen, kinds
from qcode.cli.parser import count, duration, positive
from qcode.config import load as settings
from qcode.config import paths as places
from qcode.config.model import Config
from qcode.headless.exits import ExitCode
from qcode.headless.signals import ends_before_a_turn
from qcode.headless.talk import talk
from qcode.protocol.errors import InputError, SandboxMissing, UsageError
from qcode.protocol.text import escaped, one_line

if TYPE_CHECKING:
    Group = argparse._SubParsersAction[argparse.ArgumentParser]

FATAL = frozenset(
    {
        *(ExitCode.USAGE, ExitCode.CREDENTIALS, ExitCode.INPUT, ExitCode.SANDBOX, ExitCode.CONFIG),
        *(ExitCode.UNTRUSTED, ExitCode.UNAVAILABLE, ExitCode.INTERRUPTED, ExitCode.TERMINATED),
    }
)
"""Ends of an agent that say nothing about its task."""

# -P: the copy is the current folder, and must not stand before qcode's own modules
QCODE = (sys.executable, "-P", "-m", "qcode")
FENCED = (*QCODE, "sandbox", "run", "--")
INSIDE = ("--permission-mode", "auto", "--sandbox", "required")
_FENCE_SECONDS = 60.0
OUTSIDE = ("--permission-mode", "auto", "--sandbox", "off")


def add(parser_group: "Group") -> None:
    """Declare `bench tasks`."""
    parser = parser_group.add_parser("tasks", help="what a model gets done in your repository")
    made = parser.add_argument_group("tasks")
    made.add_argument("--repo", type=Path, default=Path(), metavar="DIR", help="default: this one")
    made.add_argument("--count", type=positive, default=8, metavar="N", help="tasks; default 8")
    made.add_argument(
        "--kinds",
        type=kinds,
        default=("bug", "redo"),
        metavar="LIST",
        help="bug, redo; default both",
    )
    made.add_argument("--verify", metavar="CMD", help="runs the tests; default: agent.verify")
    made.add_argument("--prepare", default="", metavar="CMD", help="runs first in each copy")
    made.add_argument(
        "--make-budget",
        type=duration,
        default=1800.0,
        metavar="TIME",
        help="for making them; default 30m",
    )
    made.add_argument(
        "--seed", type=count, default=1, metavar="N", help="another one, other bugs; default 1"
    )
    _settings(parser.add_argument_group("settings: one of each list with one of each other"))
    _limits(parser.add_argument_group("limits and results"))
    parser.set_defaults(do=run)


def _settings(group: "argparse._ArgumentGroup") -> None:
    group.add_argument("--base-url", metavar="URL", help="the server; default: server.base_url")
    group.add_argument(
        "--gguf", action="append", metavar="MODEL", help="a file served in its turn; repeatable"
    )
    group.add_argument("--models", default="", metavar="LIST", help="names, with commas between")
    group.add_argument("--profiles", default="", metavar="LIST", help="profiles of your settings")
    group.add_argument(
        "--thinking", default="", metavar="LIST", help="off,low,medium,high,max or tokens"
    )
    group.add_argument(
        "--sampling", default="", metavar="LIST", help="such as temperature=0.6+top_p=0.9,top_k=20"
    )


def _limits(group: "argparse._ArgumentGroup") -> None:
    group.add_argument(
        "--repeat", type=positive, default=1, metavar="N", help="attempts at each; default 1"
    )
    group.add_argument(
        "--budget", type=duration, default=900.0, metavar="TIME", help="an attempt; default 15m"
    )
    group.add_argument(
        "--max-tool-calls", type=positive, default=100, metavar="N", help="of one; default 100"
    )
    group.add_argument(
        "--test-budget",
        type=duration,
        default=300.0,
        metavar="TIME",
        help="a run of the tests; default 5m",
    )
    group.add_argument("--sandbox", choices=("required", "off"), help="off: your own risk")
    group.add_argument("--out", type=Path, metavar="DIR", help="for the results")
    group.add_argument("--resume", type=Path, metavar="DIR", help="go on with these")
    group.add_argument("--json", action="store_true", help="for scripts")


def run(arguments: argparse.Namespace) -> int:
    """Make tasks or go on with them, and print; returns the exit code. Raises QcodeError."""
    ends_before_a_turn()  # a closed terminal leaves no agent at work, and no copy
    if arguments.resume:
        if arguments.out:
            raise UsageError("--resume and --out exclude each other: it goes on where it was.")
        kept = Kept.open(arguments.resume)
    else:
        kept = _begun(arguments)
    code = _ended(lambda: _go_on(kept, arguments))
    _print(kept, arguments)
    if code:
        talk("to go on:")
        with suppress(OSError, ValueError):  # as in `talk`; one line, so that it can be copied
            sys.stderr.write(f"qcode bench tasks --resume {shlex.quote(str(kept.folder))}\n")
            sys.stderr.flush()
    return code


def _ended(go: Callable[[], None]) -> int:
    """The exit code. What was tried is kept, whatever ends it."""
    try:
        go()
    except KeyboardInterrupt:
        talk("interrupted; this is what is known.")
        return ExitCode.INTERRUPTED
    except Stopped as stopped:
        talk(f"stopped: {stopped}")
        return stopped.code if stopped.code > 0 else ExitCode.FAILED
    return ExitCode.OK


def _begun(arguments: argparse.Namespace) -> Kept:
    """Make the tasks. Raises QcodeError."""
    config = settings.load(settings.sources()).config
    tried = chosen(arguments, config)  # a wrong word is told before minutes of work
    repository = Repository.at(arguments.repo)
    copies = Copies(repository)
    head = repository.head()
    target = _target(arguments, repository)
    if arguments.gguf:
        from qcode.cli import bench_serving  # noqa: PLC0415 - most have a server

        bench_serving.check(tried, _tell)
    else:
        _met(arguments, config)
    if count := repository.unsaved():
        files = "1 file" if count == 1 else f"{count} files"
        talk(f"{files} of work that is not committed stay out: tasks are made of {head[:8]}.")
    command = arguments.verify or config.agent.verify or _detected(copies, head)
    tests = Judge(command, arguments.prepare, _fence(arguments.sandbox), arguments.test_budget)
    wanted = Wanted(arguments.count, arguments.kinds, arguments.seed, arguments.make_budget)
    tasks = make(copies, tests, wanted, _tell)
    if not tasks:
        raise InputError(
            f"No task could be made of {repository.top}: no bug was caught by {command}, and no "
            "small commit has code and tests of its own. --verify CMD names other tests."
        )
    if len(tasks) < wanted.count:
        talk(f"only {len(tasks)} of {wanted.count} tasks could be made.")
    plan = Plan(
        qcode=__version__,
        date=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        repository=str(repository.top),
        commit=head,
        command=command,
        prepare=arguments.prepare,
        fence="off" if arguments.sandbox == "off" else "held",
        tasks=tasks,
        settings=tried,
        repeat=arguments.repeat,
        limits=Limits(
            wall_seconds=arguments.budget,
            tool_calls=arguments.max_tool_calls,
            test_seconds=arguments.test_budget,
        ),
        flags=("--base-url", arguments.base_url) if arguments.base_url else (),
    )
    return Kept.new(target, plan)


def _met(arguments: argparse.Namespace, config: Config) -> None:
    """Minutes of making tasks are for servers that are there, with the models that were named.
    Raises ServerError."""
    names = bench_models.listed(arguments.models, arguments.profiles)
    asyncio.run(bench_models.there(names, arguments.base_url, config, _tell))


def _tell(text: str) -> None:
    """Names of files and words of commits are among it."""
    talk(one_line(text, 300))


def _detected(copies: Copies, head: str) -> str:
    entries = copies.entries(head)

    def read(path: str) -> str:
        found = [it for it in entries if it.path == path]
        return copies.repository.read(found)[0].decode("utf-8", "replace")

    if command := command_of([it.path for it in entries], read):
        return command
    raise InputError("No test command is known here. --verify CMD names one: it is the judge.")


def _target(arguments: argparse.Namespace, repository: Repository) -> Path:
    """The folder of the results, outside of the repository. Raises InputError, ConfigError."""
    if arguments.out is None:
        now = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
        base = places.make(places.paths().data / "bench")
        return base / f"{repository.top.name}-{now}"
    out: Path = arguments.out.absolute()
    if out.resolve().is_relative_to(repository.top):
        raise InputError(f"{out} lies in the repository, which is left as it is. Name another.")
    return out


def _fence(sandbox: str | None) -> tuple[str, ...]:
    """Words that run a line inside it; empty = the person wants none. Raises SandboxMissing."""
    if sandbox == "off":
        return ()
    with folder("trial") as place:
        tried = process.run((*FENCED, "true"), place, _FENCE_SECONDS)
    if tried.code == 0:
        return FENCED
    raise SandboxMissing(
        f"{tried.err.strip().removeprefix('qcode: ')} What models write is run here: "
        "--sandbox off lets it, at your own risk."
    )


def _go_on(kept: Kept, arguments: argparse.Namespace) -> None:
    """Try what is left. Raises Stopped, QcodeError."""
    plan = kept.plan
    copies = Copies(Repository.at(Path(plan.repository)))
    fence = _fence("off" if plan.fence == "off" else None)
    tests = Judge(plan.command, plan.prepare, fence, plan.limits.test_seconds)
    server = ("--base-url", arguments.base_url) if arguments.base_url else plan.flags
    flags = (*server, *(INSIDE if fence else OUTSIDE))
    agent = Agent(QCODE, flags, frozenset(map(int, FATAL)), plan.limits)
    attempt = Bench(copies, tests, agent).attempt
    for sentence in beforehand(plan, len(kept.left())):
        talk(sentence)
    if any(it.gguf for it in plan.settings):
        from qcode.cli import bench_serving  # noqa: PLC0415 - most have a server

        bench_serving.go_on_in_turns(kept, attempt, _tell)
    else:
        go_on(kept, attempt, _tell)


def _print(kept: Kept, arguments: argparse.Namespace) -> None:
    """The table, or the object; and the page beside the attempts."""
    attempts = kept.attempts()
    if not attempts and not arguments.json:
        talk("nothing was tried to its end yet.")
        return
    found = summary(kept.plan, attempts)
    report = kept.folder / "report.html"
    with suppress(OSError):  # the disk is full: what was tried is told all the same
        report.write_text(page(found, attempts), encoding="utf-8")
    if arguments.json:
        told = msgspec.json.format(msgspec.json.encode(data(found, attempts)), indent=2)
        sys.stdout.write(escaped(told.decode()) + "\n")
    else:
        sys.stdout.write(text(found))
    talk(f"the page is {os.fspath(report)}")
