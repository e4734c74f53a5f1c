"""A prompt read ahead of the request that it belongs to, so that this one reads only what is new.

llama.cpp b11549, as measured: the prompt that `/apply-template` renders, cut in front of the words
that are yet to come and sent to `/completion` with `n_predict: 0`, is read to its last token and
stays; the request that follows reads on from there, also where the model cannot go back (Qwen 3.5
and 3.6). A chat completion could not do it: it ends behind the words, with the answer's opening,
and from there those models go back to a checkpoint in front of the whole message.

Broken off by closing the connection, it ends with the batch at work (2,048 tokens), and what was
read stays.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from typing import Any

import msgspec

from qcode.server.ask import Asker, NoAnswer, NotListening
from qcode.server.base import Cold, Request, ServerFacts, Warmed
from qcode.server.continuing import body
from qcode.server.endpoint import is_private, root
from qcode.server.liveness import Doing, doing
from qcode.server.preload import Preload
from qcode.server.quirks import QUIRKS

_log = logging.getLogger(__name__)

_RENDER_SECONDS = 10.0
_SETTLE_SECONDS = 60.0
"""For the batch at work: 2,048 tokens on a processor alone."""
_POLL_SECONDS = 0.05

_RENDERED = ("model", "messages", "tools", "chat_template_kwargs", "reasoning_effort")
"""The fields of a request that its prompt is made of."""

_WHY: Mapping[Doing, str] = {
    "waking": "the model sleeps",
    "busy": "the server answers somebody else",
    "loading": "the model loads",
}


class Ahead:
    """Reads ahead for one client."""

    def __init__(self) -> None:
        self._left_off = False
        """A reading was broken off, and its slot may still be at work."""
        self._preload = Preload()

    async def read(
        self, asker: Asker, facts: ServerFacts, request: Request, mark: str, least: float
    ) -> Warmed | Cold:
        """See `Server.warm`."""
        if QUIRKS[facts.kind].warming == "load" and is_private(facts.base_url) and not least:
            return await self._preload.load(asker, facts, request)
        if because := unfit(facts, request):
            return Cold(because)
        if state := await doing(asker, facts):
            return Cold(_WHY[state], again=state != "waking", sleeps=state == "waking")
        try:
            if least and not await _held(asker, facts):
                return Warmed(0, 0, 0.0, None)
            prompt = await _prefix(asker, facts, request, mark)
            self._left_off = True
            warmed = await _read(asker, facts, prompt, least)
        except NoAnswer as failed:
            return Cold(str(failed))
        self._left_off = warmed.slot is None
        return warmed

    async def close(self) -> None:
        """Nothing is asked for any more."""
        await self._preload.close()

    async def settle(self, asker: Asker, facts: ServerFacts) -> None:
        """Wait for the slot in which a reading was broken off."""
        if self._left_off:
            with suppress(TimeoutError):
                async with asyncio.timeout(_SETTLE_SECONDS):
                    while await _reads_still(asker, facts):  # noqa: ASYNC110  it can only be asked
                        await asyncio.sleep(_POLL_SECONDS)
        self._left_off = False


def unfit(facts: ServerFacts, request: Request) -> str:
    """Why nothing is read ahead here, whatever the server does now; empty = it may be."""
    if QUIRKS[facts.kind].warming != "llamacpp":
        return "it is not known to work with this server"
    if not is_private(facts.base_url):
        return "what is read there may cost money"
    if facts.loaded is False:
        return "the model is not in memory"
    if any(isinstance(message.get("content"), list) for message in request.messages):
        return "the conversation has images"  # a rendered prompt cannot hold them
    return ""


async def _held(asker: Asker, facts: ServerFacts) -> int:
    """Tokens in the slot that holds most; 0 = none, or not told. Raises NoAnswer."""
    told = (await asker.get(f"{root(facts.base_url)}/slots")).json
    rows = [row for row in told if isinstance(row, dict)] if isinstance(told, list) else []
    return max((_number(row, "n_prompt_tokens") for row in rows), default=0)


async def _prefix(asker: Asker, facts: ServerFacts, request: Request, mark: str) -> str:
    """The prompt up to the mark. Raises NoAnswer."""
    whole = {**body(facts, request), **({"tools": request.tools} if request.tools else {})}
    asked = {name: whole[name] for name in _RENDERED if name in whole}
    url = f"{root(facts.base_url)}/apply-template"
    reply = await asker.post(url, asked, _RENDER_SECONDS)
    prompt = reply.fields.get("prompt")
    if reply.status != 200 or not isinstance(prompt, str):
        raise NoAnswer(f"it does not render: status {reply.status}")
    prefix, found, _ = prompt.rpartition(mark)
    if not found:
        raise NoAnswer("the template leaves the prompt out")
    return prefix


async def _read(asker: Asker, facts: ServerFacts, prompt: str, least: float) -> Warmed:
    """Raises NoAnswer."""
    began = time.monotonic()
    asked = {
        "prompt": prompt,
        "n_predict": 0,
        "cache_prompt": True,
        "stream": True,
        "return_progress": True,
        "response_fields": ["id_slot", "timings", "tokens_evaluated"],  # else the whole prompt
    }
    async with asker.lines(f"{root(facts.base_url)}/completion", asked) as lines:
        async for told in _events(lines):
            progress = told.get("prompt_progress")
            if isinstance(progress, dict):
                total, cached = _number(progress, "total"), _number(progress, "cache")
                if cached < least * total:
                    return Warmed(total, cached, time.monotonic() - began, None)
            if isinstance(told.get("id_slot"), int) and "timings" in told:
                return _ended(told, time.monotonic() - began)
    raise NoAnswer("it did not say that it had read all")


async def _events(lines: AsyncIterator[str]) -> AsyncIterator[dict[str, Any]]:
    """Raises NoAnswer for one that tells of an error."""
    async for line in lines:
        name, _, data = line.partition(":")
        if name not in ("data", "error") or data.strip() in ("", "[DONE]"):
            continue
        try:
            told = msgspec.json.decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise NoAnswer("it does not speak JSON") from error
        if name == "error" or not isinstance(told, dict) or "error" in told:
            raise NoAnswer(f"it answers {data.strip()[:200]}")
        yield told


def _ended(told: Mapping[str, Any], seconds: float) -> Warmed:
    timings = told["timings"] if isinstance(told["timings"], dict) else {}
    cached = _number(timings, "cache_n")
    total = cached + _number(timings, "prompt_n")
    return Warmed(total, cached, seconds, told["id_slot"])


def _number(fields: Mapping[str, Any], name: str) -> int:
    value = fields.get(name)
    return value if isinstance(value, int) else 0


async def _reads_still(asker: Asker, facts: ServerFacts) -> bool:
    """Whether a slot is at work on what is only to be read: who waits for words of others waits
    for long."""
    try:
        told = (await asker.get(f"{root(facts.base_url)}/slots")).json
    except NotListening:
        return False
    except NoAnswer:  # at work on a batch
        return True
    rows = told if isinstance(told, list) else []
    return any(_only_reads(row) for row in rows if isinstance(row, dict))


def _only_reads(slot: Mapping[str, Any]) -> bool:
    """`n_predict: 0`, as `next_token` has it: an object in older builds, a list of one in newer."""
    told = slot.get("next_token")
    if isinstance(told, list) and told:
        told = told[0]
    wanted = told.get("n_remain", 0) if isinstance(told, dict) else 0
    return slot.get("is_processing") is True and wanted == 0
