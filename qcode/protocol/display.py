"""Blocks for people: what a front end draws for a tool call. The model never sees these."""

from typing import Literal

import msgspec


class TextBlock(msgspec.Struct, frozen=True, tag="text"):
    """Plain words."""

    text: str


class FileBlock(msgspec.Struct, frozen=True, tag="file"):
    """A part of a file that was read."""

    path: str
    first_line: int
    last_line: int
    total_lines: int
    """0 = not counted (the file is too large to be read whole)."""


class DiffBlock(msgspec.Struct, frozen=True, tag="diff"):
    """A change to one file."""

    path: str
    patch: str
    """Unified diff with three lines of context, `\\n` line ends."""
    added: int
    removed: int


class OutputBlock(msgspec.Struct, frozen=True, tag="output"):
    """A command that was run."""

    command: str
    tail: str
    exit_code: int | None
    """None = it still runs, or was ended by a signal or the time limit."""
    seconds: float
    spill: str = ""
    """Path of the file that holds the whole output; empty = all of it is in the result."""
    notes: tuple[str, ...] = ()
    """What the fence did about it, a sentence each."""
    where: Literal["", "inside", "outside"] = ""
    """Where it ran; empty = there was no fence, or it is not told."""


class MatchesBlock(msgspec.Struct, frozen=True, tag="matches"):
    """Files or lines that were found."""

    pattern: str
    rows: tuple[str, ...]
    total: int


class TodoItem(msgspec.Struct, frozen=True):
    """One line of the plan."""

    text: str
    state: Literal["open", "doing", "done"] = "open"


class TodoBlock(msgspec.Struct, frozen=True, tag="todo"):
    """The plan as it stands."""

    items: tuple[TodoItem, ...]


Block = TextBlock | FileBlock | DiffBlock | OutputBlock | MatchesBlock | TodoBlock
