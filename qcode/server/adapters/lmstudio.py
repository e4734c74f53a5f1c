"""LM Studio: the loaded context stands in its own API only. Docs of 2026-04-29.

It answers any path with status 200, so only bodies count. `/api/v1/models` came with 0.4.0; before
it `/api/v0/models`.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from msgspec.structs import replace

from qcode.server.adapters.sighting import Sighting
from qcode.server.ask import Reply
from qcode.server.base import ServerFacts
from qcode.server.models import Listing, count

_UNKNOWN_PATH = "Unexpected endpoint or method"


class Model(msgspec.Struct, frozen=True):
    """One model, or one loaded instance of it."""

    name: str
    trained_tokens: int | None
    vision: bool | None
    is_loaded: bool = False
    context_tokens: int | None = None


def recognises(props: Reply, models: Reply) -> bool:
    """By its answer to a path that it does not know, or by its own list."""
    error = props.fields.get("error")
    rows = models.fields.get("models")
    return (isinstance(error, str) and error.startswith(_UNKNOWN_PATH)) or (
        isinstance(rows, list)
        and any(isinstance(row, dict) and "loaded_instances" in row for row in rows)
    )


async def describe(sight: Sighting) -> ServerFacts:
    """The facts. Raises UnknownModel."""
    where = "/api/v1/models"
    known = tuple(_of_v1(await sight.get(where)))
    if not known:
        where = "/api/v0/models"
        known = tuple(_of_v0(await sight.get(where)))
    if known:  # without embedding models, which `/v1/models` lists too
        sight = replace(sight, listing=Listing(tuple({"id": one.name} for one in known)))
    facts = sight.facts("lmstudio", {one.name for one in known if one.is_loaded})
    model = next((one for one in known if one.name == facts.model), None)
    if model is None:
        return facts
    return replace(
        facts,
        context_tokens=model.context_tokens,
        context_from=where if model.context_tokens else "",
        trained_tokens=model.trained_tokens,
        trained_from=where if model.trained_tokens else "",
        vision=model.vision,
    )


def _of_v1(reply: Reply) -> Iterator[Model]:
    for row in _rows(reply, "models"):
        if row.get("type") not in ("llm", "vlm", None) or not row.get("key"):
            continue
        able = row.get("capabilities")
        vision = able.get("vision") if isinstance(able, dict) else None
        trained = count(row.get("max_context_length"))
        key, loaded = str(row["key"]), _objects(row.get("loaded_instances"))
        for instance in loaded:  # its id is the name that `/v1` takes; as a rule the key
            config = instance.get("config")
            context = count(config.get("context_length")) if isinstance(config, dict) else None
            name = str(instance.get("id") or key)
            yield Model(name, trained, vision, is_loaded=True, context_tokens=context)
        if not loaded:
            yield Model(key, trained, vision)


def _of_v0(reply: Reply) -> Iterator[Model]:
    for row in _rows(reply, "data"):
        if row.get("type") in ("llm", "vlm") and row.get("id"):
            yield Model(
                str(row["id"]),
                count(row.get("max_context_length")),
                row["type"] == "vlm",
                is_loaded=row.get("state") == "loaded",
                context_tokens=count(row.get("loaded_context_length")),
            )


def _rows(reply: Reply, field: str) -> list[Mapping[str, Any]]:
    return _objects(reply.fields.get(field))


def _objects(rows: object) -> list[Mapping[str, Any]]:
    """Those of a list; none of what is no list."""
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
