"""Commands that the person runs themselves (`!`), beside whatever the engine does.

No rule judges them and no fence stands around them: it is the person who runs them, as in any
terminal. What they may see of this process's variables, and the folder, is the same as for the
model's.
"""

import asyncio
import secrets
from collections import deque
from pathlib import Path

from qcode.engine.say import Say
from qcode.protocol.display import OutputBlock
from qcode.protocol.errors import SessionNotSaved
from qcode.protocol.events import Notice, ShellFinished, ShellStarted, ToolCallProgress
from qcode.protocol.inputs import RunShell
from qcode.protocol.text import well_formed
from qcode.sandbox.base import Command, NotStarted, Runner
from qcode.tools.shell import BLOCK_CHARACTERS, finished

DAY_SECONDS = 86_400
"""A person ends their command themselves."""
CANCELLED = "ended by the user"


class OwnCommands:
    """Runs them; several may run at once."""

    def __init__(self, runner: Runner, folder: Path, say: Say) -> None:
        self._runner = runner
        self._folder = folder
        self._say = say
        self._tasks: set[asyncio.Task[None]] = set()

    def run(self, given: RunShell) -> None:
        """Start it. Raises SessionNotSaved, and then nothing was started."""
        shell_id = f"shell-{secrets.token_hex(4)}"
        self._say(ShellStarted(shell_id, well_formed(given.command)))
        task = asyncio.get_running_loop().create_task(self._one(shell_id, given))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def cancel(self) -> None:
        """End all of them."""
        loop = asyncio.get_running_loop()
        for task in self._tasks:
            loop.call_soon(task.cancel)  # behind its first step: before it, it would say no end

    async def close(self) -> None:
        """End all of them, and wait until they have ended."""
        self.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _one(self, shell_id: str, given: RunShell) -> None:
        end = await self._ended(shell_id, given)
        try:
            self._say(end)
        except SessionNotSaved as error:  # it was shown all the same
            self._say(Notice("error", str(error)))

    async def _ended(self, shell_id: str, given: RunShell) -> ShellFinished:
        line, share = well_formed(given.command), given.share
        shown: deque[str] = deque(maxlen=BLOCK_CHARACTERS)  # of single characters: it may run on

        def take(text: str) -> None:
            shown.extend(text)
            self._say(ToolCallProgress(shell_id, text))

        began = asyncio.get_running_loop().time()
        try:
            command = Command(line, self._folder, DAY_SECONDS, where="outside")
            output = await self._runner.run(command, take)
        except NotStarted as error:
            text, block = str(error), OutputBlock(line, str(error), None, 0.0)
        except asyncio.CancelledError:
            seconds = asyncio.get_running_loop().time() - began
            tail = "".join(shown)
            text = f"{CANCELLED} · {seconds:.1f} s\n{tail}".rstrip("\n")
            block = OutputBlock(line, tail, None, round(seconds, 3))
        else:
            text, block = finished(line, output, "outside" if self._runner.fenced else "")
        told = well_formed(f"$ {line}\n{text}") if share == "tell" else ""
        return ShellFinished(shell_id, block, share, told)
