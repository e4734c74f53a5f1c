"""What came of a call, in a few words: the right end of its card."""

import re
from collections.abc import Sequence

from qcode.protocol.display import (
    Block,
    DiffBlock,
    FileBlock,
    MatchesBlock,
    OutputBlock,
    TextBlock,
    TodoBlock,
)
from qcode.tui.blocks import CallBlock
from qcode.tui.drawing.words import count, seconds
from qcode.tui.lines import Span

_NUMBERED = re.compile(r"\d+[:-]")
_WORDS = {"error": "failed", "denied": "denied", "cancelled": "stopped"}
_LONG_SECONDS = 1.0
"""A call that took less says nothing of it."""


def outcome(block: CallBlock, now: float) -> list[Span]:
    """Spans for the right end; empty where there is nothing to say."""
    match block.state:
        case "writing":
            return []
        case "queued":
            return [Span("next", "dim")]
        case "running":
            return [Span(seconds(max(now - block.began, 0.0)), "dim")]
        case "waiting":
            return [*changes(block.blocks), Span("waits for you", "warning")]
        case "ok":
            return _done(block)
        case "error" | "denied" | "cancelled" as state:
            ran = [
                span for one in block.blocks if isinstance(one, OutputBlock) for span in _ran(one)
            ]
            style = {"error": "error", "denied": "warning"}.get(state, "dim")
            return ran if ran and state == "error" else [Span(_WORDS[state], style)]


def changes(blocks: Sequence[Block]) -> list[Span]:
    """`+3 −1  ` of all diffs together."""
    diffs = [block for block in blocks if isinstance(block, DiffBlock)]
    if not diffs:
        return []
    files = [Span(f"{count(len(diffs), 'file')}  ", "dim")] if len(diffs) > 1 else []
    added, removed = sum(one.added for one in diffs), sum(one.removed for one in diffs)
    return [
        *files,
        Span(f"+{added:,}", "add"),
        Span(" "),
        Span(f"−{removed:,}", "remove"),
        Span("  "),
    ]


def ended(block: OutputBlock) -> list[Span]:
    """`2.1 s  exit 0  ✓`."""
    took = Span(f"{seconds(block.seconds)}  ", "dim")
    if block.exit_code is None:
        return [took, Span("no exit code", "warning")]
    if block.exit_code == 0:
        return [took, Span("exit 0  ", "dim"), Span("✓", "ok")]
    return [took, Span(f"exit {block.exit_code}  ✗", "error")]


def _ran(block: OutputBlock) -> list[Span]:
    """A command of the model's: where no fence stood around it though there is one, it shows."""
    beyond = [Span("outside the sandbox  ", "warning")] if block.where == "outside" else []
    return [*beyond, *ended(block)]


def _done(block: CallBlock) -> list[Span]:
    if found := changes(block.blocks):
        return [*found, Span("applied", "dim")]
    for one in block.blocks:
        match one:
            case OutputBlock():
                return _ran(one)
            case MatchesBlock():
                return [Span(_matches(one), "dim")]
            case FileBlock(first_line=first, last_line=last, total_lines=total):
                return [Span(f"{first}–{last}{f' of {total:,}' if total else ''}", "dim")]
            case TodoBlock(items=items):
                done = f"{sum(item.state == 'done' for item in items)} of {len(items)} done"
                return [Span(done, "dim")] if block.summary != done else []
            case DiffBlock() | TextBlock():
                pass
    return [Span(seconds(block.seconds), "dim")] if block.seconds >= _LONG_SECONDS else []


def _matches(block: MatchesBlock) -> str:
    """Rows are paths, and below a path maybe its lines."""
    paths = sum(not _NUMBERED.match(row) and row != "--" for row in block.rows)
    if not block.total:
        return "nothing found"
    if paths == len(block.rows):
        return count(block.total, "file")
    return f"{count(block.total, 'match')} in {count(paths, 'file')}"
