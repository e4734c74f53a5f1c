"""Words of the person in the transcript: waiting, taken up, and the turns they begin. Pure."""

from collections.abc import Iterable
from typing import Literal

from msgspec.structs import replace

from qcode.protocol.events import (
    AnyEvent,
    ApprovalRequested,
    ApprovalSettled,
    QuestionAsked,
    Steered,
    ToolCallFinished,
    TurnFinished,
    TurnStarted,
)
from qcode.protocol.messages import Image, UserMessage
from qcode.protocol.text import well_formed
from qcode.session.prompts import spoken
from qcode.tui.blocks import PromptBlock, TurnBlock
from qcode.tui.folding import Mark, State, add
from qcode.tui.settling import give_up


def wait(state: State, text: str, kind: Literal["queued", "steer"], images: int = 0) -> State:
    """Words that the engine has not taken up yet. When nothing runs they are simply a prompt."""
    idle = not state.turn and not state.pending
    block = PromptBlock(well_formed(text), images=images, kind="prompt" if idle else kind)
    return state._replace(pending=(*state.pending, block))


def begin(state: State, event: TurnStarted, now: float) -> State:
    """A prompt was taken up."""
    state = give_up(state)
    message = event.message
    own = message.origin in ("prompt", "steer")
    block = PromptBlock(_words(message), event.turn, _images(message), "prompt" if own else "qcode")
    mark = Mark(event.turn, state.settled + len(state.open), state.plan, state.marks)
    state = _taken_up(state, block.text)._replace(marks=mark, turn=event.turn)
    fresh = state._replace(began=now, steps=0, generated=0, waits_since=None, waited=0.0)
    return add(fresh, block)


def steer(state: State, event: Steered) -> State:
    """Words were said into the turn, by the person or on their behalf."""
    text = _words(event.message)
    kind: Literal["steer", "qcode"] = "steer" if event.message.origin == "steer" else "qcode"
    return add(_taken_up(state, text), PromptBlock(text, 0, _images(event.message), kind))


def take_back(state: State, messages: Iterable[UserMessage]) -> State:
    """Words that waited are the person's again: they stand in the prompt."""
    for message in messages:
        state = _taken_up(state, _words(message))
    return state


def wait_for_person(state: State, event: AnyEvent, now: float) -> State:
    """How long the person is waited for is no work of the machine's."""
    asks = isinstance(event, ApprovalRequested | QuestionAsked)
    if asks and state.waits_since is None:
        return state._replace(waits_since=now)
    answered = isinstance(event, ApprovalSettled) or (
        isinstance(event, ToolCallFinished) and event.message.name == "ask"
    )
    if not answered or state.waiting or state.waits_since is None:
        return state
    waited = state.waited + now - state.waits_since
    return state._replace(waits_since=None, waited=waited)


def end(state: State, event: TurnFinished, now: float) -> State:
    """The turn rests. A prompt whose turn never began keeps its place ahead of the reason."""
    if not state.turn and state.pending:
        lost, *others = state.pending
        state = add(state._replace(pending=tuple(others)), replace(lost, kind="prompt"))
    seconds = now - state.began if state.turn else 0.0
    open_since = now if state.waits_since is None else state.waits_since
    waited = state.waited + now - open_since if state.turn else 0.0
    block = TurnBlock(
        *(event.reason, event.detail, seconds - waited, state.steps, state.generated), waited
    )
    rested = state._replace(turn=0, steps=0, generated=0, waiting=())
    return add(rested._replace(waits_since=None, waited=0.0), block)


def _taken_up(state: State, text: str) -> State:
    """Without the first pending words that are these."""
    for at, block in enumerate(state.pending):
        if block.text.strip() == text:
            return state._replace(pending=(*state.pending[:at], *state.pending[at + 1 :]))
    return state


def _words(message: UserMessage) -> str:
    text = spoken(message)
    if message.origin == "nudge":  # in the form of a tool's result, see `engine.nudges`
        text = text.removeprefix("<tool_response>").removesuffix("</tool_response>").strip()
    return text


def _images(message: UserMessage) -> int:
    return sum(isinstance(part, Image) for part in message.parts)
