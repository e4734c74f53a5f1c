"""Where the fold of the transcript stands, and how two stands differ. Pure.

Blocks get their index once and keep it: only those of the answer that is being asked for (`open`)
and the words that wait at the end (`pending`) may still move. Everything before is settled; of
that, blocks that still change (a running call) are carried along in `loose`. So a state is small
however long the session is.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import msgspec

from qcode.protocol.display import TodoItem
from qcode.protocol.events import BudgetReached
from qcode.tui.blocks import Block, CallBlock, NoteBlock, PromptBlock, ShellBlock


class Put(msgspec.Struct, frozen=True):
    """The block at `index` is this from now on; `index` is at most the count of blocks."""

    index: int
    block: Block


class Cut(msgspec.Struct, frozen=True):
    """Only the first `count` blocks stay."""

    count: int


Change = Put | Cut


class Loose(msgspec.Struct, frozen=True):
    """A settled block that still changes."""

    index: int
    block: CallBlock | ShellBlock | NoteBlock


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Mark:
    """Where a turn begins. A chain, so that a new one costs the same in every session."""

    turn: int
    index: int
    plan: tuple[TodoItem, ...]
    """As it stood before."""
    before: "Mark | None"


class Asked(msgspec.Struct, frozen=True):
    """What is known of the answer that is being asked for."""

    fixed: int = 0
    """So many of the open blocks keep their place: what they tell came before its last request."""
    reached: BudgetReached | None = None
    generated: int | None = None
    """Tokens of the answer; None = not told yet, or never."""
    repairs: tuple[tuple[str, str], ...] = ()
    """Id of a call that is not there yet, and what was mended of it."""


class State(NamedTuple):
    """Where the fold stands. A tuple, because it is copied for every event."""

    settled: int = 0
    """Count of the blocks whose place is fixed."""
    loose: tuple[Loose, ...] = ()
    open: tuple[Block, ...] = ()
    """Blocks behind the settled ones, while an answer is asked for."""
    asked: Asked | None = None
    """None = no answer is being asked for."""
    pending: tuple[PromptBlock, ...] = ()
    """Words that the engine has not taken up yet: always the last blocks."""
    marks: Mark | None = None
    turn: int = 0
    """Of the turn that runs; 0 = none does."""
    began: float = 0.0
    """When it began; the next two are of it as well."""
    steps: int = 0
    generated: int = 0
    waits_since: float | None = None
    """When the person was first asked something that is still open; None = nothing is."""
    waited: float = 0.0
    """For the person, in this turn; seconds."""
    budget: int = 0
    """Thinking tokens that an answer may take; 0 = none or not told."""
    plan: tuple[TodoItem, ...] = ()
    """The todo list as it stands."""
    waiting: tuple[tuple[str, str], ...] = ()
    """Approvals that are open: request and call."""
    repaired: str = ""
    """What was mended last; a retry for it need not be told in the same words."""

    @property
    def length(self) -> int:
        """Of all blocks."""
        return self.settled + len(self.open) + len(self.pending)


def add(state: State, *blocks: Block) -> State:
    """These blocks behind all but the pending ones."""
    return state._replace(open=(*state.open, *blocks))


def changes(before: State, after: State) -> tuple[Change, ...]:
    """What leads from one to the other. Both have the same count of settled blocks."""
    return (*_loose(before, after), *_rows(before, after))


def _loose(before: State, after: State) -> Iterator[Change]:
    if before.loose is not after.loose:
        known = {one.index: one.block for one in before.loose}
        for one in after.loose:
            if known.get(one.index) is not one.block:
                yield Put(one.index, one.block)


def _rows(before: State, after: State) -> Iterator[Change]:
    old, new = (*before.open, *before.pending), (*after.open, *after.pending)
    for at, block in enumerate(new):
        if at >= len(old) or old[at] is not block:
            yield Put(after.settled + at, block)
    if len(new) < len(old):
        yield Cut(after.length)


def settled(state: State) -> State:
    """The same screen; what need not be carried on is left behind."""
    blocks = state.open if state.asked is None else ()
    end = state.settled + len(blocks)
    new = [
        Loose(state.settled + at, block)
        for at, block in enumerate(blocks)
        if isinstance(block, CallBlock | ShellBlock | NoteBlock)
    ]
    last = end - 1 if state.asked is None else -1
    loose = tuple(one for one in (*state.loose, *new) if _changes_still(one, last))
    if not blocks and len(loose) == len(state.loose):
        return state
    return state._replace(settled=end, open=state.open[len(blocks) :], loose=loose)


def _changes_still(one: Loose, last: int) -> bool:
    if isinstance(one.block, NoteBlock):
        return is_mode(one.block) and one.index == last
    return one.block.state in ("writing", "queued", "waiting", "running")


def is_mode(note: NoteBlock) -> bool:
    """Whether it tells of another mode; the next one takes its place while it is the last block."""
    return note.kind == "mode"


def call(state: State, call_id: str) -> CallBlock | None:
    """The card of a call, if it can still change."""
    found = _find(state, call_id)
    return found if isinstance(found, CallBlock) else None


def shell(state: State, shell_id: str) -> ShellBlock | None:
    """The block of a person's command, if it still runs."""
    found = _find(state, shell_id)
    return found if isinstance(found, ShellBlock) else None


def swap(state: State, old: Block, new: Block) -> State:
    """`new` in the place of `old`, which is one of the open or loose blocks."""
    blocks = tuple(new if block is old else block for block in state.open)
    if not isinstance(new, CallBlock | ShellBlock | NoteBlock):
        return state._replace(open=blocks)
    loose = tuple(Loose(one.index, new) if one.block is old else one for one in state.loose)
    return state._replace(open=blocks, loose=loose)


def _find(state: State, id_: str) -> Block | None:
    blocks = (*(one.block for one in state.loose), *state.open)
    return next((block for block in reversed(blocks) if _id(block) == id_), None)


def _id(block: Block) -> str:
    match block:
        case CallBlock():
            return block.call_id
        case ShellBlock():
            return block.shell_id
    return ""
