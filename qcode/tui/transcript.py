"""What the screen shows, as data: the one `match` over events. Pure, no Textual.

A log replays to the same blocks that its session showed live, but for what only deltas know: the
time that thinking took, the output of a call that was cancelled, words that were never completed.
"""

from collections.abc import Iterable, Sequence
from typing import assert_never

from qcode.engine import telling
from qcode.protocol.events import (
    AnyEvent,
    ApprovalRequested,
    ApprovalSettled,
    BudgetReached,
    CheckpointTaken,
    Compacted,
    Connected,
    ContextChanged,
    Elided,
    LoopSeen,
    MessageCompleted,
    ModeChanged,
    ModelChanged,
    NotBegun,
    Notice,
    PromptProgress,
    QuestionAsked,
    ReasoningDelta,
    Renamed,
    Repaired,
    Retried,
    Returned,
    Rewound,
    ServerState,
    SessionStarted,
    SettingsChanged,
    ShellFinished,
    ShellStarted,
    Steered,
    StepStarted,
    TextDelta,
    ToolCallDelta,
    ToolCallFinished,
    ToolCallProgress,
    ToolCallStarted,
    TurnFinished,
    TurnStarted,
    Usage,
    Verified,
)
from qcode.protocol.inputs import Input, Prompt, Queue, Steer
from qcode.tui import calling, noting, settling, speaking
from qcode.tui.blocks import Block, NoteBlock
from qcode.tui.coalescing import coalesce
from qcode.tui.folding import Change, Cut, Put, State, add, changes, settled

__all__ = ["Change", "Cut", "Put", "State", "apply", "coalesce", "fold", "hear", "replay"]


def fold(state: State, event: AnyEvent, now: float) -> tuple[State, tuple[Change, ...]]:
    """The state after `event`, and what changes on the screen. Costs the same in long sessions.

    `now`: seconds by any clock that only goes forward, the same for all calls.
    """
    if isinstance(event, Rewound):
        return _rewind(state, event)
    after = speaking.wait_for_person(_next(state, event, now), event, now)
    return settled(after), changes(state, after)


def hear(state: State, given: Input) -> tuple[State, tuple[Change, ...]]:
    """What the person said, shown at once: the engine takes it up later."""
    match given:
        case Prompt(text, images):
            after = speaking.wait(state, text, "queued", len(images))
        case Queue(text):
            after = speaking.wait(state, text, "queued")
        case Steer(text):
            after = speaking.wait(state, text, "steer")
        case _:
            return state, ()
    return after, changes(state, after)


def replay(events: Iterable[AnyEvent], state: State | None = None) -> tuple[State, list[Block]]:
    """The state and the blocks of a log."""
    state, blocks = state or State(), list[Block]()
    for event in events:
        state, changed = fold(state, event, 0.0)
        apply(blocks, changed)
    return state, blocks


def apply(blocks: list[Block], changed: Sequence[Change]) -> None:
    """Carry the changes out."""
    for change in changed:
        match change:
            case Cut(count):
                del blocks[count:]
            case Put(index, block):
                blocks[index : index + 1] = [block]


def _next(state: State, event: AnyEvent, now: float) -> State:
    match event:
        case TextDelta():
            return settling.write(state, event, now)
        case ReasoningDelta():
            return settling.think(state, event, now)
        case ToolCallDelta():
            return settling.write_call(state, event, now)
        case ToolCallProgress():
            return calling.progress(state, event)
        case StepStarted(step=step):
            return settling.ask(state)._replace(steps=step)
        case Usage():
            return noting.use(state, event)
        case MessageCompleted():
            return settling.complete(state, event, now)
        case ToolCallStarted():
            return calling.start(state, event, now)
        case ApprovalRequested():
            return calling.ask(state, event)
        case ApprovalSettled():
            return calling.settle(state, event, now)
        case ToolCallFinished():
            return calling.finish(state, event)
        case TurnStarted():
            return speaking.begin(state, event, now)
        case Steered():
            return speaking.steer(settling.give_up(state), event)
        case Returned(messages):
            return speaking.take_back(state, messages)
        case TurnFinished():
            return speaking.end(settling.give_up(calling.close(state)), event, now)
        case BudgetReached():
            return settling.reach(state, event)
        case Repaired():
            return noting.repair(state, event)
        case Retried():
            return noting.retry(state, event)
        case LoopSeen():
            return noting.loop(state, event)
        case Compacted() | Elided():
            return settling.void(state, NoteBlock(telling.room(event), kind="room"))
        case ModelChanged(model):
            words = f"{telling.model(model)} answers from here on"
            return settling.void(state, NoteBlock(words, "info", "model"))
        case ModeChanged(mode):
            return noting.mode(state, mode)
        case Verified():
            return noting.verify(state, event)
        case QuestionAsked(question=question):
            return calling.inquire(state, question)
        case Connected(by="endpoint" | "user") | Connected(answer="allow"):
            return state  # `qcode audit` tells of these
        case Connected(host, port, _, _, because):
            return add(state, NoteBlock(f"no way to {host}:{port} ({because})", "warning"))
        case Notice(level, text):
            return add(state, NoteBlock(text, level))
        case NotBegun(text):
            return add(state, NoteBlock(text, "error", "state"))
        case ShellStarted():
            return calling.shell_start(state, event)
        case ShellFinished():
            return calling.shell_finish(state, event)
        case SettingsChanged(budget):
            return state._replace(budget=budget)
        case Renamed(name):
            return add(state, NoteBlock(f"the session is called {name}", kind="name"))
        case SessionStarted() | CheckpointTaken() | Rewound():
            return state
        case PromptProgress() | ServerState() | ContextChanged():
            return state  # the footer tells of these
        case _:
            assert_never(event)


def _rewind(state: State, event: Rewound) -> tuple[State, tuple[Change, ...]]:
    """Blocks from that turn on go; a note stays in their place."""
    state = settled(settling.give_up(state))
    cut, plan, mark = state.settled, state.plan, state.marks
    while mark is not None and mark.turn >= event.turn:
        cut, plan, mark = mark.index, mark.plan, mark.before
    loose = tuple(one for one in state.loose if one.index < cut)
    bare = state._replace(settled=cut, loose=loose, plan=plan, marks=mark, pending=())
    note = NoteBlock(telling.rewound(event), "info", "rewound")
    after = add(bare, note)._replace(pending=state.pending)
    return settled(after), (Cut(cut), *changes(bare, after))
