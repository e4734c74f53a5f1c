"""`qcode demo`: its arguments and its printing, no more."""

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Literal

from qcode.cli.parser import Parser
from qcode.demo import driver
from qcode.protocol.errors import ServerError, UsageError
from qcode.server.endpoint import Patience

TERMINATED = 143
LOADING_SECONDS = 60.0
"""How long a local server may take to load its model before the script steps in."""


def main(argv: list[str]) -> int:
    """Run the demo; the exit code is that of its final test run."""
    found = parser().parse_args(argv)
    after: Literal["keep", "remove"] = "keep" if found.keep else "remove"
    if found.playback and found.gguf:
        raise UsageError("--playback takes a script, --gguf a model. Say one.")
    if found.playback:
        plan = driver.Plan("", _nothing, after, why_playback="--playback asks for the script")
    elif found.gguf:
        plan = driver.Plan("", _nothing, after, gguf=_absolute(found.gguf))
    else:
        plan = driver.Plan(os.environ.get("QCODE_BASE_URL", ""), _local_server, after)
    return asyncio.run(_until_terminated(lambda: driver.run(plan, _say)))


def parser() -> argparse.ArgumentParser:
    """Its flags; completion reads them."""
    made = Parser(
        prog="qcode demo",
        description="Watch qcode fix a real bug in a temporary git repository. The model is the "
        "one at QCODE_BASE_URL, else that of a local server, else a script that says so.",
        epilog="exit code: that of the final test run, 0 = the bug is fixed",
    )
    made.add_argument("--keep", action="store_true", help="keep the folder also after success")
    made.add_argument(
        "--playback", action="store_true", help="take the script, even where a server answers"
    )
    made.add_argument(
        "--gguf", metavar="MODEL", help="take this model file, or hf:REPO:QUANT: see qcode serve"
    )
    return made


def _absolute(model: str) -> str:
    """The run is made in another folder."""
    return model if model.startswith("hf:") else str(Path(model).expanduser().resolve())


async def _until_terminated(work: Callable[[], Awaitable[int]]) -> int:
    """SIGTERM ends the work as Ctrl-C does, with what it started."""
    task = asyncio.ensure_future(work())
    with suppress(NotImplementedError):  # Windows has no signal handlers in its event loop
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel, "terminated")
    try:
        return await task
    except asyncio.CancelledError as cancelled:
        if cancelled.args == ("terminated",):
            return TERMINATED
        raise


def _say(text: str) -> None:
    # Flushed: the output of the child process comes between two lines of ours.
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


async def _nothing() -> None:
    return None


async def _local_server() -> str | None:
    """Base URL of a server on a known port of this machine that is ready and has a model."""
    from qcode.server.client import connect  # noqa: PLC0415 - only without QCODE_BASE_URL

    server = connect(patience=Patience(loading_seconds=LOADING_SECONDS))
    try:
        facts = await server.facts()
    except ServerError:  # nobody there, a key that we do not have, no model: the next in line
        return None
    finally:
        await server.close()
    return facts.base_url if facts.model else None
