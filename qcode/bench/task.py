"""What is tried, with what, and what came of it: the files of a bench as values."""

from typing import Literal

import msgspec

Kind = Literal["bug", "redo"]
"""A bug was put in; a commit was taken back."""


class Swap(msgspec.Struct, frozen=True):
    """One passage of a file for another."""

    path: str
    start: int
    """Byte of the file at which `old` begins."""
    old: str
    new: str
    what: str
    """For people: `< became <=`."""

    def applied(self, data: bytes) -> bytes:
        """The file with the new passage. Raises ValueError where the old one is not there."""
        old = self.old.encode()
        if data[self.start : self.start + len(old)] != old:
            raise ValueError(f"{self.path} has another passage at byte {self.start}")
        return data[: self.start] + self.new.encode() + data[self.start + len(old) :]


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """One small piece of work with a judge. Made of a commit of the repository."""

    id: str
    """Such as `bug-03`; of one bench alone."""
    kind: Kind
    title: str
    """One line for people: what was done to the repository."""
    commit: str
    """Whose files it begins with, but for what follows."""
    swap: Swap | None = None
    """The bug."""
    reverted: tuple[str, ...] = ()
    """Files that are as they were before the commit; one that was not there is away."""
    message: str = ""
    """Of the commit that is taken back."""
    is_told: bool = False
    """Whether what runs the tests ends with words that are known (`verdict.says_so`): then a run
    without them has not passed, whatever its code."""


class Setting(msgspec.Struct, frozen=True):
    """One way to answer: a model, a budget, sampling values."""

    name: str
    """Short, for people: `qwen3.6 · think low`."""
    flags: tuple[str, ...] = ()
    """For `qcode -p`."""
    gguf: str = ""
    """A model file that the bench serves for it; empty = a server is there."""


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Of one attempt."""

    wall_seconds: float = 900.0
    tool_calls: int = 100
    test_seconds: float = 300.0
    """For one run of the tests."""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What a bench consists of; the file `bench.json` of its folder. Fields are only added."""

    format: Literal["qcode-bench-tasks-1"] = "qcode-bench-tasks-1"
    qcode: str
    date: str
    repository: str
    """Its folder."""
    commit: str
    """HEAD when it was made."""
    command: str
    """The test command, which judges."""
    prepare: str = ""
    """Runs in each fresh copy, before all else."""
    fence: Literal["held", "off"] = "held"
    """Whether agents and tests ran inside the fence."""
    tasks: tuple[Task, ...]
    settings: tuple[Setting, ...]
    repeat: int = 1
    limits: Limits = Limits()
    flags: tuple[str, ...] = ()
    """For `qcode -p`, the same in each setting: the server's address."""


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """One task tried with one setting; a line of `attempts.jsonl`."""

    task: str
    setting: str
    number: int
    """From 1 to `Plan.repeat`."""
    solved: bool
    code: int
    """How qcode ended: see `qcode help exit-codes`."""
    reason: str = ""
    """In qcode's words, where it did not end well."""
    model: str = ""
    """Who answered."""
    seconds: float = 0.0
    """Wall clock of the agent, without the judge."""
    read_tokens: int = 0
    """Of prompts, those that the server had not read before, as far as it told."""
    cached_tokens: int = 0
    reread_tokens: int = 0
    """Of `read_tokens`, those that it had read once and forgotten."""
    generated_tokens: int = 0
    steps: int = 0
    tool_calls: int = 0
    changed: tuple[str, ...] = ()
    """Files that the agent left otherwise and that were judged."""
    restored: tuple[str, ...] = ()
    """Tests, or what configures them, that it changed: these were put back before the judging."""
    judged_seconds: float = 0.0
    tail: str = ""
    """The end of what the tests printed, where they failed."""
