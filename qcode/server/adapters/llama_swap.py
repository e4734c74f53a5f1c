"""llama-swap: a switch before other servers. What runs behind it is asked only if it is ready.

After v250. `/props?model=` and `/upstream/…` start a model that does not run, so `/running` is
asked first.
"""

import asyncio
from urllib.parse import quote

from msgspec.structs import replace

from qcode.server.adapters import llamacpp
from qcode.server.adapters.sighting import NOT_LOADED, Sighting
from qcode.server.ask import Reply
from qcode.server.base import ServerFacts
from qcode.server.endpoint import root


async def describe(sight: Sighting) -> ServerFacts:
    """The facts. Raises UnknownModel."""
    running, version = await asyncio.gather(sight.get("/running"), sight.get("/api/version"))
    ready = _ready(running)
    facts = sight.facts("llama-swap", ready)
    facts = replace(facts, version=str(version.fields.get("version") or ""))
    if facts.model not in ready:
        return replace(facts, strategy_why=NOT_LOADED)
    return await _behind(sight, facts)


async def _behind(sight: Sighting, facts: ServerFacts) -> ServerFacts:
    upstream = f"/upstream/{quote(facts.model, safe='/')}"
    props = await sight.get(f"{upstream}/props")
    if not llamacpp.is_direct(props):
        return replace(facts, strategy_why="what runs behind it is no llama.cpp")
    told = llamacpp.told_by(props, facts, f"{upstream}/props")
    told = replace(told, version=facts.version)  # the switch's own
    return await llamacpp.by_template(sight, told, root(sight.base_url) + upstream)


def _ready(running: Reply) -> tuple[str, ...]:
    rows = running.fields.get("running")
    if not isinstance(rows, list):
        return ()
    return tuple(
        str(row.get("model"))
        for row in rows
        if isinstance(row, dict) and row.get("state") == "ready"
    )
