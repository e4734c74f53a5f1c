"""What a call would do, word for word: its command, its arguments or its patch, as lines. Pure."""

import json
from collections.abc import Iterator
from functools import lru_cache

from qcode.protocol.access import wanting
from qcode.protocol.display import DiffBlock
from qcode.protocol.events import ApprovalRequested
from qcode.tui.drawing.visible import visible
from qcode.tui.drawing.wrap import chop, clip
from qcode.tui.lines import Line, Span, line

INSET = Span("   ")
FIRST_CHARACTERS = 20_000
"""Of a command or a patch are looked at, until all of it is asked for: a strip shows fewer."""
NAMED = 120
"""Of a command that is named beside something else: its own card shows it."""
_MARKS = {"+": "add", "-": "remove"}


def diffs(asked: ApprovalRequested) -> tuple[DiffBlock, ...]:
    """What it would change, where that is told."""
    return tuple(block for block in asked.blocks if isinstance(block, DiffBlock))


def address(asked: ApprovalRequested) -> str:
    """Host and port of a command that wants to reach one."""
    try:
        given = json.loads(asked.call.arguments)
        return f"{given['host']}:{given['port']}"
    except (ValueError, TypeError, KeyError):
        return ", ".join(access.target for access in asked.accesses)


def wanted_by(asked: ApprovalRequested) -> tuple[str, ...]:
    """The commands that ran when a host was wanted, each in a line; one of them it was."""
    found = wanting(asked.call.name, asked.call.arguments)
    rows = (visible(one).replace("\n", " ⏎ ") for one in found)
    return tuple(one if len(one) <= NAMED else f"{one[: NAMED - 1]}…" for one in rows)


def beginning(asked: ApprovalRequested, width: int) -> tuple[tuple[Line, ...], int]:
    """Its first lines, and how many characters were not looked at."""
    texts = [block.patch for block in diffs(asked)] or [_command(asked)]
    beyond = sum(max(len(text) - FIRST_CHARACTERS, 0) for text in texts)
    return tuple(_lines(asked, width, FIRST_CHARACTERS)), beyond


@lru_cache(16)
def whole(asked: ApprovalRequested, width: int) -> tuple[Line, ...]:
    """To its end. A long one takes its time, once for each width."""
    return tuple(_lines(asked, width, None))


@lru_cache(16)
def behind(asked: ApprovalRequested, width: int) -> tuple[Line, ...]:
    """The calls that wait behind it, to their ends."""
    texts = [f"behind it: {one}" for one in asked.behind]
    return tuple(row for text in texts for row in _code(text, width))


def _lines(asked: ApprovalRequested, width: int, most: int | None) -> Iterator[Line]:
    found = diffs(asked)
    for block in found:
        if len(found) > 1:
            yield line(INSET, Span(visible(block.path), "accent"))
        yield from _diff(block.patch[:most], width)
    if found:
        return
    yield from _code(_command(asked)[:most], width)


def _code(text: str, width: int) -> Iterator[Line]:
    for row in visible(text).replace("\t", "    ").split("\n"):
        for each in chop([Span(row, "code")], width - 4):
            yield line(INSET, *each.spans)


@lru_cache(16)
def _command(asked: ApprovalRequested) -> str:
    """The command line; for other tools the arguments, one a line."""
    commands = [access.target for access in asked.accesses if access.kind == "shell"]
    if commands:
        return "\n".join(commands)
    try:
        arguments = json.loads(asked.call.arguments)
    except ValueError:
        return asked.call.arguments
    if not isinstance(arguments, dict):
        return asked.call.arguments
    return "\n".join(f"{name}: {_said(value)}" for name, value in arguments.items())


def _said(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _diff(patch: str, width: int) -> Iterator[Line]:
    for row in patch.split("\n"):
        if row.startswith(("--- ", "+++ ", "diff ", "index ", "\\")) or not row:
            continue
        style = "faint" if row.startswith("@@") else _MARKS.get(row[0], "text")
        text = visible(row).replace("\t", "    ")
        yield line(INSET, *clip([Span(text, style)], width - 4))
