"""By how much a thinking budget is overrun, on servers that keep one and on servers that do not.

The model never ends its reasoning by itself (`vocabulary.THINKER`). Tokens are those that the
server generated as reasoning until it ended, whether qcode saw them or not; the sentence that
closes it is not counted.
"""

import os
import random
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from qcode.server.closing import CLOSING
from tests.bench.between import Between, Refuse, nothing
from tests.bench.figure import Figure, counted, skipped
from tests.bench.ground import Ground
from tests.bench.strategies import ONE_THREAD
from tests.bench.words import words
from tests.support import llama_words
from tests.support.engines import KINDS, EngineServer, Kind, is_installed
from tests.support.events import event
from tests.support.gguf import write_model
from tests.support.hf_model import write_folder
from tests.support.http1 import Connection
from tests.support.llama import LlamaServer, Options
from tests.support.loopback import LoopbackServer
from tests.support.plain_http import get, tokenize
from tests.support.render import Style, source
from tests.support.script import Received
from tests.support.scripted_server import CHAT
from tests.support.vocabulary import THINKER

BUDGETS = (400, 2_000, 8_000)
SLOW_BUDGETS = (400, 1_000)
"""For engines that generate some hundred tokens a second."""
CHUNKS = (1, 8)
"""Tokens in an event."""
SECONDS = 100.0
PER_SECOND = 500
"""Tokens of the scripted server: as fast as a good card."""

OTHERS = ("mlx_lm", "transformers")
"""Engines without a budget of their own whose streams tell reasoning apart."""

NATIVE = "thinking_budget_tokens"


@dataclass(frozen=True, slots=True)
class Spent:
    """What came of one budget."""

    budget: int
    used: int

    @property
    def beyond(self) -> int:
        """Negative: it was not used up."""
        return self.used - self.budget

    @property
    def most(self) -> int:
        """What may be overrun: 5 % and 16 tokens."""
        return int(self.budget * 0.05) + 16


def budgets(ground: Ground) -> Iterator[Figure]:
    """A row a server and a budget."""
    yield from _on_llama(ground)
    for kind in KINDS:
        if kind.name in OTHERS:
            yield from _on(kind, ground)
    for chunk in CHUNKS:
        for budget in BUDGETS:
            what = f"no budget there, {chunk} token{'s' * (chunk > 1)} an event"
            yield _figure(what, on_nothing(ground, budget, chunk))


def _on_llama(ground: Ground) -> Iterator[Figure]:
    names = {"its own parameter": nothing, "closed by qcode": refused}
    if not find_spec("xllamacpp"):
        yield skipped("thinking budget on llama.cpp: beyond", "xllamacpp is not installed")
        return
    with thinking_llama(ground.place) as engine:
        for name, refuse in names.items():
            for budget in BUDGETS:
                yield _figure(f"llama.cpp, {name}", on_llama(ground, engine, budget, refuse))


def _on(kind: Kind, ground: Ground) -> Iterator[Figure]:
    if not is_installed(kind):
        yield skipped(f"thinking budget, {kind.name}: beyond", "not installed: make engines")
        return
    with EngineServer(thinking(kind), ground.folder(kind.name)) as engine:
        for budget in SLOW_BUDGETS:
            yield _figure(f"{kind.name}, closed by qcode", on_engine(ground, engine, budget))


def _figure(what: str, spent: Spent) -> Figure:
    return counted(
        f"thinking budget of {spent.budget:,}, {what}: beyond", spent.beyond, "tokens", spent.most
    )


def refused(body: Mapping[str, Any]) -> str:
    """A server that does not know the parameter: qcode then keeps the budget itself."""
    return f"unknown field: {NATIVE}" if NATIVE in body else ""


@contextmanager
def thinking_llama(place: Path) -> Iterator[LlamaServer]:
    """llama.cpp with the endless thinker."""
    os.environ.update(ONE_THREAD)
    model = place / "thinker.gguf"
    write_model(model, source("3.6"), THINKER)
    with LlamaServer(Options(str(model)), place / "thinker.log") as engine:
        yield engine


def thinking(kind: Kind) -> Kind:
    """The engine with the endless thinker."""

    def write(place: Path, style: Style) -> Path:
        folder = place / "thinker"
        write_folder(folder, source(style), THINKER)
        return folder

    return replace(kind, model=write)


def on_llama(ground: Ground, engine: LlamaServer, budget: int, refuse: Refuse = nothing) -> Spent:
    """By the engine's own count of all that it generated, less what it wrote behind."""
    before = _predicted(engine)
    with Between(urlsplit(engine.origin).port or 0, refuse) as between:
        _ask(ground, between.base_url, budget)
        answers = list(between.answers)
    _rest(engine)
    used = _predicted(engine) - before
    if refuse is nothing:  # the engine closed the reasoning: closing and answer are its own
        (answer,) = answers
        closing = f"\n\n{CLOSING}\n</think>\n\n"
        assert CLOSING in answer.reasoning, "the reasoning was not closed"
        behind = len(tokenize(engine.origin, closing + answer.text)) + 1
    else:
        first, second = answers
        assert not first.text
        assert second.text
        behind = second.generated
    return Spent(budget, used - behind)


def on_engine(ground: Ground, engine: EngineServer, budget: int) -> Spent:
    """By what the engine had sent until qcode left: a letter is a token of that model."""
    with Between(engine.port) as between:
        _ask(ground, between.base_url, budget, "--model", str(engine.model))
        first, *later = between.answers
    assert later, "the reasoning was not closed"
    assert not first.text
    return Spent(budget, len(first.reasoning))


def on_nothing(ground: Ground, budget: int, chunk: int, per_second: float = PER_SECOND) -> Spent:
    """By the shipped table: each word that was sent is a token of it."""
    with Thinker(chunk, per_second) as server:
        _ask(ground, server.base_url, budget)
        assert server.requests > 1, "the reasoning was not closed"
        return Spent(budget, server.sent)


class Thinker(LoopbackServer):
    """An endpoint that knows no budget and counts nothing: it thinks until the client leaves, and
    says a word when it is asked again."""

    def __init__(self, chunk: int, per_second: float) -> None:
        """`chunk`: tokens in an event."""
        super().__init__()
        self._per_second = per_second
        self.requests = 0
        self.sent = 0
        """Tokens of reasoning."""
        self._chunk = chunk
        self._dice = random.Random(11)

    async def handle(self, request: Received, connection: Connection) -> None:
        """Think, and from the second time on answer."""
        if request.path != CHAT:
            status, body = llama_words.answer(llama_words.About(), request, running=0)
            await connection.answer(status, body, {})
            return
        self.requests += 1
        await connection.open_stream({})
        if self.requests == 1:
            await self._think(connection)
        await connection.send(_delta(content="Done.") + _delta("stop"))
        await connection.finish(b"data: [DONE]\n\n")

    async def _think(self, connection: Connection) -> None:
        began = time.monotonic()
        while True:
            self.sent += self._chunk
            await connection.send(_delta(reasoning_content="".join(words(self._dice, self._chunk))))
            late = time.monotonic() - began - self.sent / self._per_second
            await connection.pause(max(-late, 0.0005))


def _delta(finish: str | None = None, **delta: str) -> bytes:
    return event({"choices": [{"index": 0, "finish_reason": finish, "delta": delta}]})


def _ask(ground: Ground, base_url: str, budget: int, *more: str) -> None:
    """One prompt with the installed program: in its own process nothing is loaded beforehand."""
    ground.qcode.prompt(
        base_url, ground.folder("empty"), "Think of it.", "--think", str(budget), *more
    )


def _predicted(engine: LlamaServer) -> int:
    """Tokens that the engine has generated since it started."""
    rows = str(get(engine.origin, "/metrics")).splitlines()
    (row,) = [row for row in rows if row.startswith("llamacpp:tokens_predicted_total ")]
    return int(float(row.split()[1]))


def _rest(engine: LlamaServer) -> None:
    """Until the engine has noticed that the stream is closed."""
    while any(slot["is_processing"] for slot in get(engine.origin, "/slots")):
        time.sleep(0.005)
