"""The verify command: it runs after the last edit, and the model hears of its failures."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from pathlib import Path
from typing import Literal

import msgspec

from qcode.engine.say import Say
from qcode.permission.readonly import is_read_only
from qcode.permission.shell import split
from qcode.protocol.events import Steered, TurnFinished, Verified
from qcode.protocol.messages import user
from qcode.sandbox.base import Command, NotStarted, Output, Runner

TAIL_CHARACTERS = 4_000


class Verify(msgspec.Struct):
    """Runs `command` when the model rests and files may have changed since it last passed.

    After an edit, and after every command that is not known to read only.
    """

    command: str
    tries: int
    """How often it may run in a session's turn: failures go back to the model `tries - 1` times."""
    runner: Runner
    folder: Path
    when: Literal["changed", "always"] = "changed"
    """`always`: once in every turn at least, also when nothing was changed."""
    timeout_seconds: float = 600.0
    where: Literal["inside", "outside"] = "inside"
    """See `Command.where`."""
    around: Callable[[], AbstractAsyncContextManager[None]] = nullcontext
    """It runs inside: what it changes is kept; see `keeping.Keeping.command`."""
    _stale: bool = msgspec.field(default=False)
    _ran: int = msgspec.field(default=0)

    def begin(self) -> None:
        """A new turn: the tries count from the start."""
        self._ran = 0
        self._stale = self._stale or self.when == "always"

    def take(self, edited: Sequence[str], commands: Sequence[str]) -> None:
        """Files were changed, or by commands perhaps: what was verified before counts no more."""
        if edited or not all(is_read_only(split(line)) for line in commands):
            self._stale = True

    async def check(self, say: Say) -> TurnFinished | None:
        """The end of the turn, or None when the failure was told to the model."""
        if not self._stale:
            return TurnFinished("end_turn")
        self._ran += 1
        try:
            output = await self._run()
        except NotStarted as error:
            return TurnFinished("verify_failed", f"`{self.command}` was not run: {error}")
        say(Verified(self.command, output.exit_code, self._ran, _tail(output)))
        if output.exit_code == 0:
            self._stale = False
            return TurnFinished("end_turn")
        if self._ran >= self.tries:
            return TurnFinished("verify_failed", f"`{self.command}` still fails: {_how(output)}.")
        say(Steered(user(self._words(output), "verify")))
        return None

    async def _run(self) -> Output:
        command = Command(self.command, self.folder, self.timeout_seconds, where=self.where)
        async with self.around():
            return await self.runner.run(command, lambda text: None)

    def _words(self, output: Output) -> str:
        return (
            f"The check `{self.command}` fails ({_how(output)}). "
            f"Find the cause and mend it.\n\n{_tail(output)}"
        )


def _how(output: Output) -> str:
    return output.why or f"exit {output.exit_code}"


def _tail(output: Output) -> str:
    text = output.head + output.tail if not output.left_out else output.tail
    notes = "\n".join(output.notes)  # of the fence: why it could not do what it wanted
    return f"{text[-TAIL_CHARACTERS:].rstrip()}\n{notes}" if notes else text[-TAIL_CHARACTERS:]
