"""SGLang: version and vision beside the list; rendering as vLLM does it. As of 0.5.23.

`/health` is not asked: it generates a token while the server idles.
"""

import asyncio

from msgspec.structs import replace

from qcode.server.adapters.rendering import ByTokens, rendered
from qcode.server.adapters.sighting import Sighting
from qcode.server.ask import Reply
from qcode.server.base import ServerFacts
from qcode.server.endpoint import root


async def describe(sight: Sighting) -> ServerFacts:
    """The facts. Raises UnknownModel."""
    model, server = await asyncio.gather(
        _either(sight, "/model_info", "/get_model_info"),
        _either(sight, "/server_info", "/get_server_info"),
    )
    vision = model.fields.get("has_image_understanding")
    facts = replace(
        sight.facts("sglang", sight.listing.names),
        version=str(server.fields.get("version") or ""),
        vision=vision if isinstance(vision, bool) else None,
    )
    words = {"skip_special_tokens": False}
    renderer = ByTokens(sight.asker, root(sight.base_url), facts.model, words, "text")
    return await rendered(renderer.render, facts, (facts.reasoning_field,))


async def _either(sight: Sighting, path: str, older: str) -> Reply:
    """By its name of today, else by the one that it had before."""
    reply = await sight.get(path)
    return await sight.get(older) if reply.status == 404 else reply
