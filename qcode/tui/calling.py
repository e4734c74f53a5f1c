"""Cards of tool calls, and commands of the person's own, from start to result. Pure."""

from collections.abc import Sequence

from msgspec.structs import replace

from qcode.protocol.access import NETWORK_CALL
from qcode.protocol.display import Block, DiffBlock, TextBlock, TodoBlock
from qcode.protocol.events import (
    ApprovalRequested,
    ApprovalSettled,
    ShellFinished,
    ShellStarted,
    ToolCallFinished,
    ToolCallProgress,
    ToolCallStarted,
)
from qcode.tui.blocks import CallBlock, NoteBlock, ShellBlock
from qcode.tui.folding import State, add, call, shell, swap

MOST_OUTPUT = 8_000
"""Characters of a running command's output that are kept, its last."""


def start(state: State, event: ToolCallStarted, now: float) -> State:
    """A call is taken up."""
    state, block = _card(state, event.call.id, event.call.name)
    summary = event.summary.removeprefix(event.call.name).lstrip()
    return swap(state, block, replace(block, summary=summary, state="running", began=now))


def ask(state: State, event: ApprovalRequested) -> State:
    """A call waits for a person. One that no model made has no card: its command has one."""
    state = state._replace(waiting=(*state.waiting, (event.request_id, event.call.id)))
    if event.call.name == NETWORK_CALL:
        return state
    state, block = _card(state, event.call.id, event.call.name)
    return swap(state, block, replace(block, state="waiting", blocks=event.blocks))


def settle(state: State, event: ApprovalSettled, now: float) -> State:
    """The reply is in. What became of the call its result tells."""
    call_id = dict(state.waiting).get(event.request_id, "")
    waiting = tuple(pair for pair in state.waiting if pair[0] != event.request_id)
    state = state._replace(waiting=waiting)
    block = call(state, call_id)
    return swap(state, block, replace(block, state="running", began=now)) if block else state


def progress(state: State, event: ToolCallProgress) -> State:
    """Output of a running call, or of a person's command."""
    block = call(state, event.call_id) or shell(state, event.call_id)
    if block is None:
        return state
    return swap(state, block, replace(block, output=(block.output + event.text)[-MOST_OUTPUT:]))


def finish(state: State, event: ToolCallFinished) -> State:
    """A call has its result. What a denied one would have changed stays to be seen."""
    message = event.message
    state, block = _card(state, message.call_id, message.name)
    blocks, words = _apart(event.blocks)
    done = replace(
        block,
        state=message.status,
        seconds=event.seconds,
        output=block.output if message.status == "cancelled" and not event.blocks else "",
        notes=(*block.notes, *words),
        blocks=blocks or (block.blocks if message.status == "denied" else ()),
        said="" if message.status == "ok" else message.text,
    )
    plans = [one.items for one in event.blocks if isinstance(one, TodoBlock)]
    state = state._replace(plan=plans[-1]) if plans else state
    return swap(state, block, done)


def _apart(blocks: Sequence[Block]) -> tuple[tuple[Block, ...], tuple[str, ...]]:
    """Words beside a change, which tell of the person's review, are a sub-line of its card."""
    if not any(isinstance(one, DiffBlock) for one in blocks):
        return tuple(blocks), ()
    words = tuple(one.text for one in blocks if isinstance(one, TextBlock))
    return tuple(one for one in blocks if not isinstance(one, TextBlock)), words


def inquire(state: State, question: str) -> State:
    """The model asks. A note says it where the card of the call does not."""
    cards = [*(one.block for one in state.loose), *state.open]
    said = any(
        isinstance(one, CallBlock) and (one.state, one.summary) == ("running", question)
        for one in cards
    )
    return state if said else add(state, NoteBlock(question, "info", "question"))


def close(state: State) -> State:
    """The turn is over: no call runs any more."""
    for block in [*(one.block for one in state.loose), *state.open]:
        if isinstance(block, CallBlock) and block.state in ("queued", "waiting", "running"):
            state = swap(state, block, replace(block, state="cancelled"))
    return state


def shell_start(state: State, event: ShellStarted) -> State:
    """A command of the person's own runs."""
    return add(state, ShellBlock(event.command, shell_id=event.shell_id))


def shell_finish(state: State, event: ShellFinished) -> State:
    """It has ended."""
    block = shell(state, event.shell_id)
    if block is None:
        block = ShellBlock(event.block.command, shell_id=event.shell_id)
        state = add(state, block)
    done = replace(
        block,
        state="done",
        output=event.block.tail,
        exit_code=event.block.exit_code,
        seconds=event.block.seconds,
        share=event.share,
    )
    return swap(state, block, done)


def _card(state: State, call_id: str, name: str) -> tuple[State, CallBlock]:
    """The card of a call, made where there is none."""
    block = call(state, call_id)
    if block is not None:
        return state, block
    block = CallBlock(call_id, name)
    return add(state, block), block
