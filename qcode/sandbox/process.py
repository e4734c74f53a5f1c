"""One command as processes: started in a session of its own, its output taken through a pipe.

The pipe is ours and not asyncio's: asyncio's `wait()` differs between Python 3.11 and 3.13 when a
grandchild keeps the pipe open, and ours can go on being read after the shell has ended.
"""

import asyncio
import errno
import os
import shutil
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import msgspec

from qcode.sandbox.base import NotStarted
from qcode.sandbox.capture import Capture
from qcode.sandbox.clock import Clock
from qcode.sandbox.group import POLL_SECONDS, Group
from qcode.sandbox.keeper import Keeper
from qcode.sandbox.live import Live

SETTLE_SECONDS = 0.2
"""How long after the shell's end its last output and helpers get before they count as left."""
CHUNK_BYTES = 65_536


class Launch(msgspec.Struct, frozen=True):
    """How a command is started."""

    line: str
    """As it was given; for sentences."""
    words: tuple[str, ...]
    folder: Path
    environment: Mapping[str, str]
    descriptors: tuple[int, ...] = ()
    """Inherited; closed here once it has started, or could not."""


class Process:
    """A started command."""

    def __init__(
        self, shell: asyncio.subprocess.Process, pipe: int, capture: Capture, keeper: Keeper
    ) -> None:
        self.capture = capture
        self.group = Group(shell.pid, keeper.ended)
        self.changed = asyncio.Event()
        """Set at each output and at the end; who waits for it clears it."""
        self.clock: Clock | None = None
        """Its time limit; None = it has none."""
        self.notes: dict[str, None] = {}
        """What `Output.notes` will say, each once."""
        self._taken = 0
        self._live: Live | None = None
        self._shell = shell
        self._pipe = pipe
        self._started = self._last = time.monotonic()
        self._finished = False
        asyncio.get_running_loop().add_reader(pipe, self._pump)
        self._ending = asyncio.create_task(self._note_end())

    @property
    def exit_code(self) -> int | None:
        """The shell's; negative = ended by that signal; None = it still runs."""
        return self._shell.returncode

    @property
    def seconds(self) -> float:
        """Since the start, until the shell's end or the last output, whichever came later."""
        return (time.monotonic() if self.running() else self._last) - self._started

    def running(self) -> bool:
        """True while the shell, its group, or somebody at the other end of the pipe lives."""
        if not self._finished:
            ended = self.exit_code is not None and self._pipe < 0
            self._finished = ended and not self.group.alive()
        return not self._finished

    def note(self, sentence: str) -> None:
        """The fence did something about it."""
        self.notes[sentence] = None

    def news(self) -> tuple[str, ...]:
        """The notes that were not taken yet."""
        found = tuple(self.notes)[self._taken :]
        self._taken += len(found)
        return found

    def watch(self, live: Live) -> None:
        """Show output as it comes, too."""
        self._live = live

    def unwatch(self) -> None:
        """Show no more of it."""
        if self._live is not None:
            self._live.close()
            self._live = None

    async def wait(self) -> None:
        """Until the shell has ended."""
        await self._shell.wait()

    async def settle(self) -> None:
        """Give last output and helpers their moment; what runs after it was left running."""
        deadline = time.monotonic() + SETTLE_SECONDS
        pause_seconds = 0.0  # most often the end of the pipe is the very next thing to be seen
        # Nothing announces that a group is empty, so there is nothing to await but time.
        while self.running() and time.monotonic() < deadline:
            await asyncio.sleep(pause_seconds)
            pause_seconds = min(pause_seconds + 0.002, POLL_SECONDS)

    async def end(self, grace_seconds: float) -> None:
        """End the whole group and take its last words."""
        try:
            await self.group.end(grace_seconds)
            await self.settle()
        finally:
            self._close_pipe()
            self.changed.set()

    async def _note_end(self) -> None:
        await self._shell.wait()
        self._last = time.monotonic()
        self.group.alive()  # nobody may ask again, and its keeper should know soon
        self.changed.set()

    def _pump(self) -> None:
        try:
            data = os.read(self._pipe, CHUNK_BYTES)
        except BlockingIOError:
            return
        self._last = time.monotonic()
        self.changed.set()
        if not data:
            self._close_pipe()
            return
        self.capture.feed(data)
        if self._live is not None:
            self._live.feed(data)

    def _close_pipe(self) -> None:
        if self._pipe >= 0:
            asyncio.get_running_loop().remove_reader(self._pipe)
            os.close(self._pipe)
            self._pipe = -1
            self.capture.end()


async def start(launch: Launch, capture: Capture, keeper: Keeper) -> Process:
    """Start it. Raises NotStarted."""
    shell, reading = await spawn(launch, keeper)
    return Process(shell, reading, capture, keeper)


async def spawn(launch: Launch, keeper: Keeper) -> tuple[asyncio.subprocess.Process, int]:
    """The process, and the pipe with its output. Raises NotStarted."""
    reading = writing = -1
    cell = keeper.cell()
    try:
        if sys.platform == "win32":
            raise NotStarted(
                "qcode runs commands on Linux and macOS; on Windows, start it inside WSL."
            )
        reading, writing = os.pipe()
        os.set_blocking(reading, False)
        words, stdin = keeper.around(cell.enter(launch.words) if cell else launch.words)
        opening = asyncio.create_subprocess_exec(
            *words,
            stdin=stdin,
            stdout=writing,
            stderr=writing,
            cwd=launch.folder,
            env=launch.environment,
            start_new_session=True,
            pass_fds=launch.descriptors,
        )
        shell = await _whole(asyncio.create_task(opening))
        keeper.began(shell.pid, cell)
    except BaseException as error:
        _close(reading)
        if cell is not None:
            cell.close()
        if isinstance(error, OSError | ValueError):
            raise NotStarted(_why_not(error, launch.line, launch.folder)) from error
        raise
    else:
        return shell, reading
    finally:
        _close(writing, *launch.descriptors)


def _close(*descriptors: int) -> None:
    for descriptor in descriptors:
        if descriptor >= 0:
            os.close(descriptor)


async def _whole(opening: asyncio.Task[asyncio.subprocess.Process]) -> asyncio.subprocess.Process:
    """The shell. When cancelled, asyncio would end it alone, and not what it has begun to run."""
    try:
        return await asyncio.shield(opening)
    except asyncio.CancelledError:
        with suppress(OSError, ValueError):  # it did not start at all
            await Group((await opening).pid).end(0)
        raise


def shell_words(line: str) -> tuple[str, ...]:
    """bash where present; never one from a relative entry of PATH, which may be the project's."""
    bash = shutil.which("bash")
    return (bash if bash and Path(bash).is_absolute() else "/bin/sh", "-c", line)


def _why_not(error: Exception, line: str, folder: Path) -> str:
    if isinstance(error, ValueError):
        return "The command holds a NUL or another character that no command line can hold."
    if isinstance(error, OSError) and error.errno == errno.E2BIG:
        return (
            f"The command is too long ({len(line.encode())} bytes) for this system. Put the text "
            "into a file with the write tool and run that."
        )
    if not folder.is_dir():
        return f"The folder {folder} is gone, so no command can run in it."
    return f"The command could not be started: {error}."
