"""The review of what a call proposes, before it is applied."""

import asyncio
from pathlib import Path

from qcode.protocol.events import ApprovalRequested
from qcode.tui.chat.matter import diffs
from qcode.tui.paint import Paint
from qcode.tui.review.deeds import of_proposal
from qcode.tui.review.pane import Interrupt
from qcode.tui.review.state import ReviewState
from qcode.tui.review.syntax import ready
from qcode.tui.screens.review import ReviewScreen
from qcode.workspace.patches import FileChange, proposed


async def begun(asked: ApprovalRequested) -> ReviewState:
    """Its hunks, counted through all files, as the replies are."""
    return ReviewState(await asyncio.to_thread(_files, asked))


def _files(asked: ApprovalRequested) -> tuple[FileChange, ...]:
    ready(block.path for block in diffs(asked))
    return tuple(proposed(block.path, block.patch) for block in diffs(asked))


def review(state: ReviewState, paint: Paint, folder: str, interrupt: Interrupt) -> ReviewScreen:
    """It begins, or goes on where it was left; what does not apply by now is looked for anew."""
    state.conflicts.clear()
    return ReviewScreen(state, paint, of_proposal(Path(folder)), interrupt)
