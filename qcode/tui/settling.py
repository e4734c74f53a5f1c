"""The answer that is being asked for: its deltas as blocks, and what stays of them. Pure.

A log has no deltas, and its screen must be the same. So once the answer is whole, its blocks are
put in one order, whatever came between them while it streamed: reasoning, what ended it, words,
calls, then what was mended and noted.
"""

import msgspec
from msgspec.structs import replace

from qcode.engine import telling
from qcode.protocol.events import (
    BudgetReached,
    MessageCompleted,
    ReasoningDelta,
    TextDelta,
    ToolCallDelta,
)
from qcode.protocol.messages import UNSAID, AssistantMessage, ToolCall
from qcode.protocol.text import one_line
from qcode.server.tokens import about
from qcode.tui.blocks import AnswerBlock, Block, CallBlock, NoteBlock, ReasoningBlock
from qcode.tui.folding import Asked, State, add, call, swap


def ask(state: State) -> State:
    """A request goes out. What came of one that was never answered is void."""
    if state.asked is None:
        return state._replace(asked=Asked())
    return void(state)


def think(state: State, event: ReasoningDelta, now: float) -> State:
    """More reasoning."""
    state = state if state.asked else ask(state)
    block = _reasoning(state)
    if block is None:
        block = ReasoningBlock("", began=now, budget=state.budget)
        state = add(state, block)
    told = event.tokens_so_far
    new = replace(
        block,
        text=block.text + event.text,
        tokens=block.tokens + event.pieces if told is None else told,
        state="open",
    )
    return swap(state, block, new)


def write(state: State, event: TextDelta, now: float) -> State:
    """More words. Blanks ahead of the first are nothing to show."""
    state = _thought(state, now)
    block = _answer(state)
    if block is not None:
        return swap(state, block, AnswerBlock(block.text + event.text))
    text = event.text.lstrip()
    return add(state if state.asked else ask(state), AnswerBlock(text)) if text else state


def write_call(state: State, event: ToolCallDelta, now: float) -> State:
    """More of a call; its id is not known yet."""
    state = _thought(state, now)
    id_ = f"#{event.index}"
    block = call(state, id_)
    if block is None:
        block = CallBlock(id_, event.name, began=now)
        state = add(state if state.asked else ask(state), block)
    name = event.name or block.name
    return swap(state, block, replace(block, name=name, written=event.characters))


def reach(state: State, event: BudgetReached) -> State:
    """The reasoning is closed."""
    if state.asked is None:
        return state
    state = state._replace(asked=replace(state.asked, reached=event))
    block = _reasoning(state)
    return swap(state, block, replace(block, why=event.why)) if block else state


def void(state: State, *notes: NoteBlock) -> State:
    """What came does not count; the notes say why. Words stay until others take their place."""
    if state.asked is None:
        return add(state, *notes)
    kept = tuple(_voided(block) for block in state.open if not _is_unfinished(block))
    return state._replace(open=(*kept, *notes), asked=Asked(fixed=len(kept) + len(notes)))


def give_up(state: State) -> State:
    """No answer will come any more."""
    if state.asked is None:
        return state
    reached = state.asked.reached
    notes = (NoteBlock(telling.budget(reached), kind="budget"),) if reached else ()
    return void(state, *notes)._replace(asked=None)


def complete(state: State, event: MessageCompleted, now: float) -> State:
    """The answer is whole: its blocks are as the message has them."""
    asked = state.asked or Asked()
    ahead = [block for block in state.open[: asked.fixed] if not _is_void(block)]
    told = [block for block in state.open[asked.fixed :] if not _is_content(block)]
    middle = [block for block in told if _is_loop(block)]
    behind = [block for block in told if not _is_loop(block)]
    message = event.message
    words = [AnswerBlock(message.text, "done")] if _has_words(message) else []
    calls = [_card(state, asked, at, one) for at, one in enumerate(message.calls)]
    thought = _done(state, asked, message, now)
    blocks = (*ahead, *thought, *middle, *words, *calls, *behind)
    return state._replace(open=_same(state.open, blocks), asked=None)


def _has_words(message: AssistantMessage) -> bool:
    return bool(message.text.strip()) and message.text != UNSAID


def _done(state: State, asked: Asked, message: AssistantMessage, now: float) -> list[Block]:
    if not message.reasoning.strip():
        return []
    live, reached = _reasoning(state), asked.reached
    block = live or ReasoningBlock("", began=now)
    seconds = block.seconds or (now - block.began)
    return [
        ReasoningBlock(
            message.reasoning,
            began=block.began,
            seconds=seconds,
            tokens=_tokens(asked, message),
            budget=reached.budget if reached else 0,
            state="done",
            why=reached.why if reached else "",
        )
    ]


def _tokens(asked: Asked, message: AssistantMessage) -> int:
    """Of the reasoning: its share of what the server counted, else as good as can be told."""
    if asked.generated:
        calls = sum(len(one.name) + len(one.arguments) for one in message.calls)
        whole = len(message.reasoning) + len(message.text) + calls
        return round(asked.generated * len(message.reasoning) / whole)
    if asked.reached:
        return asked.reached.used
    return round(about(message.reasoning))


def _card(state: State, asked: Asked, at: int, one: ToolCall) -> CallBlock:
    live = call(state, f"#{at}")
    notes = tuple(what for id_, what in asked.repairs if id_ == one.id)
    began = live.began if live else 0.0
    written = len(one.arguments)
    return CallBlock(one.id, one.name, _about(one), "queued", began, notes=notes, written=written)


def _about(one: ToolCall) -> str:
    """What it is for, until the engine says it: the first words among its arguments."""
    try:
        given = msgspec.json.decode(one.arguments, type=dict[str, object])
    except msgspec.DecodeError:
        return ""
    return next((one_line(value) for value in given.values() if isinstance(value, str)), "")


def _same(old: tuple[Block, ...], new: tuple[Block, ...]) -> tuple[Block, ...]:
    """`new`, with the very blocks of `old` where nothing is different: they are not drawn again."""
    pairs = zip(old, new, strict=False)
    same = tuple(was if was == now else now for was, now in pairs)
    return (*same, *new[len(same) :])


def _thought(state: State, now: float) -> State:
    """The reasoning is over, if any was open."""
    block = _reasoning(state)
    if block is None or block.state == "done":
        return state
    return swap(state, block, replace(block, state="done", seconds=now - block.began))


def _reasoning(state: State) -> ReasoningBlock | None:
    return next((block for block in state.open if isinstance(block, ReasoningBlock)), None)


def _answer(state: State) -> AnswerBlock | None:
    blocks = (block for block in state.open if isinstance(block, AnswerBlock))
    return next((block for block in blocks if block.state == "open"), None)


def _is_content(block: Block) -> bool:
    """Whether the message says it too."""
    written = isinstance(block, CallBlock) and block.state == "writing"
    return written or isinstance(block, ReasoningBlock | AnswerBlock)


def _is_loop(block: Block) -> bool:
    return isinstance(block, NoteBlock) and block.kind == "loop"


def _is_unfinished(block: Block) -> bool:
    return _is_content(block) and not isinstance(block, AnswerBlock)


def _is_void(block: Block) -> bool:
    return isinstance(block, AnswerBlock)


def _voided(block: Block) -> Block:
    return replace(block, state="void") if isinstance(block, AnswerBlock) else block
