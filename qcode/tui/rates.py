"""Tokens in a second over the last moments, from deltas alone. Pure."""

import msgspec

WINDOW_SECONDS = 2.0
GRAIN_SECONDS = 0.1
"""Deltas nearer than this to each other are one sample: their number stays small."""
LEAST_SECONDS = 0.3
"""Of samples, before a rate is told."""


class Pace(msgspec.Struct, frozen=True):
    """What came lately."""

    samples: tuple[tuple[float, float], ...] = ()
    """When, and tokens in all up to then; the oldest first."""
    tokens: float = 0.0
    """In all."""

    def add(self, tokens: float, now: float) -> "Pace":
        """So many more by now."""
        total = self.tokens + tokens
        kept = [one for one in self.samples if now - one[0] <= WINDOW_SECONDS]
        if len(kept) > 1 and now - kept[-2][0] < GRAIN_SECONDS:
            kept.pop()
        return Pace((*kept, (now, total)), total)

    def rate(self, now: float) -> float:
        """Tokens in a second; 0 = nothing came lately, or too little to tell."""
        kept = [one for one in self.samples if now - one[0] <= WINDOW_SECONDS]
        if len(kept) < 2 or kept[-1][0] - kept[0][0] < LEAST_SECONDS:
            return 0.0
        return (kept[-1][1] - kept[0][1]) / max(now - kept[0][0], LEAST_SECONDS)

    def silent(self, now: float) -> float:
        """Seconds since anything came; 0 = nothing has yet."""
        return now - self.samples[-1][0] if self.samples else 0.0


NO_PACE = Pace()
