"""One review of all changes of an answer -> what is said of each of its calls. Pure."""

from collections.abc import Iterator, Sequence
from typing import Literal

from qcode.protocol.display import Block, DiffBlock
from qcode.protocol.events import ApprovalRequested
from qcode.protocol.inputs import ApprovalReply, CallReply, HunkReply
from qcode.tui.review.state import Item, ReviewState

About = Literal["all", "decided"]
"""Which of the calls behind are answered, too: all of them, or those of which every hunk was
decided."""


def shown(asked: ApprovalRequested) -> tuple[DiffBlock, ...]:
    """What is reviewed: the changes of the call, then those of the calls behind it."""
    return tuple(block for blocks in _calls(asked) for block in diffs(blocks))


def diffs(blocks: Sequence[Block]) -> tuple[DiffBlock, ...]:
    """The changes among the blocks of a call."""
    return tuple(block for block in blocks if isinstance(block, DiffBlock))


def reply(asked: ApprovalRequested, state: ReviewState, about: About) -> ApprovalReply:
    """Leave for what was accepted in a review of `shown(asked)`."""
    own, *behind = _items(asked, state)
    pairs = zip(asked.proposed, behind, strict=True)
    also = tuple(
        CallReply(one.call_id, "allow", hunks=_replies(items, state))
        for one, items in pairs
        if about == "all" or _is_decided(items, state)
    )
    return ApprovalReply(asked.request_id, "allow", hunks=_replies(own, state), also=also)


def _calls(asked: ApprovalRequested) -> tuple[Sequence[Block], ...]:
    return (asked.blocks, *(one.blocks for one in asked.proposed))


def _items(asked: ApprovalRequested, state: ReviewState) -> Iterator[tuple[Item, ...]]:
    """By call."""
    file = 0
    for blocks in _calls(asked):
        files = range(file, file + len(diffs(blocks)))
        file = files.stop
        yield tuple(item for index in files for item in state.of_file(index))


def _replies(items: Sequence[Item], state: ReviewState) -> tuple[HunkReply, ...]:
    """Counted from the first hunk of the call."""
    made = [(place, state.choice(item.number)) for place, item in enumerate(items)]
    return tuple(HunkReply(place, one.kind, one.text, one.comment) for place, one in made)


def _is_decided(items: Sequence[Item], state: ReviewState) -> bool:
    return all(state.mark(item.number) != "left" for item in items)
