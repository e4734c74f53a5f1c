"""What comes out of a review."""

from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Literal

import msgspec

from qcode.protocol.inputs import HunkReply
from qcode.tui.review.state import Item, ReviewState
from qcode.workspace.gitactions import Done
from qcode.workspace.patches import FileChange
from qcode.workspace.review import Choice


class ReviewOutcome(msgspec.Struct, frozen=True):
    """A review that was not cancelled."""

    hunks: tuple[HunkReply, ...]
    """For `ApprovalReply.hunks`: one for each, counted through all files."""
    prompt: str = ""
    """The comments, as words for the model; empty = there are none."""
    done: tuple[str, ...] = ()
    """What was carried out, as sentences."""


class Beyond(msgspec.Struct, frozen=True):
    """The lines of a file, to show more of it around a hunk."""

    side: Literal["old", "new"]
    """Whose line numbers they have: the text before the change or after it."""
    lines: tuple[str, ...]


Rewrite = Callable[[FileChange, Mapping[int, Choice]], Awaitable[Done]]
Pick = Callable[[FileChange, Collection[int]], Awaitable[Done]]
Look = Callable[[FileChange], Awaitable[Beyond | None]]


class Deeds(msgspec.Struct, frozen=True):
    """What a review can do to the files under it. None = it cannot."""

    title: str = "review"
    calls: int = 1
    """So many calls wait for its end."""
    keeps: str = "accept"
    """The word for `a` …"""
    drops: str = "refuse"
    """… and for `r`."""
    applies: str = "apply"
    rewrite: Rewrite | None = None
    """Takes hunks back or edits them, when the review ends. None = the replies say it all."""
    edits: Literal["yes", "no"] = "yes"
    stage: Pick | None = None
    """At once."""
    unstage: Pick | None = None
    """At once."""
    look: Look | None = None
    empty: str = "There is nothing to review."
    """Shown where there are no changes; says what to do."""
    others: Mapping[int, str] = msgspec.field(default_factory=dict)
    """By number of an item: who else made it."""
    untold: Collection[str] = ()
    """Paths of which that is not known."""
    left_out: int = 0
    """New files that are not under it, because there are too many."""


def prompt_of(state: ReviewState) -> str:
    """The comments with the place that each is about."""
    said = [
        f"{place_of(state, item)}: {state.comments[item.number]}"
        for item in state.items
        if item.number in state.comments
    ]
    return "\n".join(said)


def place_of(state: ReviewState, item: Item) -> str:
    """`src/a.py lines 10-14`, without the context around."""
    path = state.files[item.file].path
    hunk = item.hunk
    if hunk is None:
        return path
    first = hunk.new_start + hunk.lead
    last = first + len(hunk.changed) - 1
    if last < first:
        return f"{path} at line {first} (lines removed)"
    return f"{path} line {first}" if last == first else f"{path} lines {first}-{last}"
