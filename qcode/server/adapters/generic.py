"""Servers that tell what `/v1/models` tells, and nothing more."""

from qcode.protocol.errors import UnknownModel
from qcode.server.adapters.sighting import Sighting
from qcode.server.ask import Reply
from qcode.server.base import ServerFacts
from qcode.server.models import Listing
from qcode.server.quirks import QUIRKS


def describe(sight: Sighting, kind: str = "generic") -> ServerFacts:
    """The facts. Raises UnknownModel when the server lists names and `name` is none of them."""
    loaded = sight.listing.loaded
    return sight.facts(kind, loaded if any(map(_tells, sight.listing.rows)) else None)


def describe_hosted(sight: Sighting, kind: str) -> ServerFacts:
    """The facts of a service that takes money: no model is picked there. Raises UnknownModel."""
    names = sight.listing.names
    if not sight.name and len(names) != 1:
        raise UnknownModel(
            f"{QUIRKS[kind].name} at {sight.base_url} lists {len(names)} models. Set `model`, or "
            "name one with --model."
        )
    return sight.facts(kind)


def is_transformers(props: Reply, listed: Reply, listing: Listing) -> bool:
    """`transformers serve` 5.23: models owned by the first half of their names, FastAPI's words
    for an unknown path, and an id for each request."""
    return (
        props.fields == {"detail": "Not Found"}
        and "x-request-id" in listed.headers
        and all(row.get("owned_by") == _author(str(row["id"])) for row in listing.rows)
    )


def _author(name: str) -> str:
    return name.partition("/")[0] if "/" in name else ""


def _tells(row: object) -> bool:
    return isinstance(row, dict) and not {"status", "state", "loaded"}.isdisjoint(row)
