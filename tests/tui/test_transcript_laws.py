"""What the fold promises for every session."""

from hypothesis import given
from msgspec.structs import replace

from qcode.protocol.events import FLEETING, AnyEvent
from qcode.tui.blocks import (
    AnswerBlock,
    Block,
    CallBlock,
    ReasoningBlock,
    ShellBlock,
    TurnBlock,
)
from qcode.tui.transcript import Cut, Put, State, apply, coalesce, fold, replay
from tests.tui.stories import stories


def shown(events: list[AnyEvent]) -> list[Block]:
    """The blocks after a live session, a second for each event."""
    state, blocks = State(), list[Block]()
    for at, event in enumerate(events):
        state, changed = fold(state, event, float(at))
        apply(blocks, changed)
    return blocks


def finished(blocks: list[Block]) -> list[Block]:
    """Without void words, and without what only a clock or a delta can know."""
    return [_timeless(block) for block in blocks if not _is_void(block)]


def _is_void(block: Block) -> bool:
    return isinstance(block, AnswerBlock) and block.state == "void"


def _timeless(block: Block) -> Block:
    match block:
        case ReasoningBlock():
            return replace(block, began=0.0, seconds=0.0)
        case CallBlock():
            return replace(block, began=0.0)
        case ShellBlock(state="running"):
            return replace(block, output="")
        case TurnBlock():
            return replace(block, seconds=0.0, waited=0.0)
    return block


@given(stories())
def test_a_log_replays_to_what_was_shown_live(events: list[AnyEvent]) -> None:
    logged = [event for event in events if not isinstance(event, FLEETING)]
    assert finished(shown(events)) == finished(replay(logged)[1])


@given(stories())
def test_joined_deltas_end_in_the_same_blocks(events: list[AnyEvent]) -> None:
    joined = coalesce(events)
    assert len(joined) <= len(events)
    assert [_timeless(b) for b in shown(joined)] == [_timeless(b) for b in shown(events)]


@given(stories())
def test_changes_name_only_blocks_that_are_there_or_come_next(events: list[AnyEvent]) -> None:
    state, blocks = State(), list[Block]()
    for event in events:
        state, changed = fold(state, event, 0.0)
        for change in changed:
            match change:
                case Put(index, _):
                    assert 0 <= index <= len(blocks)
                case Cut(count):
                    assert 0 <= count <= len(blocks)
            apply(blocks, (change,))
        assert state.length == len(blocks)


@given(stories())
def test_after_a_turn_nothing_is_carried_on_but_what_still_runs(events: list[AnyEvent]) -> None:
    state, blocks = replay(events)
    running = [b for b in blocks if isinstance(b, ShellBlock) and b.state == "running"]
    carried = [one.block for one in state.loose if isinstance(one.block, ShellBlock)]
    assert state.open == ()
    assert sorted(map(id, carried)) == sorted(map(id, running))
    assert not any(isinstance(b, ReasoningBlock) and b.state == "open" for b in blocks)
    assert not any(isinstance(b, AnswerBlock) and b.state == "open" for b in blocks)
