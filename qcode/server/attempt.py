"""One request and its answer, in terms of `failures`: no retry, no waiting."""

import os
import re
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager, suppress

import msgspec
from msgspec.structs import replace

from qcode.protocol.errors import BadAnswer, TemplateRefused, UnknownModel
from qcode.protocol.events import PromptProgress, Repaired, ServerState
from qcode.server import models
from qcode.server.adapters import ollama_chat
from qcode.server.ask import Asker, NoAnswer, reason
from qcode.server.base import Answer, Request, ServerFacts
from qcode.server.content import Begin
from qcode.server.continuing import NotContinued, Opening, body, whole
from qcode.server.door import Door
from qcode.server.endpoint import Patience
from qcode.server.failures import (
    Cut,
    Lost,
    Refusal,
    Unreachable,
    Unusable,
    from_status,
    from_stream,
    gone,
    lost,
    page,
    read_body,
    unknown_model,
)
from qcode.server.families import family_of
from qcode.server.fields import budget_asked, ignored
from qcode.server.fields import refusal as refusal_of
from qcode.server.flow import Flow, Head, Silent
from qcode.server.forms import EVENTS
from qcode.server.liveness import doing, why_dead
from qcode.server.quirks import QUIRKS
from qcode.server.reader import Finished, Reader, Thinking
from qcode.server.shown import Item

_SETTLE_SECONDS = 0.2
"""For the end of the body after `[DONE]`: it is in the same packet, as a rule."""
_ID = re.compile(rb'"id": ?"([\w.:-]{1,200})"')


class FieldRefused(Exception):
    """The server refuses a field that it could do without; the text is its name."""


class Running(msgspec.Struct):
    """The answer that comes in now."""

    id: str = ""
    """As the server named it in its first event; empty = not yet, or nothing runs."""
    separates: bool | None = None
    """As `Finished.separates` of the last answer."""


class Line(msgspec.Struct, frozen=True):
    """All that a request needs besides itself."""

    facts: ServerFacts
    door: Door
    asker: Asker
    patience: Patience
    running: Running = msgspec.field(default_factory=Running)

    @property
    def where(self) -> str:
        """The address, for sentences."""
        return self.facts.base_url

    @property
    def has_own_words(self) -> bool:
        """Whether requests and answers are not as OpenAI's API has them."""
        return bool(QUIRKS[self.facts.kind].chat_path)

    def flow(self, request: Request) -> Flow:
        """The request on its way, with the fields that this kind of server gets from us."""
        sent = body(self.facts, request)
        messages = sent.pop("messages")  # behind all that stays the same
        tools = {"tools": request.tools} if request.tools else {}
        sent = {**sent, **tools, "messages": messages, "stream": True}
        if self.has_own_words:
            sent = ollama_chat.body(sent)
        return Flow(self.door, sent, self._why_dead, self.patience.silence_seconds)

    async def _why_dead(self) -> str:
        return await why_dead(self.asker, self.facts, self.patience.health_seconds)


async def attempt(
    line: Line, request: Request
) -> AsyncGenerator[Item | Repaired | ServerState | Answer | None, None]:
    """Send `request` once. None = the server has taken it.

    Raises ServerErrors, Broken and Loading, FieldRefused, and NotContinued for a `closed` one.
    """
    started, first_seconds = time.monotonic(), None
    prefix = f"call_{os.urandom(4).hex()}_"
    form = ollama_chat.LINES if line.has_own_words else EVENTS
    thinking = _thinking(line.facts, request)
    opens: Begin = "opened" if thinking != "off" and _opens(line.facts) else "start"
    reader = Reader(thinking, id_prefix=prefix, tools=request.tools, form=form, begin=opens)
    with _told_as_failures(line):
        try:
            async with line.flow(request) as flow:
                async for state in _waiting(line, flow):
                    yield state
                head = await flow.head()
                if head.status != 200 or head.is_page:
                    raise await _refused(line, request, flow)
                yield None
                items = _read(line, flow, reader)
                async for item in _opened(items, request.closed) if request.closed else items:
                    if first_seconds is None and not isinstance(item, PromptProgress | ServerState):
                        first_seconds = time.monotonic() - started
                    yield item
                await flow.settle(_SETTLE_SECONDS)
            finished = reader.finish()
        except Refusal as refusal:
            finished = _salvage(line.where, _unsaid(line, refusal), reader)
        finally:
            line.running.id = ""
    for repair in finished.repairs:
        yield repair
    usage = replace(finished.usage, first_token_seconds=first_seconds)
    line.running.separates = finished.separates
    message = whole(finished.message, request.closed) if request.closed else finished.message
    yield Answer(message, usage, time.monotonic() - started, finished.flaw)


async def _waiting(line: Line, flow: Flow) -> AsyncGenerator[ServerState, None]:
    """What the server does while it does not take the request, where it tells."""
    while await flow.head_within(line.patience.taking_seconds) is None:
        if state := await doing(line.asker, line.facts):
            yield ServerState(state, line.where)


async def _opened(items: AsyncGenerator[Item, None], closed: str) -> AsyncGenerator[Item, None]:
    opening = Opening(closed)
    async for item in items:
        for shown in opening.feed(item):
            yield shown
    for shown in opening.rest():
        yield shown


async def _read(line: Line, flow: Flow, reader: Reader) -> AsyncGenerator[Item, None]:
    """Holds nothing that must be closed: `flow` is its caller's."""
    head = await flow.head()
    if head.is_json:
        for item in _whole(line, head, await flow.rest(), reader):
            yield item
        return
    while not reader.is_done and (data := await _more(flow, reader)):
        if not line.running.id and (found := _ID.search(data)):
            line.running.id = found[1].decode()
        for item in reader.feed(data):
            yield item


async def _more(flow: Flow, reader: Reader) -> bytes:
    """What has come; b"" = the end, also where the connection breaks behind a whole answer."""
    try:
        return await flow.take()
    except Exception:  # whatever comes behind the end of an answer costs nothing
        if not reader.has_ended:
            raise
        return b""


def _whole(line: Line, head: Head, body: bytes, reader: Reader) -> list[Item]:
    """An answer that was not streamed; or an error with status 200, LM Studio's way."""
    try:
        return reader.feed_whole(body)
    except Refusal as refusal:
        raise from_status(line.where, head.status, _unsaid(line, refusal)) from None


async def _refused(line: Line, request: Request, flow: Flow) -> Exception:
    head = await flow.head()
    refusal = read_body(line.asker.unsaid(await flow.rest()))
    if head.status == 200:
        return page(line.where, head.status, refusal.words)
    error = from_status(line.where, head.status, refusal, head.headers.get("retry-after", ""))
    unknown = type(error) is BadAnswer and head.status in (400, 422)
    if unknown and (name := refusal_of(line.facts, request, refusal.raw)):
        return FieldRefused(name)
    if request.closed and type(error) in (BadAnswer, TemplateRefused):
        return NotContinued(f"it answered: {refusal.words}")
    if not isinstance(error, UnknownModel):
        return error
    with suppress(NoAnswer):
        listing = models.read(await line.asker.get(f"{line.where}/models"))
        return unknown_model(line.where, request.model or line.facts.model, listing.names)
    return error


def _unsaid(line: Line, refusal: Refusal) -> Refusal:
    """Without the key, if the server repeats it."""
    words = line.asker.unsaid(refusal.words.encode()).decode()
    raw = line.asker.unsaid(refusal.raw.encode()).decode()
    return Refusal(words, raw, refusal.prompt_tokens, refusal.context_tokens)


def _salvage(where: str, refusal: Refusal, reader: Reader) -> Finished:
    """What llama.cpp streamed before it found that it cannot parse the end of the answer
    (issues 20260 and 27733 there): kept if it is whole, since the model has finished."""
    kept = reader.salvage() if refusal.is_unparsed_answer else None
    if kept is None:
        raise from_stream(where, refusal) from None  # the cause holds what was not to be said
    what = "the server could not read the end of the answer; what had come is kept"
    told = Repaired(what, kind="unread_end")
    return Finished(kept.message, kept.usage, (*kept.repairs, told), kept.flaw)


@contextmanager
def _told_as_failures(line: Line) -> Iterator[None]:
    import httpx2  # noqa: PLC0415  80 ms; the door has loaded it

    where, kind = line.where, line.facts.kind
    try:
        yield
    except Unusable as error:
        raise BadAnswer(
            f"The answer of {where} cannot be used: {error}. Is base_url right?"
        ) from error
    except (Cut, Silent) as error:
        raise Lost(str(error), lost(where, str(error), kind)) from error
    except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
        because = reason(error)
        raise Unreachable(because, gone((where,), because)) from error
    except httpx2.HTTPError as error:
        raise Lost(reason(error), lost(where, reason(error), kind)) from error


def _opens(facts: ServerFacts) -> bool:
    """Whether an answer's content begins within the reasoning, which the prompt has opened."""
    if facts.separates is None:
        return family_of(facts).opens and not QUIRKS[facts.kind].separates
    return not facts.separates


def _thinking(facts: ServerFacts, request: Request) -> Thinking:
    if request.closed:
        return "off"  # it lies behind us
    asked = budget_asked(request)
    if asked == 0 and "thinking" in ignored(facts, request):
        return "unknown"
    if asked is not None:
        return "on" if asked else "off"
    kwargs = request.extra.get("chat_template_kwargs")
    match kwargs.get("enable_thinking") if isinstance(kwargs, dict) else None:
        case True:
            return "on"
        case False:
            return "off"
        case _:
            return "unknown"
