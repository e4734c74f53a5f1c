"""Ollama: `/v1` tells and takes no context length, its own API does both. As of v0.33.0-rc2.

`/api/ps` and `/api/show` load nothing. A prompt longer than the loaded context loses its oldest
messages without a word, so the number matters more here than anywhere.
"""

import asyncio
import re
from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from qcode.server.adapters.sighting import Sighting
from qcode.server.ask import NoAnswer, Reply
from qcode.server.base import ServerFacts
from qcode.server.endpoint import root
from qcode.server.models import count
from qcode.server.quirks import QUIRKS

KIND = "ollama-chat"
"""Of an Ollama that is asked by `/api/chat`."""

SMALL_TOKENS = 32_768
"""Ollama's default on a middling card; on a small one it is 4,096, and it advises 65,536."""
ADVISED_TOKENS = 65_536

_NUM_CTX = re.compile(r"^num_ctx\s+(\d{1,9})\s*$", re.MULTILINE)


def recognises(version: Reply) -> bool:
    """By `/api/version`: one field. llama-swap has three, LM Studio answers with an error."""
    return version.status == 200 and set(version.fields) == {"version"}


async def describe(sight: Sighting) -> ServerFacts:
    """The facts. Raises UnknownModel."""
    version, running = await asyncio.gather(sight.get("/api/version"), sight.get("/api/ps"))
    loaded = _loaded(running)
    facts = sight.facts("ollama", {*loaded, *(name.removesuffix(":latest") for name in loaded)})
    facts = replace(facts, version=str(version.fields.get("version") or ""))
    show = await _show(sight, facts.model)
    row = loaded.get(facts.model) or loaded.get(f"{facts.model}:latest", {})
    return _with_context(_with_model(facts, show), row, show)


def asking(facts: ServerFacts, context_tokens: int) -> ServerFacts:
    """`facts` when each request asks for a context of so many tokens; 0 = none does.

    Not only where another length is loaded: what is loaded is what the last request asked for, and
    one by `/v1` asks for the default, so that the model would be loaded anew. More than the model
    was made for Ollama cuts down without a word.
    """
    if facts.kind != "ollama" or not context_tokens:
        return facts
    tokens = min(context_tokens, facts.trained_tokens or context_tokens)
    return replace(
        facts,
        kind=KIND,
        reasoning_field=QUIRKS[KIND].reasoning_field,
        context_tokens=tokens,
        context_from="num_ctx of each request",
        asked_context=tokens,
    )


def advice(facts: ServerFacts) -> str:
    """What to do about a small context, as a sentence; empty = nothing."""
    loaded, trained = facts.context_tokens or SMALL_TOKENS, facts.trained_tokens or 0
    if facts.kind != "ollama" or loaded >= SMALL_TOKENS or trained < 2 * loaded:
        return ""
    wanted = min(ADVISED_TOKENS, trained)
    return (
        f"Ollama has loaded {facts.model} with a context of {loaded:,} tokens (it was made for "
        f"{trained:,}), and beyond that the oldest messages are lost: set context_tokens = "
        f"{wanted} below [server] in the settings file (`qcode config path`), or "
        f"QCODE_CONTEXT_TOKENS={wanted}, and each request asks for as much."
    )


def _loaded(running: Reply) -> dict[str, Mapping[str, Any]]:
    rows = running.fields.get("models")
    rows = rows if isinstance(rows, list) else []
    return {str(row.get("name") or row.get("model")): row for row in rows if isinstance(row, dict)}


async def _show(sight: Sighting, model: str) -> Mapping[str, Any]:
    """What is known of a model on disk; nothing runs for it."""
    try:
        shown = await sight.asker.post(f"{root(sight.base_url)}/api/show", {"model": model})
    except NoAnswer:
        return {}
    return shown.fields if shown.status == 200 else {}


def _with_model(facts: ServerFacts, show: Mapping[str, Any]) -> ServerFacts:
    info = show.get("model_info")
    info = info if isinstance(info, dict) else {}
    lengths = (count(value) for key, value in info.items() if key.endswith(".context_length"))
    trained_tokens = next(filter(None, lengths), None)
    able = show.get("capabilities")
    return replace(
        facts,
        trained_tokens=trained_tokens,
        trained_from="/api/show" if trained_tokens else "",
        vision="vision" in able if isinstance(able, list) else None,
    )


def _with_context(
    facts: ServerFacts, row: Mapping[str, Any], show: Mapping[str, Any]
) -> ServerFacts:
    """As loaded, else as the Modelfile sets it; the default follows the memory and is not told."""
    if context_tokens := count(row.get("context_length")):
        return replace(facts, context_tokens=context_tokens, context_from="/api/ps")
    if found := _NUM_CTX.search(str(show.get("parameters") or "")):
        context_tokens = count(int(found[1]))
        return replace(facts, context_tokens=context_tokens, context_from="num_ctx of /api/show")
    return facts
