"""llama.cpp's server: what it tells on `/props`, `/v1/models` and `/apply-template`.

As of b11549. None of the questions loads a model: in router mode `/props?model=` would, and is not
asked; a name is rendered with only if it is loaded, and only while the server does not sleep.
"""

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from msgspec.structs import replace

from qcode.server.adapters.rendering import ByTemplate, rendered
from qcode.server.adapters.sighting import LISTED, NOT_LOADED, Sighting
from qcode.server.ask import Reply
from qcode.server.base import ServerFacts
from qcode.server.endpoint import root
from qcode.server.models import Listing, count


def recognises(props: Reply, listing: Listing) -> bool:
    """Whether the answers are llama.cpp's. By the bodies: a status proves nothing (LM Studio)."""
    return is_direct(props) or is_router(props) or "llamacpp" in listing.owners


def is_direct(props: Reply) -> bool:
    """Whether this is `/props` of a server with one model."""
    return "build_info" in props.fields and "default_generation_settings" in props.fields


def is_router(props: Reply) -> bool:
    """Whether this is `/props` of a router."""
    return props.fields.get("role") == "router"


async def describe(sight: Sighting) -> ServerFacts:
    """The facts. Raises UnknownModel where names are checked."""
    if is_router(sight.props):
        return await _describe_router(sight)
    fields = sight.props.fields
    if not sight.listing.names:
        sight = replace(sight, listing=Listing(({"id": _own_name(fields)},)))
    sleeps = fields.get("is_sleeping") is True
    facts = sight.facts("llamacpp", () if sleeps else (sight.name or sight.listing.names[0],))
    facts = told_by(sight.props, facts, "/props")
    if sleeps:  # any POST would wake it
        return replace(facts, strategy_why="the model sleeps")
    return await by_template(sight, facts, root(sight.base_url))


def told_by(props: Reply, facts: ServerFacts, where: str) -> ServerFacts:
    """`facts` with what the `/props` of one model tell."""
    fields = props.fields
    context_tokens = _context(fields)
    modalities = fields.get("modalities")
    vision = modalities.get("vision") if isinstance(modalities, dict) else None
    return replace(
        facts,
        version=_version(fields) or facts.version,
        context_tokens=context_tokens or facts.context_tokens,
        context_from=where if context_tokens else facts.context_from,
        vision=vision if isinstance(vision, bool) else facts.vision,
        slots=count(fields.get("total_slots")),
    )


async def by_template(sight: Sighting, facts: ServerFacts, at: str) -> ServerFacts:
    """`facts` with the strategy that `/apply-template` below `at` shows."""
    renderer = ByTemplate(sight.asker, f"{at}/apply-template", facts.model)
    return await rendered(renderer.render, facts, (facts.reasoning_field,))


async def _describe_router(sight: Sighting) -> ServerFacts:
    facts = sight.facts("llamacpp-router", sight.listing.loaded)
    row = sight.listing.row(facts.model)
    meta = row.get("meta")
    context_tokens = count(meta.get("n_ctx")) if isinstance(meta, dict) else None
    # here `context_length` is what the model was made for
    trained_tokens = facts.trained_tokens or count(row.get("context_length"))
    facts = replace(
        facts,
        version=_version(sight.props.fields),
        context_tokens=context_tokens,
        context_from=LISTED if context_tokens else "",
        trained_tokens=trained_tokens,
        trained_from=LISTED if trained_tokens else "",
    )
    if not facts.loaded:
        return replace(facts, strategy_why=NOT_LOADED)
    return await by_template(sight, facts, root(sight.base_url))


def _version(props: Mapping[str, Any]) -> str:
    """`b11549`; empty where it was built without its history, which tells `b0-unknown`."""
    build = str(props.get("build_info", "")).split("-")[0]
    return "" if build == "b0" else build


def _own_name(props: Mapping[str, Any]) -> str:
    own = props.get("model_alias") or PurePath(str(props.get("model_path", ""))).name
    return str(own) or "default"


def _context(props: Mapping[str, Any]) -> int | None:
    """Of one slot; a router tells 0."""
    settings = props.get("default_generation_settings")
    return count(settings.get("n_ctx")) if isinstance(settings, dict) else None
