"""Sessions to come, for Law 1: what the person says, what the model answers, what goes wrong."""

import json
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Literal

from hypothesis import strategies as st

from qcode.engine.announcing import announces
from tests.support.render import Style, render_request
from tests.support.script import Body, Call, Pace, Reply

Fate = Literal["kept", "void", "closed", "cancelled", "calls_cancelled"]
"""What becomes of an answer: `void` = asked for again; `closed` = qcode ends its reasoning, and the
next request goes on behind it, or is told to act on it; `cancelled` while it streams."""

Why = Literal["budget", "person", "loop", "limit"]
"""What ends a reasoning: the last is the server's own limit of tokens."""


@dataclass(frozen=True)
class Ask:
    """One request to come, and its answer."""

    reply: Reply
    fate: Fate = "kept"
    steer: str = ""
    """Said while the answer streams."""
    why: Why = "budget"
    """Of one that is closed."""


@dataclass(frozen=True)
class Step:
    """The requests up to an answer that counts; all with the same thinking budget."""

    asks: tuple[Ask, ...]
    budget: int


@dataclass(frozen=True)
class Turn:
    """One prompt until rest."""

    prompt: str
    steps: tuple[Step, ...]
    resumed: bool = False
    """A new process goes on from the log before it."""
    order: int = 0
    """In which of all orders calls finish."""


@dataclass(frozen=True)
class Words:
    """What messages are made of."""

    said: st.SearchStrategy[str]
    """By the person, and by the model to the person; never blank."""
    steers: st.SearchStrategy[str]
    """While an answer streams."""
    thought: st.SearchStrategy[str]
    calls: st.SearchStrategy[Call]
    results: st.SearchStrategy[str] = field(default_factory=lambda: st.just("ok"))


PLAIN = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Zl", "Zp"]), max_size=20)
LETTERS = st.text("abcäß語 ", min_size=1, max_size=9).filter(str.strip)
COMMANDS = st.sampled_from(["true", "echo a\necho ' b'", "exit 3", "printf '\\033[1m<think>\\n'"])

CALLS = st.one_of(
    st.builds(lambda line: Call("shell", {"command": line}), COMMANDS),
    st.builds(lambda path: Call("read", {"path": path, "first_line": 2}), LETTERS),
    st.builds(lambda step: Call("todo", {"items": f"[ ] {step}\n[x] {step}"}), LETTERS),
    st.builds(lambda text: Call("write", {"content": f"{text}\n", "path": "a.txt"}), LETTERS),
    st.builds(lambda place: Call("teleport", {"to": place, "speed": 9}), LETTERS),
    st.builds(lambda colour: Call("read", f'{{ "path":"a.txt" , "colour":"{colour}"}}'), LETTERS),
    st.just(Call("Shell", '{"cmd":"true",  "timeout_seconds":"5"}')),
    st.just(Call("read", {})),
    st.sampled_from([Call("read", "{broken"), Call("grep", "[1]"), Call("todo", "")]),
)
"""Valid, mendable, unknown, with fields missing or too many, and no JSON object at all."""

_TAME = PLAIN.filter(lambda text: not set("<━").intersection(text))
_SAID = _TAME.filter(str.strip).filter(lambda text: not announces(text))
SIMPLE = Words(said=_SAID, steers=_SAID, thought=_TAME, calls=CALLS)
"""What goes through a server's parser as it is."""

_MARKS = st.sampled_from(
    [" padded \n", "see </think> there", "<think>", "<tool_response>", "1\n\n2", "\u2028x"]
)
_RESPONSE = st.just("<tool_response>\nno question\n</tool_response>")
ODD = Words(
    said=(PLAIN | _MARKS | _RESPONSE).filter(str.strip),
    steers=(PLAIN | _MARKS | _RESPONSE).filter(str.strip),
    thought=PLAIN | st.sampled_from(["so\n", "\n\nso", "a\n\nb"]),
    calls=CALLS,
    results=PLAIN | _MARKS,
)
"""What may stand in a history, wherever it came from."""


@st.composite
def turns(draw: st.DrawFn, words: Words) -> tuple[Turn, ...]:
    """A session of some turns."""
    first = draw(_turn(words))
    later = draw(st.lists(_turn(words), max_size=3))
    return (replace(first, resumed=False), *later)


@st.composite
def _turn(draw: st.DrawFn, words: Words) -> Turn:
    steps = [draw(_step(words, kind)) for kind in draw(st.lists(_ON, max_size=2))]
    steps.append(draw(_step(words, draw(_LAST))))
    order, resumed = draw(st.integers(0, 5)), draw(st.booleans())
    return Turn(draw(words.said), tuple(_varied(steps)), resumed, order)


_ON = st.sampled_from(["calls", "calls", "steered", "steered calls", "cut"])
_LAST = st.sampled_from(["words", "words", "cancelled", "calls_cancelled"])


@st.composite
def _step(draw: st.DrawFn, words: Words, kind: str) -> Step:
    budget = draw(st.sampled_from([0, 2000]))
    reasoning = draw(words.thought) if budget else ""
    text = draw(words.said)
    steer = draw(words.steers) if kind.startswith("steered") else ""
    if "calls" in kind:
        text = draw(st.sampled_from(["", text]))
        calls = tuple(draw(st.lists(words.calls, min_size=1, max_size=3)))
        ask = Ask(Reply(text, reasoning, calls), "kept", steer)
    else:
        ask = Ask(Reply(text, reasoning), "kept", steer)
    if kind == "cut":
        ask = replace(ask, reply=replace(ask.reply, finish="length"))
    if kind == "cancelled":
        slow = replace(ask.reply, end="hang", pace=Pace(characters=4))
        ask = replace(ask, reply=slow, fate="cancelled")
    if kind == "calls_cancelled":
        endless = Call("shell", {"command": "sleep 30"})
        ask = Ask(replace(ask.reply, calls=(endless, *ask.reply.calls)), "calls_cancelled")
    void = draw(st.sampled_from([*[()] * 4, (REFUSED,), (EMPTY,)]))
    whys: list[Why | None] = [None, None, None, "budget", "person", "loop", "limit"]
    why = draw(st.sampled_from(whys)) if budget and kind != "cancelled" else None
    if why is None:
        return Step((*void, ask), budget)
    acts = replace(ask, reply=replace(ask.reply, reasoning=""))
    return Step((*void, _closed(reasoning, why), acts), SMALL if why == "budget" else budget)


def _closed(reasoning: str, why: Why) -> Ask:
    if why == "limit":
        return Ask(Reply(reasoning=f"So.{reasoning}", finish="length"), "closed", why=why)
    endless = f"So. {reasoning} {FILLER}{LOOP * 12 if why == 'loop' else ''}"
    return Ask(Reply(reasoning=endless, end="hang", pace=PACE), "closed", why=why)


def _varied(steps: list[Step]) -> Iterator[Step]:
    """A turn in which no loop is seen but one in the reasoning: that is broken in other ways."""
    made: Counter[str] = Counter()
    loops = 0
    for step in steps:
        asks = []
        for ask in step.asks:
            loops += ask.why == "loop"
            if ask.why == "loop" and loops > 1:
                ask = replace(ask, reply=replace(ask.reply, reasoning=FILLER), why="person")
            calls = tuple(call for call in ask.reply.calls if _is_new(call, made))
            if ask.reply.calls and not calls:
                calls = (Call("shell", {"command": f"echo {made.total()}"}),)
            asks.append(replace(ask, reply=replace(ask.reply, calls=calls)))
        yield replace(step, asks=tuple(asks))


def _is_new(call: Call, made: Counter[str]) -> bool:
    made[call.name + call.text] += 1
    return made[call.name + call.text] < 3


SMALL = 40
"""A budget that `FILLER` exceeds."""
PACE = Pace(delta_seconds=0.002, characters=16)
_DICE = random.Random(3)
FILLER = "".join(
    f"{' '.join(_DICE.choices(['the', 'row', 'file', 'line', 'is', 'was', 'ends', 'here'], k=7))}. "
    for _ in range(60)
)
"""Sentences that repeat nothing."""
LOOP = "But wait, what about the cache? I should look at the cache first. "


REFUSED = Ask(
    Reply(
        status=503, body={"error": {"message": "all slots are busy"}}, headers={"Retry-After": "0"}
    ),
    "void",
)
EMPTY = Ask(Reply(finish="stop"), "void")


def asks(session: tuple[Turn, ...]) -> Iterator[Ask]:
    """All requests to come, in order."""
    for turn in session:
        for step in turn.steps:
            yield from step.asks


@dataclass(frozen=True)
class Seen:
    """A request as it was sent, and what was kept of its answer."""

    body: Body
    kept: Reply | None
    """As the model gave it, or as far as it came; None = nothing was kept."""


def check(before: Seen, after: Seen, style: Style) -> None:
    """Law 1, for two requests that follow one another."""
    if before.kept is None:
        kwargs = {**before.body["chat_template_kwargs"], "add_generation_prompt": False}
        held = render_request({**before.body, "chat_template_kwargs": kwargs}, style)
    else:
        prompt = render_request(before.body, style)
        held = prompt + generated(before.kept, prompt)
    assert render_request(after.body, style)[: len(held)] == held


def generated(reply: Reply, prompt: str) -> str:
    """What a Qwen model writes behind `prompt` to give `reply`.

    Up to the first call that is no JSON object: no model of this kind writes JSON, so what its
    server makes of such a call is not what it wrote.
    """
    words, reasoning = reply.text.strip(), reply.reasoning.strip()
    calls = "\n".join(_calls(reply.calls))
    rest = f"{words}\n\n{calls}" if words and calls else words + calls
    if not prompt.endswith("<think>\n"):  # thinking is off: the prompt has closed it
        return rest
    return f"{reasoning}\n</think>\n\n{rest}" if rest else reasoning


def _calls(calls: tuple[Call, ...]) -> Iterator[str]:
    for call in calls:
        try:
            arguments = json.loads(call.text)
        except ValueError:
            return
        if not isinstance(arguments, dict):
            return
        values = "".join(f"<parameter={k}>\n{v}\n</parameter>\n" for k, v in arguments.items())
        yield f"<tool_call>\n<function={call.name}>\n{values}</function>\n</tool_call>"
