"""`qcode sandbox`: what the fence of this machine holds, and a command inside it."""

import argparse
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from shutil import get_terminal_size
from textwrap import fill
from typing import TYPE_CHECKING

from msgspec.structs import replace

from qcode.cli.parser import parsed
from qcode.config.load import load, sources
from qcode.config.paths import make, paths
from qcode.protocol.errors import InputError, SandboxMissing
from qcode.protocol.text import plain
from qcode.sandbox.choose import LANDLOCK, WEAKER, candidates, choose
from qcode.sandbox.environment import child_environment
from qcode.sandbox.fence import Fence, Inside
from qcode.sandbox.fenced import adapted
from qcode.sandbox.ground import Ground
from qcode.sandbox.process import shell_words
from qcode.sandbox.promises import PROMISES
from qcode.sandbox.table import text
from qcode.sandbox.trial import Trial, trial
from qcode.sandbox.watched import Watched

if TYPE_CHECKING:
    Group = argparse._SubParsersAction[argparse.ArgumentParser]

NOT_FOUND = "No fence was found to try on this system."


def main(argv: list[str]) -> int:
    """The subcommand from its own arguments. Raises QcodeError."""
    arguments = parsed("sandbox", add, argv)
    action: Callable[[argparse.Namespace, Path], int] = arguments.do
    return action(arguments, Path.cwd())


def add(parser_group: "Group") -> None:
    """Declare `sandbox` and what stands below it."""
    parser = parser_group.add_parser("sandbox", help="the fence around commands: try it, use it")
    below = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    check = below.add_parser("check", help="try each promise here, and say which hold")
    check.add_argument("--json", action="store_true", help="for scripts")
    check.set_defaults(do=_check)
    ran = below.add_parser("run", help="a command inside the fence: qcode sandbox run -- CMD")
    ran.add_argument("words", nargs=argparse.REMAINDER, metavar="-- CMD")
    ran.set_defaults(do=_run)


def _check(arguments: argparse.Namespace, _: Path) -> int:
    base = make(paths().state)
    tried = _tried(base)
    if arguments.json:
        sys.stdout.write(json.dumps(_as_data(tried), indent=2) + "\n")
    elif tried:
        columns = get_terminal_size((200, 24)).columns
        sys.stdout.write(plain(text(tried, columns)))
        weaker = (f"{it}: {WEAKER[it]}." for it in tried if it in WEAKER)
        sys.stdout.writelines(f"{fill(one, min(columns, 100))}\n" for one in weaker)
    if used := next(_counting(tried), None):
        sys.stdout.write("" if arguments.json else f"Commands get {used}.\n")
        return 0
    raise SandboxMissing(_why(tried))


def _tried(base: Path) -> dict[str, Trial]:
    return {name: trial(made, base) for name, made in candidates(os.environ)}


def _why(tried: Mapping[str, Trial]) -> str:
    said = [f"{name}: {one.why or ', '.join(one.broken.values())}" for name, one in tried.items()]
    return f"No fence holds here ({'; '.join(said)})." if said else NOT_FOUND


def _as_data(tried: Mapping[str, Trial]) -> dict[str, object]:
    return {
        "fence": next(_counting(tried), None),
        "seconds": {name: round(one.seconds, 3) for name, one in tried.items()},
        "promises": [
            {
                "id": promise,
                "promise": words,
                "fences": {name: one.verdict(promise) for name, one in tried.items()},
                "details": {name: one.broken.get(promise, one.why) for name, one in tried.items()},
            }
            for promise, words in PROMISES.items()
        ],
    }


def _counting(tried: Mapping[str, Trial]) -> Iterator[str]:
    """Those that hold, the first one being used; a weaker one only where it is accepted."""
    accepted = _accepted()
    return (
        name
        for name, one in tried.items()
        if one.proven and (name not in WEAKER or name in accepted)
    )


def _accepted() -> tuple[str, ...]:
    """As the person's settings say it; those of a project say nothing about it."""
    return (LANDLOCK,) if load(sources()).config.sandbox.accept_landlock == "yes" else ()


def _run(arguments: argparse.Namespace, folder: Path) -> int:
    words = arguments.words[arguments.words[:1] == ["--"] :]
    if not words:
        raise InputError("Say what to run: qcode sandbox run -- CMD")
    places = paths()
    settings = load(sources()).config.sandbox
    ground = Ground.of((folder,), places.folders, (), os.environ)
    ground = replace(ground, processes=settings.processes)
    choice = choose(ground, make(places.state), accepted=_accepted())
    if choice.fence is None:
        raise SandboxMissing(choice.why)
    # one word is a line for the shell, several are a command and its arguments
    line = shell_words(words[0] if len(words) == 1 else 'exec "$@"')
    inside = Inside((*line, "sh", *words), folder, adapted(child_environment(os.environ, {})))
    try:
        with Watched(choice.fence).alone() as notes:
            code = _ended(choice.fence, inside)
    finally:
        choice.fence.close()
    sys.stderr.writelines(f"{plain(said)}\n" for said in notes)
    return code


def _ended(fence: Fence, inside: Inside) -> int:
    """Its exit code, as a shell says it."""
    try:
        wrapped = fence.around(inside)
    except (OSError, ValueError) as error:
        raise SandboxMissing(f"The fence could not be raised ({error}).") from error
    process = subprocess.Popen(
        wrapped.words,
        cwd=inside.folder,
        env=wrapped.environment,
        pass_fds=wrapped.descriptors,
        start_new_session=True,
    )
    for descriptor in wrapped.descriptors:
        os.close(descriptor)
    try:
        code = process.wait()
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        for descriptor in wrapped.held:
            os.close(descriptor)
    return code if code >= 0 else 128 - code
