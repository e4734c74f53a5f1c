"""What is done about a model that repeats itself: each rung once a turn, the mildest first. Pure.

Repeat and DRY penalties are on no rung: they corrupt identifiers and paths.
"""

from collections.abc import Iterator
from typing import Literal

import msgspec
from msgspec.structs import replace

from qcode.engine.history import Tweak

Rung = Literal[0, 1, 2, 3, 4]
"""1 = the reasoning is closed, or the model is told that it repeats a call; 2 and 3 = a presence
penalty for the step; 4 = thinking off for the step; 0 = none is left."""

PENALTY = {2: 1.0, 3: 1.5}
WINDOW_TOKENS = 2_048
"""A presence penalty that looks back at less sees no loop."""


class Place(msgspec.Struct, frozen=True):
    """Where a loop was seen, as far as it matters for what can be done."""

    can_tell: bool
    """There is reasoning that can be closed, or a result that tells the model of it."""
    penalty: float | None
    """The presence penalty of the request; None = this server takes none."""
    thinks: bool


class Ladder:
    """The rungs of one turn."""

    def __init__(self) -> None:
        self._rungs = _up()

    def climb(self, place: Place) -> Rung:
        """The next rung that can help there; those below it are behind us."""
        return next((rung for rung in self._rungs if _helps(rung, place)), 0)

    def start_over(self) -> None:
        """A person wants it to go on."""
        self._rungs = _up()


def _up() -> Iterator[Rung]:
    yield from (1, 2, 3, 4)


def _helps(rung: Rung, place: Place) -> bool:
    if rung == 1:
        return place.can_tell
    if rung == 4:
        return place.thinks
    return place.penalty is not None and place.penalty < PENALTY[rung]


def changed(tweak: Tweak, rung: Rung) -> Tweak:
    """How the request behind a rung above the first differs from the settings."""
    if rung in PENALTY:
        return replace(tweak, presence_penalty=PENALTY[rung], penalty_window=WINDOW_TOKENS)
    return Tweak(thinking_budget=0)


def words(rung: Rung) -> str:
    """What was done, for people."""
    if rung == 1:
        return "its reasoning is closed before the loop; it goes on"
    if rung in PENALTY:
        return f"asked again with presence_penalty {PENALTY[rung]:g}"
    return "asked again with thinking off" if rung else "nothing is left to try"
