"""What was seen of a server when it was found, and the facts that follow from its row alone."""

from collections.abc import Collection

import msgspec

from qcode.server.ask import Asker, NoAnswer, Reply
from qcode.server.base import ServerFacts
from qcode.server.endpoint import root
from qcode.server.models import Listing, Picked, pick
from qcode.server.quirks import QUIRKS

CANNOT_RENDER = "the server cannot render"
NOT_LOADED = "the model is not loaded yet"
LISTED = "/v1/models"


class Sighting(msgspec.Struct, frozen=True):
    """A server that answered, and what it answered to the first questions."""

    asker: Asker
    base_url: str
    name: str
    """The model that was asked for; empty = any."""
    props: Reply
    """Of `/props`."""
    listed: Reply
    """Of `/v1/models`."""
    listing: Listing

    async def get(self, path: str) -> Reply:
        """Ask a path from the root; no answer is status 0."""
        try:
            return await self.asker.get(root(self.base_url) + path)
        except NoAnswer:
            return Reply(0)

    def facts(self, kind: str, loaded: Collection[str] | None = None) -> ServerFacts:
        """All that the row and the list of models tell; adapters replace what they know better.

        `loaded` = the models in memory, None = not told. Raises UnknownModel.
        """
        row, listing = QUIRKS[kind], self.listing
        picked = Picked(self.name, "named")
        if not self.name or row.model_name == "checked":
            picked = pick(self.base_url, self.name, listing.names, loaded or ())
        context_tokens = listing.context(picked.model)
        trained_tokens = listing.trained(picked.model)
        return ServerFacts(
            kind=kind,
            version="",
            base_url=self.base_url,
            model=picked.model,
            models=listing.names,
            context_tokens=context_tokens,
            strategy="plain",
            strategy_why=CANNOT_RENDER,
            reasoning_field=row.reasoning_field,
            context_from=LISTED if context_tokens else "",
            trained_tokens=trained_tokens,
            trained_from=LISTED if trained_tokens else "",
            vision=listing.vision(picked.model),
            continues=bool(row.continuation),
            picked_why=picked.why,
            loaded=None if loaded is None else picked.model in loaded,
        )
