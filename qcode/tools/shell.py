"""Run commands; start, list, read and stop those in the background."""

import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import msgspec
from msgspec import Meta

from qcode.protocol.access import Access
from qcode.protocol.display import OutputBlock
from qcode.protocol.text import one_line
from qcode.sandbox.base import Command, Job, NotStarted, Output, Reading
from qcode.tools.base import Context, Outcome, failed

DEFAULT_SECONDS = 120
MOST_SECONDS = 1800
MOST_JOBS = 32
"""Background commands that may run at once."""
START_WAIT_SECONDS = 1.0
"""A command that fails at once should say so in the reply to `start`."""
READ_WAIT_SECONDS = 5.0
BLOCK_CHARACTERS = 4_000
REFUSED = "[Do not try a refused host again. Go on without it, or say what you could not do.]"

Where = Literal["", "inside", "outside"]
"""See `OutputBlock.where`."""


class Shell(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Run a bash command in the workspace root and return its output (stdout and stderr).

    Every run is a new shell without input. Long output is cut in the middle; the result then
    names a file with all of it. Servers and watchers: action start gives a job to read and stop.
    """

    name: ClassVar[str] = "shell"
    effect: ClassVar[Literal["read", "write"]] = "write"

    command: Annotated[str, Meta(description="The command line, for run and start.")] = ""
    action: Annotated[
        Literal["run", "start", "list", "read", "stop"],
        Meta(
            description="run: wait for the end. start: in the background. list: all jobs. "
            "read: new output of a job. stop: end a job."
        ),
    ] = "run"
    job: Annotated[str, Meta(description="Job id such as job-1, for read and stop.")] = ""
    timeout_seconds: Annotated[
        int, Meta(description=f"Time limit for run, at most {MOST_SECONDS}.")
    ] = DEFAULT_SECONDS

    def summary(self) -> str:
        """The command, or what is done with which job."""
        match self.action:
            case "run":
                return one_line(self.command)
            case "start":
                return f"start {one_line(self.command)}"
            case _:
                return f"{self.action} {self.job}".strip()

    def accesses(self) -> tuple[Access, ...]:
        """The command line; looking after jobs that were allowed to start touches nothing."""
        return (Access("shell", self.command),) if self.action in ("run", "start") else ()

    async def run(self, context: Context) -> Outcome:
        """Do it; see the reply for what came of it."""
        if self.action in ("run", "start") and not self.command.strip():
            return failed(f"shell: action {self.action} needs a `command`.")
        try:
            match self.action:
                case "run":
                    return await self._run(context)
                case "start":
                    return await self._start(context)
                case "list":
                    return _listed(context.jobs.list())
                case _:
                    return await self._with_job(context)
        except NotStarted as error:
            return failed(f"shell: {error}")

    async def _run(self, context: Context) -> Outcome:
        output = await context.runner.run(self._command(context), context.progress)
        text, block = finished(self.command, output, _where(context))
        return Outcome(text, (block,), "ok" if output.exit_code is not None else "error")

    async def _start(self, context: Context) -> Outcome:
        if sum(job.state == "running" for job in context.jobs.list()) >= MOST_JOBS:
            return failed(
                f"shell: {MOST_JOBS} background commands run already. Stop some first (action "
                "stop; action list names them). Nothing was started."
            )
        job_id = await context.runner.start(self._command(context))
        reading = await context.jobs.read(job_id, START_WAIT_SECONDS)
        hint = f"[Whole output: {_quoted(reading.job.log)}]"
        return _job_outcome(reading, hint, _where(context))

    async def _with_job(self, context: Context) -> Outcome:
        job_id = self.job.strip() or _only_one(context.jobs.list())
        try:
            if self.action == "stop":
                return _job_outcome(Reading(await context.jobs.stop(job_id), "", 0), "")
            reading = await context.jobs.read(job_id, READ_WAIT_SECONDS)
        except KeyError:
            known = ", ".join(job.id for job in context.jobs.list()) or "none"
            return failed(f"shell: no job has the id `{job_id}`. Jobs: {known}.")
        hint = _left_out(reading.left_out, reading.job.log) if reading.left_out else ""
        return _job_outcome(reading, hint or ("" if reading.text else "(nothing new)"))

    def _command(self, context: Context) -> Command:
        limit = min(self.timeout_seconds, MOST_SECONDS)
        root = context.workspace.root
        seconds = limit if limit > 0 else DEFAULT_SECONDS
        return Command(self.command, root, seconds, where=context.where)


def _where(context: Context) -> Where:
    return context.where if context.runner.fenced else ""


def finished(command: str, output: Output, where: Where = "") -> tuple[str, OutputBlock]:
    """A command that has ended: in words for the model, and for people."""
    how = f"exit {output.exit_code}" if output.exit_code is not None else output.why
    rows = [f"{how} · {output.seconds:.1f} s", output.head.rstrip("\n")]
    if output.left_out:
        rows += [_left_out(output.left_out, output.spill), output.tail.rstrip("\n")]
    if not output.head and not output.tail:
        rows[1:] = ["(no output)"]
    if output.job:
        rows.append(
            f"[It left processes running: they are {output.job} now. Use action read or stop.]"
        )
    if "time limit" in output.why:
        rows.append("[Raise timeout_seconds, or use action start for what does not end by itself.]")
    return "\n".join((*rows, *_noted(output.notes))), _block(command, output, where)


def _noted(notes: Sequence[str]) -> Iterator[str]:
    """For the model."""
    yield from (note if note.startswith("[") else f"[{note}]" for note in notes)
    if any(note.startswith("[network]") for note in notes):
        yield REFUSED


def _block(command: str, output: Output, where: Where) -> OutputBlock:
    tail = (output.tail or output.head)[-BLOCK_CHARACTERS:]
    spill = str(output.spill) if output.spill else ""
    seconds, notes = output.seconds, output.notes
    return OutputBlock(command, tail, output.exit_code, seconds, spill, notes, where)


def _left_out(count: int, spill: Path | None) -> str:
    if spill is None:
        return f"[{count} bytes left out here; no file could be written to keep them]"
    return f"[{count} bytes left out here; use grep, sed or tail on {_quoted(spill)}]"


def _quoted(path: Path) -> str:
    return shlex.quote(str(path))


def _listed(jobs: tuple[Job, ...]) -> Outcome:
    rows = [f"{_state(job)} · {one_line(job.line)}" for job in jobs]
    return Outcome("\n".join(rows) or "No job was started.")


def _job_outcome(reading: Reading, hint: str, where: Where = "") -> Outcome:
    job, text, notes = reading.job, reading.text, reading.notes
    rows = [_state(job), text.rstrip("\n"), hint, *_noted(notes)]
    exit_code = int(job.state[5:]) if job.state.startswith("exit ") else None
    tail, log = text[-BLOCK_CHARACTERS:], str(job.log)
    block = OutputBlock(job.line, tail, exit_code, job.seconds, log, notes, where)
    return Outcome("\n".join(row for row in rows if row), (block,))


def _state(job: Job) -> str:
    return f"{job.id} · {job.state} · {job.seconds:.1f} s"


def _only_one(jobs: tuple[Job, ...]) -> str:
    return jobs[0].id if len(jobs) == 1 else ""
