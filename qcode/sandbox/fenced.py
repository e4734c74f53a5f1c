"""Commands inside a fence; in all else as without one."""

import asyncio
import os
from collections.abc import Callable, Collection, Mapping
from contextlib import AsyncExitStack
from pathlib import Path

import msgspec
from msgspec.structs import replace

from qcode.sandbox.base import Command, NotStarted, Output
from qcode.sandbox.capture import Capture
from qcode.sandbox.doors import Doors, Ways
from qcode.sandbox.fence import Fence, Inside
from qcode.sandbox.keeper import Keeper
from qcode.sandbox.lookout import Guarding, Lookout
from qcode.sandbox.plain import PlainRunner
from qcode.sandbox.process import Launch, Process, shell_words, start
from qcode.sandbox.questions import Questions
from qcode.sandbox.spare import Spare
from qcode.sandbox.watched import Watched

LONGEST_BYTES = 131_071
"""Of one argument on Linux; the launcher would find out too late to say it well."""
SWEEP_SECONDS = 0.5
MOVED = {"TMPDIR": "/tmp", "TMP": "/tmp", "TEMP": "/tmp"}
"""Variables that may lead to what is read-only inside."""
ADDED = {"GOCACHE": "/tmp/.cache/go-build"}
"""For tools that fail where their cache cannot be written."""


_CLOSED = Ways()


class _Held(msgspec.Struct):
    """For one command, until all of it has ended."""

    descriptors: tuple[int, ...]
    guarding: Guarding
    process: Process | None = None
    said: list[str] = msgspec.field(default_factory=list)


class FencedRunner(PlainRunner):
    """Runner and Jobs, as `PlainRunner` is."""

    fenced = True

    def __init__(
        self,
        fence: Fence,
        spill: Path,
        inherited: Mapping[str, str] | None = None,
        passed: Collection[str] = (),
        ways: Ways = _CLOSED,
    ) -> None:
        """`ways`: what may lead through its network, besides `gate`."""
        self._fence = fence
        self._held: dict[int, _Held] = {}
        """By group."""
        self._lookout = Lookout(self._replaced)
        self._untold: list[str] = []
        """What became of jobs since a command ended."""
        self._sweeping: asyncio.TimerHandle | None = None
        super().__init__(spill, inherited, passed)
        self._spare = Spare(fence, self._keeper)
        self._watched = Watched(fence)
        running = lambda: tuple(self._foreground) or self._jobs.running()  # noqa: E731 - a line
        questions = Questions(lambda: self.gate, running)
        self._doors = Doors(fence, questions, ways)
        self.name = fence.name

    @property
    def tripped(self) -> str:
        """See `PlainRunner.tripped`."""
        return self._watched.tripped

    async def close(self) -> None:
        """End everything that was started here, and take the fence down."""
        async with AsyncExitStack() as last:  # whatever fails: the last one is closed first
            last.callback(self._let_go)
            last.push_async_callback(self._doors.close)
            last.push_async_callback(super().close)
            last.push_async_callback(self._spare.close)

    async def open_port(self, port: int) -> int:
        """See `Runner.open_port`."""
        return await self._doors.open(port)

    async def close_port(self, port: int) -> None:
        """See `Runner.close_port`."""
        await self._doors.shut(port)

    def ports(self) -> tuple[int, ...]:
        """See `Runner.ports`."""
        return self._doors.ports()

    def running(self) -> tuple[str, ...]:
        """See `Runner.running`: what runs outside goes its own way."""
        lines = {**self._jobs.lines(), **self._foreground}
        return tuple(line for it, line in lines.items() if it.group.number in self._held)

    def _make_keeper(self) -> Keeper:
        return _Tells(self._ended)

    async def _begin(
        self, command: Command, environment: dict[str, str], capture: Capture
    ) -> Process:
        if command.where == "outside":
            return await super()._begin(command, environment, capture)
        _check(command)
        words = shell_words(command.line)
        try:
            variables = {**adapted(environment), **await self._doors.ready()}
            inside = Inside(words, command.folder, variables)
            with self._watched.starting():
                return await self._told(inside, capture) or await self._started(
                    command, inside, capture
                )
        except (OSError, ValueError) as error:
            raise NotStarted(f"The fence could not be raised ({error}).") from error

    async def _told(self, inside: Inside, capture: Capture) -> Process | None:
        """By the launcher that waits; None = there is none."""
        waiting = self._spare.take()
        if waiting is None:
            return None
        try:
            if waiting.shell.returncode is not None:
                raise OSError("somebody ended it")
            said = self._fence.message(inside)
            guarding = self._guarding(said.protected, said.held)
        except (OSError, ValueError):
            await waiting.end(self._keeper)
            return None
        held = self._held[waiting.shell.pid] = _Held(said.held, guarding)
        self._lookout.started(guarding, waiting.shell.pid)
        held.process = process = waiting.become(said.data, capture, self._keeper)
        self._watched.started(process)
        return process

    async def _started(self, command: Command, inside: Inside, capture: Capture) -> Process:
        wrapped = self._fence.around(inside)
        guarding = self._guarding(wrapped.protected, (*wrapped.held, *wrapped.descriptors))
        launch = Launch(
            command.line, wrapped.words, command.folder, wrapped.environment, wrapped.descriptors
        )
        try:
            process = await start(launch, capture, self._keeper)
        except BaseException:
            self._lookout.end(guarding)
            _close(wrapped.held)
            self._sweep_soon()
            raise
        self._watched.started(process)
        self._held[process.group.number] = _Held(wrapped.held, guarding, process)
        self._lookout.started(guarding, process.group.number)
        if not process.group.alive():
            self._ended(process.group.number)
        return process

    def _ended(self, group: int) -> None:
        """Nothing of it runs: what stood for it may go."""
        self._watched.ended(group)
        held = self._held.get(group)
        if held is None:
            return
        self._lookout.end(held.guarding)  # which waits until all is said
        del self._held[group]
        self._tell(group, held)
        _close(held.descriptors)
        if held.descriptors:
            self._sweep_soon()

    def _tell(self, group: int, held: _Held) -> None:
        """Of a job whoever reads it is told, and the next command."""
        for sentence in held.said:
            if held.process:
                held.process.note(sentence)
            if held.process and (job := self._jobs.of(group)):
                self._untold.append(f"{job}: {sentence}")

    def _guarding(self, protected: tuple[str, ...], descriptors: tuple[int, ...]) -> Guarding:
        try:
            return self._lookout.begin(protected)
        except BaseException:
            _close(descriptors)
            raise

    def _replaced(self, group: int, sentence: str) -> None:
        """In the thread of the lookout."""
        if held := self._held.get(group):
            held.said.append(sentence)

    def _output(self, process: Process, command: Command, why: str) -> Output:
        output = super()._output(process, command, why)
        untold, self._untold = self._untold, []
        return replace(output, notes=(*output.notes, *untold))

    def _sweep_soon(self) -> None:
        """Not at once: 2 ms that the result would wait for, and the next command may need it."""
        if self._sweeping is not None:
            self._sweeping.cancel()
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:  # asked for the jobs from outside of a loop
            self._fence.left()
            return
        self._sweeping = loop.call_later(SWEEP_SECONDS, self._fence.left)

    def _let_go(self) -> None:
        if self._sweeping is not None:
            self._sweeping.cancel()
        for held in self._held.values():
            self._lookout.end(held.guarding)
            _close(held.descriptors)
        self._held.clear()
        self._fence.close()


def adapted(environment: Mapping[str, str]) -> dict[str, str]:
    """Variables that suit the inside: where a command may write for a while."""
    moved = {name: MOVED[name] for name in MOVED if name in environment}
    return {**ADDED, **environment, **moved}


def _check(command: Command) -> None:
    """Raises NotStarted, with the sentences of `process`."""
    if len(command.line.encode(errors="surrogateescape")) > LONGEST_BYTES:
        raise NotStarted(
            f"The command is too long ({len(command.line.encode())} bytes) for this system. "
            "Put the text into a file with the write tool and run that."
        )
    if "\0" in command.line:
        raise NotStarted(
            "The command holds a NUL or another character that no command line can hold."
        )
    if not command.folder.is_dir():
        raise NotStarted(f"The folder {command.folder} is gone, so no command can run in it.")


def _close(descriptors: tuple[int, ...]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)


class _Tells(Keeper):
    """Tells when a group has ended."""

    def __init__(self, ended: Callable[[int], None]) -> None:
        super().__init__()
        self._tell = ended

    def ended(self, group: int) -> None:
        """See `Keeper.ended`."""
        super().ended(group)
        self._tell(group)
