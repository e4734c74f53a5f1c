"""Which hunks of a change edits of the session made, as far as its log tells. Pure.

Commands may have made the others: what they changed is in no log.
"""

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from qcode.protocol.display import DiffBlock
from qcode.protocol.events import AnyEvent, ToolCallFinished
from qcode.protocol.text import well_formed
from qcode.tui.review.state import Item, ReviewState
from qcode.workspace.review import Hunk

NOT_MINE, IN_PART = "by no edit of this session", "in part by an edit of this session"


class Whose(msgspec.Struct, frozen=True):
    """Of a review of all that a session changed."""

    others: dict[int, str] = msgspec.field(default_factory=dict)
    """By number of an item that edits did not make alone: what is told of it."""
    untold: frozenset[str] = frozenset()
    """Paths that calls changed without telling how."""


NOBODY = Whose()


def whose(events: Iterable[AnyEvent], state: ReviewState) -> Whose:
    """By the lines that calls are known to have written and taken away."""
    lines: dict[str, set[str]] = {}
    untold: set[str] = set()
    for event in events:
        if isinstance(event, ToolCallFinished):
            shown = [block for block in event.blocks if isinstance(block, DiffBlock)]
            untold |= {*event.edited} - {block.path for block in shown}
            for block in shown:
                lines.setdefault(block.path, set()).update(_changed(_patch(block.patch)))
    told = ((item, state.files[item.file].path) for item in state.items)
    others = {
        item.number: words
        for item, path in told
        if path not in untold and (words := _said(item, lines.get(path, set())))
    }
    return Whose(others, frozenset(untold))


def _said(item: Item, lines: set[str]) -> str:
    """Empty = edits made it, or there is nothing to go by."""
    wanted = {*_changed(_rows(item.hunk))} if item.hunk else set()
    if wanted <= lines:
        return ""
    return IN_PART if wanted & lines else NOT_MINE


def _patch(patch: str) -> list[str]:
    """Without the names of the file."""
    rows = patch.split("\n")
    return rows[next((at for at, row in enumerate(rows) if row.startswith("@@ ")), 0) :]


def _rows(hunk: Hunk) -> list[str]:
    return [f"{mark}{text}" for mark, text in hunk.rows]


def _changed(rows: Sequence[str]) -> Iterator[str]:
    """Lines with their signs; those without a letter or a digit are everybody's."""
    for row in rows:
        if row[:1] in ("+", "-") and any(map(str.isalnum, row)):
            yield well_formed(row).rstrip()
