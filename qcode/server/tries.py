"""How often one answer was asked for, and what is said about it."""

import time

from qcode.protocol.errors import ServerGone
from qcode.protocol.events import Retried, ServerState
from qcode.server.endpoint import Patience
from qcode.server.failures import Broken, Unreachable

QUICK_SECONDS = 0.3
"""Before the one retry at an address where nobody has been seen yet."""


class Tries:
    """The patience that one answer has used up."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._broken = 0
        self._loading_since: float | None = None
        self.is_up = False
        """The server has answered since: when it goes away, it may come back."""

    def after_break(self, broken: Broken) -> Retried:
        """Count a failed try. Raises its error when it was the last."""
        self._broken += 1
        absent = isinstance(broken, Unreachable) and not self.is_up
        if self._broken >= (2 if absent else self._patience.tries):
            raise broken.error from broken
        wait_seconds = broken.wait_seconds
        if wait_seconds is None:
            wait_seconds = QUICK_SECONDS if absent else self._patience.wait_seconds(self._broken)
        return Retried(self._broken, broken.because, wait_seconds)

    def while_loading(self, where: str) -> ServerState:
        """Count the time of loading. Raises ServerGone when it takes too long."""
        now = time.monotonic()
        self._loading_since = self._loading_since or now
        seconds = now - self._loading_since
        if seconds > self._patience.loading_seconds:
            raise ServerGone(
                f"{where} still loads its model after {seconds:.0f} s. "
                "Look at the server's own output, or try again later."
            )
        self.is_up = True
        return ServerState("loading", where, seconds)

    def back(self) -> ServerState | None:
        """The server answers: tell it if it was loading before."""
        since, self._loading_since = self._loading_since, None
        self.is_up = True
        return None if since is None else ServerState("back", seconds=time.monotonic() - since)
