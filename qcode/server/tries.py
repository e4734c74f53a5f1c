"""How often one answer was asked for, how long it was waited for, and what is said about it."""

import time
from typing import Literal

from qcode.protocol.errors import ServerGone
from qcode.protocol.events import Retried, ServerState
from qcode.server.endpoint import Patience
from qcode.server.failures import Broken, Busy, Unreachable

QUICK_SECONDS = 0.3
"""Before the one retry at an address where nobody has been seen yet."""

State = Literal["loading", "waking", "busy", "gone"]


class Tries:
    """The patience that one answer has used up."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._broken = 0
        self._state: State | None = None
        self._since = 0.0
        self._looks = 0
        """How often the server was found in this state."""
        self._told = 0.0
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
        state = self.in_state("loading", where)
        self.is_up = True
        if self._is_over(self._patience.loading_seconds):
            raise ServerGone(
                f"{where} still loads its model after {state.seconds:.0f} s. "
                "Look at the server's own output, or try again later."
            )
        return state

    def while_busy(self, busy: Busy) -> tuple[ServerState, float]:
        """Count the time of being put off; also how long to wait. Raises its error at the end."""
        state = self.in_state("busy", busy.because)
        self.is_up = True
        if self._is_over(self._patience.busy_seconds):
            waited = f" It was asked for {state.seconds:.0f} s." if state.seconds >= 1 else ""
            raise type(busy.error)(f"{busy.error}{waited}") from busy
        grown = self._patience.wait_seconds(self._looks)
        if busy.wait_seconds is None:
            return state, grown
        return state, busy.wait_seconds if self._looks == 1 else max(busy.wait_seconds, grown)

    def while_gone(self, because: str) -> tuple[ServerState | None, float]:
        """Count the time of its absence, for nobody watches: what to tell, if it is time to, and
        how long to wait."""
        state = self.in_state("gone", because)
        longest = self._patience.absence_seconds
        doubled: float = self._patience.first_wait_seconds * 2.0 ** min(self._looks - 1, 30)
        if self._looks > 1 and time.monotonic() - self._told < longest:
            return None, min(doubled, longest)
        self._told = time.monotonic()
        return state, min(doubled, longest)

    def again(self, seen: ServerState) -> ServerState:
        """What the server was seen to do, with how long it has been doing it."""
        self.is_up = True
        if seen.state == "back":
            return seen
        return self.in_state(seen.state, seen.detail)

    def in_state(self, state: State, detail: str) -> ServerState:
        """Note what the server does instead of answering, and since when."""
        if self._state != state:
            self._state, self._since, self._looks = state, time.monotonic(), 0
        self._looks += 1
        return ServerState(state, detail, time.monotonic() - self._since)

    def back(self) -> ServerState | None:
        """The server answers: tell it if it did something else before."""
        was, self._state = self._state, None
        self.is_up = True
        return ServerState("back", seconds=time.monotonic() - self._since) if was else None

    def _is_over(self, limit_seconds: float) -> bool:
        passed = time.monotonic() - self._since
        return passed > limit_seconds and not self._patience.unattended
