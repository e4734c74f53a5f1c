"""Lines of the machine in the transcript: repairs, retries, loops, what was read again. Pure."""

from typing import Literal

from msgspec.structs import replace

from qcode.engine import telling
from qcode.protocol.events import LoopSeen, Repaired, Retried, Usage, Verified
from qcode.tui.blocks import NoteBlock
from qcode.tui.folding import State, add, call, is_mode, swap
from qcode.tui.settling import void


def use(state: State, event: Usage) -> State:
    """The cost of an answer; told is only what was read twice."""
    generated = event.generated_tokens
    state = state._replace(generated=state.generated + (generated or 0))
    if state.asked is not None:
        state = state._replace(asked=replace(state.asked, generated=generated))
    if not event.reread_tokens:
        return state
    return add(
        state, NoteBlock(telling.reread(event.reread_tokens, event.reread_why), kind="reread")
    )


def repair(state: State, event: Repaired) -> State:
    """Of a call it is told on its card, of anything else on a line of its own."""
    state = state._replace(repaired=event.what)
    words = telling.repaired(event)
    block = call(state, event.call_id) if event.call_id else None
    if block is not None:
        return swap(state, block, replace(block, notes=(*block.notes, words)))
    if event.call_id and state.asked is not None:
        repairs = (*state.asked.repairs, (event.call_id, words))
        return state._replace(asked=replace(state.asked, repairs=repairs))
    return add(state, NoteBlock(words, kind="repair"))


def retry(state: State, event: Retried) -> State:
    """Asked again; why need not be said when the repair before has said it."""
    if event.because in state.repaired:
        return void(state)
    return void(state, NoteBlock(telling.retried(event), kind="retry"))


def loop(state: State, event: LoopSeen) -> State:
    """The model repeats itself; from the second rung on its answer is void."""
    repeated, done = telling.loop(event)
    note = NoteBlock(" · ".join(filter(None, (repeated, done))), "warning", "loop")
    return void(state, note) if event.rung > 1 else add(state, note)


def verify(state: State, event: Verified) -> State:
    """The check has run."""
    level: Literal["quiet", "warning"] = "quiet" if event.exit_code == 0 else "warning"
    return add(state, NoteBlock(telling.verified(event), level, "verified"))


def mode(state: State, name: str) -> State:
    """Another mode holds. Of several changes in a row the last one is told."""
    note = NoteBlock(f"{name} mode from here on", kind="mode")
    blocks = (*(one.block for one in state.loose), *state.open)
    old = next((block for block in blocks if isinstance(block, NoteBlock) and is_mode(block)), None)
    return add(state, note) if old is None else swap(state, old, note)
