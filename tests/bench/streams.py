"""CPU for what is done with each delta: reading, repair watch, budget, loop watch.

No network and no front end: those are in `streaming`. One token an event, eight tools offered, and
an answer with reasoning, text and a call.
"""

import asyncio
import json
import random
import time
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from types import SimpleNamespace
from typing import Any, cast

from msgspec.structs import replace

from qcode.engine.history import History
from qcode.engine.listening import Listener
from qcode.engine.parts import Haste, Parts
from qcode.engine.settings import Settings
from qcode.protocol.events import AnyEvent
from qcode.server import tokens
from qcode.server.base import Answer, Request, ServerFacts, Streamed
from qcode.server.budget import Calibration
from qcode.server.reader import Reader
from qcode.server.shape import wire_tools
from qcode.session.conversation import Conversation
from qcode.tools.builtin import BUILTIN
from qcode.tools.schema import spec
from tests.bench.figure import Figure
from tests.bench.ground import REPEATS, Ground
from tests.bench.words import pieces
from tests.support.events import event

BUDGET = 8_000
MILLISECONDS = 12
"""For 1,000 deltas."""

SHARES = {"reasoning": 3_000, "text": 1_500, "call": 1_500}
"""Tokens of the answer."""

LLAMA = ServerFacts(
    kind="llamacpp",
    version="b11549",
    base_url="http://127.0.0.1:8080/v1",
    model="Qwen3.6-35B-A3B",
    models=("Qwen3.6-35B-A3B",),
    context_tokens=262_144,
    strategy="native",
    strategy_why="seen by rendering",
    reasoning_field="reasoning_content",
)
PLAIN = replace(LLAMA, kind="generic", version="", strategy="plain")

_NAMES = (
    *("parser", "reader", "writer", "index", "cache", "header"),
    *("footer", "socket", "window", "buffer", "record", "row"),
)
_PROSE = (
    "The {} keeps what the {} gave it, and line {} drops the rest. ",
    "If `{}.flush()` runs before the {} is done, {} bytes are lost. ",
    "So I look at how the {} is made: a {} of {} rows, or None?\n\n",
    "Wait, the test says `{}[0] < {}.size`, and there are {} of them. ",
)
_CODE = (
    "    if {0} <= {2} and {1}:  # <b> is markup\n",
    "    total_{0} += {1}[{2}]\n",
    "    log.debug('{0} of {1}: %d', {2})\n",
)


def streams(_: Ground) -> Iterator[Figure]:
    """As llama.cpp sends an answer, and as a server that tells nothing apart does."""
    answers = (
        ("reading, repair, budget and loop watch: CPU per 1,000 deltas", LLAMA, _apart()),
        ("the same, reasoning and a leaked call in the content", PLAIN, _in_content()),
    )
    for what, facts, events in answers:
        asyncio.run(_heard(facts, events))  # imports and compiled patterns
        taken = [asyncio.run(_heard(facts, events)) for _ in range(REPEATS)]
        milliseconds = median(taken) * 1000 / len(events) * 1000
        yield Figure(what, milliseconds, "ms", MILLISECONDS, digits=1)


@dataclass(frozen=True, slots=True)
class Recorded:
    """A server whose answer is there already, event by event: no two are joined."""

    known: ServerFacts
    events: Sequence[bytes]

    async def facts(self) -> ServerFacts:
        """As they were made up."""
        return self.known

    async def stream(self, request: Request) -> AsyncGenerator[Streamed, None]:
        """What is shown of the answer, then the answer."""
        reader = Reader("on", tools=request.tools)
        for one in self.events:
            for item in reader.feed(one):
                yield item
        done = reader.finish()
        yield Answer(done.message, done.usage, 0.0, done.flaw)

    async def end_reasoning(self) -> bool:
        """Nobody is in haste."""
        return False


async def _heard(facts: ServerFacts, events: Sequence[bytes]) -> float:
    """CPU seconds for listening to the answer as the engine does."""
    said: list[AnyEvent] = []
    history = History(Conversation(), facts, Settings("auto", facts.model, BUDGET))
    asked = Request(
        facts.model, [], wire_tools([spec(tool) for tool in BUILTIN]), thinking_budget=BUDGET
    )
    # of the parts of a turn, a listener uses these
    parts = SimpleNamespace(
        server=Recorded(facts, events),
        history=history,
        say=said.append,
        haste=Haste(),
        calibration=Calibration(),
    )
    listener = Listener(cast("Parts", parts), asked)
    began = time.process_time()
    answer = await listener.listen()
    taken = time.process_time() - began
    assert isinstance(answer, Answer), f"ended before its end: {answer}"
    assert [call.name for call in answer.message.calls] == ["write"]
    assert len(said) > len(events) * 0.4, "deltas were joined"
    return taken


def _apart() -> list[bytes]:
    """Reasoning, text and call each in its field, with llama.cpp's timings in each event."""
    reasoning, text, code = _words()
    made: list[Mapping[str, Any]] = [{"reasoning_content": piece} for piece in pieces(reasoning)]
    made += [{"content": piece} for piece in pieces(text)]
    head = {"id": "call_1", "type": "function", "function": {"name": "write", "arguments": ""}}
    made.append({"tool_calls": [{"index": 0, **head}]})
    arguments = json.dumps({"path": "src/reader.py", "content": code})
    made += [
        {"tool_calls": [{"index": 0, "function": {"arguments": piece}}]}
        for piece in pieces(arguments)
    ]
    return [*(_event(delta, _timings(at)) for at, delta in enumerate(made, 1)), _end("tool_calls")]


def _in_content() -> list[bytes]:
    """One text with marks, as the model wrote it."""
    reasoning, text, code = _words()
    call = (
        "<tool_call>\n<function=write>\n<parameter=path>\nsrc/reader.py\n</parameter>\n"
        f"<parameter=content>\n{code}</parameter>\n</function>\n</tool_call>"
    )
    whole = f"<think>\n{reasoning}\n</think>\n\n{text}\n\n{call}"
    return [*(_event({"content": piece}) for piece in pieces(whole)), _end("stop")]


def _words() -> tuple[str, str, str]:
    """Reasoning, text and the code of the call; the same each time, and no loop in it."""
    dice = random.Random(3)
    return (
        _filled(_PROSE, SHARES["reasoning"], dice),
        _filled(_PROSE, SHARES["text"], dice),
        _filled(_CODE, SHARES["call"], dice),
    )


def _filled(shapes: Sequence[str], size: int, dice: random.Random) -> str:
    text: list[str] = []
    while tokens.count("".join(text)) < size:
        for _ in range(20):
            one, other = dice.sample(_NAMES, 2)
            text.append(dice.choice(shapes).format(one, other, dice.randrange(2, 4000)))
    return "".join(text)


def _event(delta: Mapping[str, Any], more: Mapping[str, Any] | None = None) -> bytes:
    about = {"id": "chatcmpl-7", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    choice = {"index": 0, "finish_reason": None, "delta": delta}
    return event({"choices": [choice], **about, **(more or {})})


def _end(reason: str) -> bytes:
    choice = {"index": 0, "finish_reason": reason, "delta": {}}
    return event({"choices": [choice]}) + b"data: [DONE]\n\n"


def _timings(generated: int) -> Mapping[str, Any]:
    """The block that `timings_per_token` puts into each event."""
    return {
        "timings": {
            "cache_n": 9000,
            "prompt_n": 411,
            "prompt_ms": 811.218,
            "prompt_per_token_ms": 1.9737664233576641,
            "prompt_per_second": 506.6455625984629,
            "predicted_n": generated,
            "predicted_ms": 11.117 * generated,
            "predicted_per_token_ms": 11.117,
            "predicted_per_second": 89.95232526760816,
        }
    }
