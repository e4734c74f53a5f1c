"""Background commands by id: listed, read, stopped, and all ended at the end."""

import asyncio
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from qcode.sandbox.base import Job, Reading
from qcode.sandbox.process import Process

STOP_GRACE_SECONDS = 3.0
CLOSE_GRACE_SECONDS = 1.0
NEWS_PAUSE_SECONDS = 0.1


class JobTable:
    """The jobs of one runner, `job-1` and on; an id is never given twice."""

    def __init__(self, said: Callable[[int], str] = lambda group: "") -> None:
        """`said`: see `Keeper.said`."""
        self._said = said
        self._jobs: dict[str, tuple[str, Process]] = {}

    def add(self, line: str, process: Process) -> str:
        """Keep a started process; from here on all of its output goes to a log."""
        with suppress(OSError):  # no log, then; the last output is still there to be read
            process.capture.keep_all()
        job_id = f"job-{len(self._jobs) + 1}"
        self._jobs[job_id] = (line, process)
        return job_id

    def list(self) -> tuple[Job, ...]:
        """All of them, oldest first."""
        return tuple(self._describe(job_id) for job_id in self._jobs)

    async def read(self, job_id: str, wait_seconds: float) -> Reading:
        """What is new; waits for something when there is nothing yet. Raises KeyError."""
        process = self._jobs[job_id][1]
        news = process.capture.news()
        if not news.tail and process.running():
            await _something(process, wait_seconds)
            news = process.capture.news()
        if sentence := self._said(process.group.number):
            process.note(sentence)
        return Reading(self._describe(job_id), news.tail, news.left_out, process.news())

    def running(self) -> tuple[Process, ...]:
        """Those that are not at their end."""
        return tuple(process for _, process in self._jobs.values() if process.running())

    def lines(self) -> dict[Process, str]:
        """The same, with what was given to the shell."""
        return {process: line for line, process in self._jobs.values() if process.running()}

    def of(self, group: int) -> str:
        """The job that this group is; empty = none."""
        found = (it for it, (_, process) in self._jobs.items() if process.group.number == group)
        return next(found, "")

    async def stop(self, job_id: str) -> Job:
        """End one: TERM, then KILL. Raises KeyError."""
        await self._end(self._jobs[job_id][1], STOP_GRACE_SECONDS)
        return self._describe(job_id)

    async def close(self) -> None:
        """End all of them at once."""
        jobs = (process for _, process in self._jobs.values())
        await asyncio.gather(*(self._end(process, CLOSE_GRACE_SECONDS) for process in jobs))

    async def _end(self, process: Process, grace_seconds: float) -> None:
        if process.running():
            await process.end(grace_seconds)

    def _describe(self, job_id: str) -> Job:
        line, process = self._jobs[job_id]
        spill = process.capture.spill
        log = spill.path if spill else Path(os.devnull)
        return Job(job_id, line, _state(process), process.seconds, log)


async def _something(process: Process, wait_seconds: float) -> None:
    """Until it prints or ends; a first line is given a moment to bring its neighbours."""
    process.changed.clear()
    with suppress(TimeoutError):
        await asyncio.wait_for(process.changed.wait(), wait_seconds)
        await asyncio.sleep(NEWS_PAUSE_SECONDS)


def _state(process: Process) -> str:
    code = process.exit_code
    if process.running() or code is None:
        return "running"
    return f"exit {code}" if code >= 0 else f"ended by signal {-code}"
