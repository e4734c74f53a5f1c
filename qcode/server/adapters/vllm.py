"""vLLM, and NVIDIA's NIM, which is vLLM in a container. vLLM 0.33.0, NIM 1.x and 2.0.

`/tokenize` renders messages by the template and `/detokenize` gives the prompt back: the engine
has no part in it.
"""

import asyncio

from msgspec.structs import replace

from qcode.server.adapters import generic
from qcode.server.adapters.rendering import ByTokens, rendered
from qcode.server.adapters.sighting import Sighting
from qcode.server.ask import Reply
from qcode.server.base import ServerFacts
from qcode.server.endpoint import root

_NAMES = ("reasoning", "reasoning_content")
"""0.33 reads either, 0.32 as run here the first alone, 0.10 and older the second."""


async def describe(sight: Sighting) -> ServerFacts:
    """The facts. Raises UnknownModel."""
    version, ready = await asyncio.gather(sight.get("/version"), sight.get("/v1/health/ready"))
    if is_nim(ready):
        kind = "nim"
    elif "vllm" in sight.listing.owners:
        kind = "vllm"
    else:  # "system" is what NIM 1.x names as the owner, and others may
        return generic.describe(sight)
    facts = sight.facts(kind, sight.listing.names)
    facts = replace(facts, version=str(version.fields.get("version") or ""))
    renderer = ByTokens(sight.asker, root(sight.base_url), facts.model, {}, "prompt")
    return await rendered(renderer.render, facts, _NAMES)


def is_nim(ready: Reply) -> bool:
    """By the body of `/v1/health/ready`: its `object` is `health.response`."""
    return str(ready.fields.get("object", "")).endswith("health.response")
