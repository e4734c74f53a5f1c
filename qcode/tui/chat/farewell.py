"""What stays in the normal screen when the app is left: the end of the conversation, and the way
back to it."""

from collections.abc import Sequence

from qcode.tui.blocks import Block, PromptBlock
from qcode.tui.drawing.draw import draw
from qcode.tui.drawing.view import View

MOST_LINES = 120
"""More would push away what the person had on their screen."""


def farewell(blocks: Sequence[Block], session_id: str, width: int, again: str = "") -> str:
    """Plain text with a line end; empty = nothing was said. `again`: see `Home.again`."""
    if not any(isinstance(block, PromptBlock) for block in blocks):
        return ""
    lines = _tail(blocks, View(max(width, 20)))
    resume = [f"Go on with: qcode --resume {session_id}{again}"] if session_id else []
    return "\n".join([*lines, "", *resume]) + "\n"


def _tail(blocks: Sequence[Block], view: View) -> list[str]:
    """Whole blocks from the end, as many as there is room for, and one at least."""
    lines: list[str] = []
    for at in range(len(blocks) - 1, -1, -1):
        drawn = [line.text.rstrip() for line in draw(blocks[at], view)]
        if lines and len(drawn) + len(lines) >= MOST_LINES:
            return [f"   … {at + 1} more above; the session has them", "", *lines]
        lines = [*drawn[-MOST_LINES:], "", *lines] if lines else drawn[-MOST_LINES:]
    return lines
