"""The review of what the calls of an answer propose, before it is applied."""

import asyncio
from pathlib import Path

from msgspec.structs import replace

from qcode.protocol.events import ApprovalRequested
from qcode.tui.paint import Paint
from qcode.tui.review.batch import shown
from qcode.tui.review.deeds import of_proposal
from qcode.tui.review.pane import Interrupt
from qcode.tui.review.state import ReviewState
from qcode.tui.review.syntax import ready
from qcode.tui.screens.review import ReviewScreen
from qcode.workspace.patches import FileChange, proposed


async def begun(asked: ApprovalRequested) -> ReviewState:
    """Its hunks and those of the calls behind it, counted through all files."""
    return ReviewState(await asyncio.to_thread(_files, asked))


def _files(asked: ApprovalRequested) -> tuple[FileChange, ...]:
    blocks = shown(asked)
    ready(block.path for block in blocks)
    return tuple(proposed(block.path, block.patch) for block in blocks)


def review(state: ReviewState, paint: Paint, folder: str, interrupt: Interrupt) -> ReviewScreen:
    """It begins, or goes on where it was left; what does not apply by now is looked for anew."""
    state.conflicts.clear()
    deeds = of_proposal(Path(folder))
    if len(state.files) > 1:
        deeds = replace(deeds, title="review before they are applied", calls=len(state.files))
    return ReviewScreen(state, paint, deeds, interrupt)
