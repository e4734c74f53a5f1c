"""One request and its answer, in terms of `failures`: no retry, no waiting."""

import os
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from msgspec.structs import replace

from qcode.protocol.errors import BadAnswer, ServerGone, UnknownModel
from qcode.protocol.events import PromptProgress, Repaired
from qcode.server import models
from qcode.server.ask import Asker, NoAnswer, reason
from qcode.server.base import Answer, Request, ServerFacts
from qcode.server.door import Door
from qcode.server.failures import (
    Broken,
    Cut,
    Refusal,
    Unreachable,
    Unusable,
    from_status,
    from_stream,
    gone,
    read_body,
    unknown_model,
)
from qcode.server.fields import fields
from qcode.server.flow import Flow, Head, Silent
from qcode.server.liveness import why_dead
from qcode.server.reader import Finished, Reader, Thinking
from qcode.server.shown import Item

_SETTLE_SECONDS = 0.2
"""For the end of the body after `[DONE]`: it is in the same packet, as a rule."""


@dataclass(frozen=True, slots=True)
class Line:
    """All that a request needs besides itself."""

    facts: ServerFacts
    door: Door
    asker: Asker
    silence_seconds: float

    @property
    def where(self) -> str:
        """The address, for sentences."""
        return self.facts.base_url

    def flow(self, request: Request) -> Flow:
        """The request on its way, with the fields that this kind of server gets from us."""
        body = {
            **fields(self.facts, request),
            **({"tools": request.tools} if request.tools else {}),
            "model": request.model or self.facts.model,
            "messages": request.messages,
            "stream": True,
        }
        return Flow(self.door, body, self._why_dead, self.silence_seconds)

    async def _why_dead(self) -> str:
        return await why_dead(self.asker, self.facts)


async def attempt(
    line: Line, request: Request
) -> AsyncGenerator[Item | Repaired | Answer | None, None]:
    """Send `request` once. None = the server has taken it.

    Raises ServerErrors, and Broken and Loading.
    """
    started, first_seconds = time.monotonic(), None
    reader = Reader(_thinking(request), id_prefix=f"call_{os.urandom(4).hex()}_")
    with _told_as_failures(line.where):
        try:
            async with line.flow(request) as flow:
                head = await flow.head()
                if head.status != 200:
                    raise await _refused(line, request, flow)
                yield None
                async for item in _items(line, flow, reader):
                    if first_seconds is None and not isinstance(item, PromptProgress):
                        first_seconds = time.monotonic() - started
                    yield item
                await flow.settle(_SETTLE_SECONDS)
            finished = reader.finish()
        except Refusal as refusal:
            finished = _salvage(line.where, refusal, reader)
    for repair in finished.repairs:
        yield repair
    usage = replace(finished.usage, first_token_seconds=first_seconds)
    yield Answer(finished.message, usage, time.monotonic() - started)


async def _items(line: Line, flow: Flow, reader: Reader) -> AsyncGenerator[Item, None]:
    """Holds nothing that must be closed: `flow` is its caller's."""
    head = await flow.head()
    if head.is_json:
        for item in _whole(line.where, head, await flow.rest(), reader):
            yield item
        return
    while not reader.is_done and (data := await flow.take()):
        for item in reader.feed(data):
            yield item


def _whole(where: str, head: Head, body: bytes, reader: Reader) -> list[Item]:
    """An answer that was not streamed; or an error with status 200, LM Studio's way."""
    try:
        return reader.feed_whole(body)
    except Refusal as refusal:
        raise from_status(where, head.status, refusal) from refusal


async def _refused(line: Line, request: Request, flow: Flow) -> Exception:
    head = await flow.head()
    refusal = read_body(line.asker.unsaid(await flow.rest()))
    error = from_status(line.where, head.status, refusal, head.headers.get("retry-after", ""))
    if not isinstance(error, UnknownModel):
        return error
    with suppress(NoAnswer):
        listing = models.read(await line.asker.get(f"{line.where}/models"))
        return unknown_model(line.where, request.model or line.facts.model, listing.names)
    return error


def _salvage(where: str, refusal: Refusal, reader: Reader) -> Finished:
    """What llama.cpp streamed before it found that it cannot parse the end of the answer
    (issues 20260 and 27733 there): kept if it is whole, since the model has finished."""
    kept = reader.salvage() if refusal.is_unparsed_answer else None
    if kept is None:
        raise from_stream(where, refusal)
    told = Repaired("the server could not read the end of the answer; what had come is kept")
    return Finished(kept.message, kept.usage, (*kept.repairs, told))


@contextmanager
def _told_as_failures(where: str) -> Iterator[None]:
    import httpx2  # noqa: PLC0415  80 ms; the door has loaded it

    try:
        yield
    except Unusable as error:
        raise BadAnswer(
            f"The answer of {where} cannot be used: {error}. Is base_url right?"
        ) from error
    except (Cut, Silent) as error:
        raise Broken(str(error), _lost(where, str(error))) from error
    except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
        because = reason(error)
        raise Unreachable(because, gone((where,), because)) from error
    except httpx2.HTTPError as error:
        raise Broken(reason(error), _lost(where, reason(error))) from error


def _lost(where: str, because: str) -> ServerGone:
    return ServerGone(
        f"{where} broke off its answer ({because}), again and again. "
        "Look at the server's own output: it may have crashed or run out of memory."
    )


def _thinking(request: Request) -> Thinking:
    if request.thinking_budget is not None:
        return "on" if request.thinking_budget else "off"
    kwargs = request.extra.get("chat_template_kwargs")
    match kwargs.get("enable_thinking") if isinstance(kwargs, dict) else None:
        case True:
            return "on"
        case False:
            return "off"
        case _:
            return "unknown"
