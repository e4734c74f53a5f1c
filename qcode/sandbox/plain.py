"""Commands without a fence: process group, time limit, output cap, background jobs."""

import asyncio
import functools
import os
import signal
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

from qcode.sandbox.base import Command, Gate, Job, Output, Reading
from qcode.sandbox.capture import Capture
from qcode.sandbox.cells import Cell, cell, delegated
from qcode.sandbox.clock import Clock
from qcode.sandbox.environment import child_environment
from qcode.sandbox.jobs import JobTable
from qcode.sandbox.keeper import Keeper
from qcode.sandbox.limits import Limits, Warden
from qcode.sandbox.live import Live
from qcode.sandbox.process import Launch, Process, shell_words, start
from qcode.sandbox.spill import SpillFile

CANCEL_GRACE_SECONDS = 0.3
LIMIT_GRACE_SECONDS = 2.0


class PlainRunner:
    """Runner and Jobs in one: what a command leaves running becomes a job."""

    name: str = "plain"
    fenced: bool = False
    gate: Gate | None = None
    """See `Runner.gate`."""

    def __init__(
        self,
        spill: Path,
        inherited: Mapping[str, str] | None = None,
        passed: Collection[str] = (),
    ) -> None:
        """`inherited`: None = this process's variables. `passed`: names let through besides."""
        self._spill = spill
        self._inherited = os.environ if inherited is None else inherited
        self._passed = passed
        self._jobs = JobTable(lambda group: self._keeper.said(group))
        self._keeper = self._make_keeper()
        self._warden = Warden(Limits.of())
        self._above = functools.cache(delegated)
        self._keeper.cell = self._cell
        self._foreground: dict[Process, str] = {}
        """Those that are waited for -> their lines."""

    def limit(self, limits: Limits) -> None:
        """How much commands may use from now on; `Limits.of()` holds until then."""
        self._warden.limits = limits

    async def run(self, command: Command, on_output: Callable[[str], None]) -> Output:
        """Run to the end, see `Runner.run`."""
        process = await self._process(command, "output")
        process.watch(Live(on_output))
        self._foreground[process] = command.line
        why = ""
        try:
            process.clock = Clock(command.timeout_seconds)
            async with process.clock:
                await process.wait()
            await process.settle()
        except TimeoutError:
            why = f"ended after {command.timeout_seconds:g} s (time limit)"
            await process.end(LIMIT_GRACE_SECONDS)
        except asyncio.CancelledError:
            await process.end(CANCEL_GRACE_SECONDS)
            raise
        finally:
            process.unwatch()
            process.clock = None
            self._foreground.pop(process, None)
        return self._output(process, command, why)

    @property
    def tripped(self) -> str:
        """What a command did though the fence promises otherwise, a sentence; from then on no mode
        may allow commands by itself. Empty = nothing."""
        return ""

    async def start(self, command: Command) -> str:
        """Start in the background, see `Runner.start`."""
        process = await self._process(command, "job")
        return self._jobs.add(command.line, process)

    def list(self) -> tuple[Job, ...]:
        """All jobs, oldest first."""
        return self._jobs.list()

    async def read(self, job_id: str, wait_seconds: float) -> Reading:
        """What a job printed since it was last read, see `Jobs.read`."""
        return await self._jobs.read(job_id, wait_seconds)

    async def stop(self, job_id: str) -> Job:
        """End a job, see `Jobs.stop`."""
        return await self._jobs.stop(job_id)

    async def open_port(self, port: int) -> int:
        """Let the person reach what commands listen on; the port that is to be used for it.

        Without a fence every port is open as it is. Raises NotOpened.
        """
        return port

    async def close_port(self, port: int) -> None:
        """Take it back; nothing happens where it was not opened."""

    def ports(self) -> tuple[int, ...]:
        """Those that were opened by hand."""
        return ()

    def running(self) -> tuple[str, ...]:
        """See `Runner.running`: without a fence no gate decides."""
        return ()

    async def close(self) -> None:
        """End everything that was started here."""
        ends = (it.end(CANCEL_GRACE_SECONDS) for it in tuple(self._foreground))
        try:
            await asyncio.gather(self._jobs.close(), *ends)
        finally:
            await self._warden.close()
            self._keeper.close()

    def _cell(self) -> Cell | None:
        """A control group for a command, where there can be one."""
        above, limits = self._above(), self._warden.limits
        return cell(above, limits.memory_bytes, limits.processes) if above else None

    def _make_keeper(self) -> Keeper:
        return Keeper()

    async def _process(self, command: Command, stem: str) -> Process:
        environment = child_environment(self._inherited, command.environment or {}, self._passed)
        capture = Capture(lambda: SpillFile(self._spill, stem))
        process = await self._begin(command, environment, capture)
        self._warden.add(process)
        return process

    async def _begin(
        self, command: Command, environment: dict[str, str], capture: Capture
    ) -> Process:
        """Start it; a fence is put around it here. Raises NotStarted."""
        words = shell_words(command.line)
        launch = Launch(command.line, words, command.folder, environment)
        return await start(launch, capture, self._keeper)

    def _output(self, process: Process, command: Command, why: str) -> Output:
        job = ""
        excerpt = process.capture.excerpt()
        spill = process.capture.spill
        if not why and process.running():
            process.capture.news()  # the result shows it: the job begins after it
            job = self._jobs.add(command.line, process)
        if said := self._keeper.said(process.group.number):
            process.note(said)
        code = None if why else process.exit_code
        if code is not None and code < 0:
            why, code = f"ended by signal {-code} ({_signal_name(-code)})", None
        return Output(
            exit_code=code,
            why=why,
            head=excerpt.head,
            tail=excerpt.tail,
            left_out=excerpt.left_out,
            spill=spill.path if spill and excerpt.left_out else None,
            seconds=process.seconds,
            job=job,
            notes=process.news(),
        )


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # real-time signals between the named ones
        return "unnamed"
