"""The servers for Apple's chips: mlx_lm.server 0.32.2, mlx-vlm 0.7.10, oMLX 0.7.3rc1."""

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from msgspec.structs import replace

from qcode.server.adapters.sighting import Sighting
from qcode.server.ask import Reply
from qcode.server.base import ServerFacts
from qcode.server.models import Listing, count

_STARTED_WITH = "default_model"
"""mlx_lm's name for the model that it was started with."""


def is_mlx_lm(props: Reply, listing: Listing) -> bool:
    """By its manner: Python's plain HTTP server, plain words for an unknown path, and models that
    nobody owns."""
    return (
        _server(props).startswith("BaseHTTP/")
        and props.body.strip() == b"Not Found"
        and listing.owners <= {""}
    )


def describe_mlx_lm(sight: Sighting) -> ServerFacts:
    """The facts. The list is all that lies in the cache, not what is loaded; any of its names
    would be loaded when it is asked for. Raises UnknownModel."""
    names = sight.listing.names
    if sight.name or len(names) == 1:
        return sight.facts("mlx_lm")
    if local := next((one for one in names if PurePath(one).is_absolute()), ""):
        facts = replace(sight, name=local).facts("mlx_lm")
        return replace(facts, picked_why="the server was started with it")
    listing = Listing(({"id": _STARTED_WITH}, *sight.listing.rows))
    facts = replace(sight, name=_STARTED_WITH, listing=listing).facts("mlx_lm")
    return replace(facts, picked_why="the one that the server was started with")


def is_mlx_vlm(listed: Reply) -> bool:
    """By the header: `Server: mlx_vlm/0.7.10`."""
    return _server(listed).startswith("mlx_vlm/")


async def describe_mlx_vlm(sight: Sighting) -> ServerFacts:
    """The facts. Raises UnknownModel."""
    health = (await sight.get("/health")).fields
    own = health.get("loaded_model")
    facts = sight.facts("mlx-vlm", {*sight.listing.loaded, *([str(own)] if own else ())})
    facts = replace(facts, version=_server(sight.listed).partition("/")[2])
    if own != facts.model:
        return facts
    context_tokens = count(health.get("effective_context_limit"))
    trained_tokens = count(health.get("loaded_context_size"))
    return replace(
        facts,
        context_tokens=context_tokens,
        context_from="/health" if context_tokens else "",
        trained_tokens=trained_tokens,
        trained_from="/health" if trained_tokens else "",
    )


async def describe_omlx(sight: Sighting) -> ServerFacts:
    """The facts. Raises UnknownModel."""
    status = await sight.get("/v1/models/status")
    rows = status.fields.get("models")
    known: dict[str, Mapping[str, Any]] = {}
    for row in rows if isinstance(rows, list) else ():
        if isinstance(row, dict):
            known[str(row.get("model_alias") or row.get("id"))] = row
    loaded = {name for name, row in known.items() if row.get("loaded") is True}
    facts = sight.facts("omlx", loaded if known else None)
    context_tokens = count(known.get(facts.model, {}).get("max_context_window"))
    if context_tokens is None:
        return facts
    return replace(facts, context_tokens=context_tokens, context_from="/v1/models/status")


def _server(reply: Reply) -> str:
    return str(reply.headers.get("server", ""))
