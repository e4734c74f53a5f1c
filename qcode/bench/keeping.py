"""The folder of a bench: its plan, and a line for each attempt as soon as it is made. So whoever
is interrupted goes on where it was.
"""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from qcode.bench.attempting import Trial
from qcode.bench.task import Attempt, Plan
from qcode.protocol.errors import InputError

PLAN = "bench.json"
ATTEMPTS = "attempts.jsonl"


class Kept:
    """A folder with a plan in it."""

    def __init__(self, folder: Path, plan: Plan) -> None:
        self.folder = folder
        self.plan = plan

    @classmethod
    def new(cls, folder: Path, plan: Plan) -> "Kept":
        """Write the plan. Raises InputError where another one is there already."""
        if (folder / PLAN).exists():
            raise InputError(f"{folder} holds a bench already. --resume {folder} goes on with it.")
        text = msgspec.json.format(msgspec.json.encode(plan), indent=2)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / PLAN).write_bytes(text + b"\n")
        except OSError as error:
            raise InputError(f"{folder} cannot be written ({error.strerror}).") from error
        return cls(folder, plan)

    @classmethod
    def open(cls, folder: Path) -> "Kept":
        """One that was begun. Raises InputError."""
        try:
            plan = msgspec.json.decode((folder / PLAN).read_bytes(), type=Plan)
        except OSError as error:
            raise InputError(f"{folder} holds no bench ({error.strerror}).") from error
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise InputError(f"{folder / PLAN} is no plan of a bench ({error}).") from error
        return cls(folder, plan)

    def attempts(self) -> tuple[Attempt, ...]:
        """What was tried. A line that a crash cut off counts as none."""
        try:
            data = (self.folder / ATTEMPTS).read_bytes()
        except FileNotFoundError:
            return ()
        found = {}
        for line in data.splitlines():
            try:
                it = msgspec.json.decode(line, type=Attempt)
            except (msgspec.DecodeError, UnicodeDecodeError):
                continue
            found[it.task, it.setting, it.number] = it
        return tuple(found.values())

    def add(self, attempt: Attempt) -> None:
        """One more line, on the disk before the next attempt begins. Raises InputError."""
        path = self.folder / ATTEMPTS
        try:
            with path.open("ab+") as file:
                if file.tell() and not _ends_a_line(path):
                    file.write(b"\n")
                file.write(msgspec.json.encode(attempt) + b"\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise InputError(f"{path} cannot be written ({error.strerror}).") from error

    def left(self) -> list[Trial]:
        """What is still to be tried.

        Setting by setting: a server that has to load another model does so as rarely as it can.
        """
        done = {(it.task, it.setting, it.number) for it in self.attempts()}
        return [it for it in self._all() if (it.task.id, it.setting.name, it.number) not in done]

    def _all(self) -> Iterator[Trial]:
        for number in range(1, self.plan.repeat + 1):
            for setting in self.plan.settings:
                for task in self.plan.tasks:
                    yield Trial(task, setting, number)


def _ends_a_line(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"


def go_on(kept: Kept, attempt: Callable[[Trial], Attempt], tell: Callable[[str], None]) -> None:
    """Try all that is left. Raises what `attempt` raises; what was done is kept."""
    left = kept.left()
    began = time.monotonic()
    for number, trial in enumerate(left, 1):
        what = f"{number}/{len(left)} {trial.task.id}, {trial.setting.name}"
        tell(f"{what}: …")
        made = attempt(trial)
        kept.add(made)
        rest = _rest((time.monotonic() - began) / number, len(left) - number)
        tell(f"{what}: {'solved' if made.solved else 'not solved'}{_aside(made)}{rest}")


def _rest(each: float, left: int) -> str:
    """How long the others may take, by those that are done; whole minutes."""
    minutes = each * left / 60
    return f"; about {minutes:,.0f} min to go" if minutes >= 1 else ""


def _aside(made: Attempt) -> str:
    more = f", {made.reason}" if made.reason else ""
    more += ", tests put back" if made.restored else ""
    return f" ({made.seconds:,.0f} s{more})"
