"""One attempt: a fresh copy, qcode in it without a person, and the judge."""

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from qcode.bench.copies import Copies, Judge, compared, folder, state, tail, take_over
from qcode.bench.process import Ran, run
from qcode.bench.seed import begin
from qcode.bench.task import Attempt, Limits, Setting, Task
from qcode.bench.verdict import is_passed
from qcode.protocol.text import plain

_MOST_MESSAGE = 4000
_GRACE_SECONDS = 60.0
"""For an agent that reached its limit to end by itself."""

BUG = """\
A test of this project fails: `{command}` shows it. A defect in the code is the reason. Find it \
and mend it. Leave the tests as they are; they are right. When you are done, `{command}` passes."""

REDO = """\
A change is missing in this project. It was described like this:

{message}

Its tests are here already, and fail without it: `{command}` shows it. Make the change in the \
code. Leave the tests as they are; they are right. When you are done, `{command}` passes."""


class Stopped(Exception):
    """Nothing can be tried at the moment, and no further attempt would fare better: the server is
    away, a flag is wrong. The text is a sentence."""

    def __init__(self, sentence: str, code: int) -> None:
        super().__init__(sentence)
        self.code = code
        """How qcode ended."""


class Agent(msgspec.Struct, frozen=True):
    """How qcode is started."""

    words: tuple[str, ...]
    """The program."""
    flags: tuple[str, ...]
    """The same for all settings: server, fence."""
    fatal: frozenset[int]
    """Exit codes that say nothing about the task."""
    limits: Limits


class Trial(msgspec.Struct, frozen=True):
    """What is tried next."""

    task: Task
    setting: Setting
    number: int


class Bench:
    """Tries tasks of one repository."""

    def __init__(self, copies: Copies, tests: Judge, agent: Agent) -> None:
        self._copies = copies
        self._tests = tests
        self._agent = agent

    def attempt(self, trial: Trial) -> Attempt:
        """Let the agent work, and judge. Raises Stopped."""
        task = trial.task
        own = self._copies.own_folders(task.commit)
        with folder(self._copies.repository.top.name) as place:
            self._copies.lay(task, place)
            self._tests.ready(place)
            before = state(place, own)
            begin(place)
            ran = self._agent_in(place, trial)
            told = self._told(ran)
            left = compared(before, state(place, own), task)
            judged = self._judged(task, place, left.counted)
        solved = is_passed(judged, task.is_told)
        return Attempt(
            task=task.id,
            setting=trial.setting.name,
            number=trial.number,
            solved=solved,
            seconds=round(ran.seconds, 2),
            changed=left.counted,
            restored=left.restored,
            judged_seconds=round(judged.seconds, 2),
            tail="" if solved else tail(judged),
            **_figures(told, ran),
        )

    def _agent_in(self, place: Path, trial: Trial) -> Ran:
        limits = self._agent.limits
        said = (
            *("-p", prompt(trial.task, self._tests.command), "--output-format", "json"),
            *("--no-session", "--setting-sources", "user"),
            *("--max-wall-time", f"{limits.wall_seconds:g}"),
            *("--max-tool-calls", str(limits.tool_calls)),
            *("--disallowed-tools", f"Read(/{_pattern(self._copies.repository.top)}/**)"),
        )
        words = (*self._agent.words, *said, *self._agent.flags, *trial.setting.flags)
        return run(words, place, limits.wall_seconds + _GRACE_SECONDS)

    def _told(self, ran: Ran) -> Mapping[str, Any]:
        """The object on stdout; {} where the agent had to be killed. Raises Stopped."""
        told: Mapping[str, Any] = {}
        with suppress(ValueError):
            value = json.loads(ran.out)
            told = value if isinstance(value, dict) else {}
        if ran.code is not None and (ran.code in self._agent.fatal or not _has_tried(told)):
            said = " ".join(map(str, told.get("errors", ()))) or ran.err.strip()[-1000:]
            raise Stopped(plain(said) or f"qcode ended with {ran.code}.", ran.code)
        return told

    def _judged(self, task: Task, left: Path, counted: tuple[str, ...]) -> Ran:
        """In a copy that the agent has never seen."""
        with folder(self._copies.repository.top.name) as place:
            self._copies.lay(task, place)
            take_over(counted, left, place)
            self._tests.ready(place)
            return self._tests.run(place)


def _has_tried(told: Mapping[str, Any]) -> bool:
    """A model answered, or one of the limits came first."""
    return bool(told.get("num_turns")) or told.get("stop_reason") not in (None, "error")


def prompt(task: Task, command: str) -> str:
    """What the agent is told."""
    if task.kind == "bug":
        return BUG.format(command=command)
    return REDO.format(command=command, message=task.message[:_MOST_MESSAGE].strip())


def _pattern(path: Path) -> str:
    """As a rule writes it: what has a meaning in patterns stands for itself."""
    return re.sub(r"([*?\[\]!\\])", r"\\\1", path.as_posix())


def _figures(told: Mapping[str, Any], ran: Ran) -> dict[str, Any]:
    """Fields of `Attempt` out of qcode's own words."""
    usage, own = told.get("usage", {}), told.get("qcode", {})
    return {
        "code": -1 if ran.code is None else ran.code,
        "reason": "" if ran.code == 0 else str(told.get("stop_reason", "killed")),
        "model": str(own.get("model", "")),
        "read_tokens": usage.get("input_tokens", 0),
        "cached_tokens": usage.get("cache_read_input_tokens", 0),
        "reread_tokens": own.get("reread_tokens", 0),
        "generated_tokens": usage.get("output_tokens", 0),
        "steps": told.get("num_turns", 0),
        "tool_calls": own.get("tool_calls", 0),
    }
