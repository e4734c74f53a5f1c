"""Any other server that speaks chat completions: what `/v1/models` tells, and nothing more."""

from qcode.server.base import ServerFacts
from qcode.server.models import Listing, pick
from qcode.server.quirks import QUIRKS


def describe(base_url: str, name: str, listing: Listing) -> ServerFacts:
    """The facts. Raises UnknownModel when the server lists names and `name` is none of them."""
    model = pick(base_url, name, listing)
    return ServerFacts(
        kind="generic",
        version="",
        base_url=base_url,
        model=model,
        models=listing.names,
        context_tokens=listing.context(model),
        strategy="plain",
        strategy_why="the server cannot render",
        reasoning_field=QUIRKS["generic"].reasoning_field,
    )
