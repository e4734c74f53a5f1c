"""When nobody has used a server for long enough. Knows no clock but the one it is told."""


class Idle:
    """Watches how many use it."""

    def __init__(self, limit_seconds: float, now: float) -> None:
        self._limit = limit_seconds
        self._last = now

    def is_over(self, users: int, now: float) -> bool:
        """Note who is there at `now`; whether it is time to stop."""
        if users:
            self._last = now
        return now - self._last >= self._limit
