"""Sessions to come, for Law 1: what the person says, what the model answers, what goes wrong."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Literal

from hypothesis import strategies as st

from tests.support.render import Style, render_request
from tests.support.script import Body, Call, Pace, Reply

Fate = Literal["kept", "void", "cancelled", "calls_cancelled"]
"""What becomes of an answer: `void` = asked for again; `cancelled` while it streams."""


@dataclass(frozen=True)
class Ask:
    """One request to come, and its answer."""

    reply: Reply
    fate: Fate = "kept"
    steer: str = ""
    """Said while the answer streams."""


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

_SAID = PLAIN.filter(str.strip)
SIMPLE = Words(said=_SAID, steers=_SAID, thought=PLAIN, calls=CALLS)
"""What goes through a server's parser as it is."""

_MARKS = st.sampled_from(
    [" padded \n", "see </think> there", "<think>", "<tool_response>", "1\n\n2", "\u2028x"]
)
_RESPONSE = st.just("<tool_response>\nno question\n</tool_response>")
ODD = Words(
    said=(PLAIN | _MARKS).filter(str.strip),
    # Not as a prompt: behind an answer that was cancelled in its thinking, what the template takes
    # for no question costs the reading of that answer's end, and nothing can be sent to spare it.
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
    return Turn(draw(words.said), tuple(steps), resumed, order)


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
    return Step((*void, ask), budget)


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
