"""Which hosts this run goes to by itself: each is told once, for the log; and which of them are
endpoints, so that nothing else of it goes there."""

from collections.abc import Iterable
from typing import Literal

from qcode.engine.say import Say
from qcode.protocol.events import Connected
from qcode.protocol.hosts import origin


class Connections:
    """Says `Connected` for the endpoint and for `fetch`; commands have the gate."""

    def __init__(self, say: Say, base_urls: Iterable[str] = ()) -> None:
        """With the endpoints of the settings, whether they are used or not."""
        self._say = say
        self._told: set[Connected] = set()
        self._endpoints = {origin(url) for url in base_urls}

    def endpoints(self) -> frozenset[tuple[str, int]]:
        """Where a model's server answers, host and port; no tool and no command may go there."""
        return frozenset(self._endpoints)

    def is_endpoint(self, host: str, port: int) -> bool:
        """Whether it is one of them."""
        return (host, port) in self._endpoints

    def is_served(self, port: int) -> bool:
        """Whether one of them has this port, on whatever host."""
        return any(port == one for _, one in self._endpoints)

    def arrived(self, base_url: str) -> None:
        """The model's server answers there."""
        self._endpoints.add(origin(base_url))
        self._tell(Connected(*origin(base_url), "endpoint", "allow"))

    def fetch(self, host: str, port: int, answer: Literal["allow", "deny"], because: str) -> None:
        """A page is fetched from there, or is not. Raises SessionNotSaved: then it is not."""
        self._tell(Connected(host, port, "fetch", answer, because))

    def _tell(self, event: Connected) -> None:
        if event not in self._told:
            self._told.add(event)
            self._say(event)
