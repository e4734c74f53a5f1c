"""`qcode sandbox`: what the fence of this machine holds, and a command inside it."""

import argparse
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from qcode.cli.parser import parsed
from qcode.config.paths import make, paths
from qcode.protocol.errors import InputError, SandboxMissing
from qcode.protocol.text import plain
from qcode.sandbox.choose import candidates, choose
from qcode.sandbox.environment import child_environment
from qcode.sandbox.fence import Fence, Inside
from qcode.sandbox.fenced import adapted
from qcode.sandbox.ground import Ground
from qcode.sandbox.process import shell_words
from qcode.sandbox.promises import PROMISES
from qcode.sandbox.trial import Trial, trial

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
    tried = {} if sys.platform != "linux" else _tried(base)
    if arguments.json:
        sys.stdout.write(json.dumps(_as_data(tried), indent=2) + "\n")
    elif tried:
        sys.stdout.write(plain(_table(tried)))
    if any(one.proven for one in tried.values()):
        return 0
    raise SandboxMissing(_why(tried))


def _tried(base: Path) -> dict[str, Trial]:
    return {name: trial(made, base) for name, made in candidates(os.environ)}


def _why(tried: Mapping[str, Trial]) -> str:
    said = [f"{name}: {one.why or ', '.join(one.broken.values())}" for name, one in tried.items()]
    return f"No fence holds here ({'; '.join(said)})." if said else NOT_FOUND


def _cell(promise: str, one: Trial) -> str:
    if one.why:
        return "not tried"
    return "not held" if promise in one.broken else "held"


def _table(tried: Mapping[str, Trial]) -> str:
    width = max(map(len, PROMISES.values()))
    lines = [f"{'promise':<{width}}  " + "  ".join(f"{name:<10}" for name in tried)]
    for promise, words in PROMISES.items():
        cells = "  ".join(f"{_cell(promise, one):<10}" for one in tried.values())
        lines.append(f"{words:<{width}}  {cells}")
    for name, one in tried.items():
        lines += [f"{name}: {said}" for said in (one.why, *one.broken.values()) if said]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _as_data(tried: Mapping[str, Trial]) -> dict[str, object]:
    return {
        "fence": next((name for name, one in tried.items() if one.proven), None),
        "seconds": {name: round(one.seconds, 3) for name, one in tried.items()},
        "promises": [
            {
                "id": promise,
                "promise": words,
                "fences": {name: _cell(promise, one) for name, one in tried.items()},
                "details": {name: one.broken.get(promise, one.why) for name, one in tried.items()},
            }
            for promise, words in PROMISES.items()
        ],
    }


def _run(arguments: argparse.Namespace, folder: Path) -> int:
    words = arguments.words[arguments.words[:1] == ["--"] :]
    if not words:
        raise InputError("Say what to run: qcode sandbox run -- CMD")
    places = paths()
    ground = Ground.of((folder,), places.folders, (), os.environ)
    choice = choose(ground, make(places.state))
    if choice.fence is None:
        raise SandboxMissing(choice.why)
    # one word is a line for the shell, several are a command and its arguments
    line = shell_words(words[0] if len(words) == 1 else 'exec "$@"')
    inside = Inside((*line, "sh", *words), folder, adapted(child_environment(os.environ, {})))
    try:
        return _ended(choice.fence, inside)
    finally:
        choice.fence.close()


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
