"""What a fence has on the disk while it stands: placeholders, and its private /tmp."""

import os
from pathlib import Path

from qcode.sandbox import placeholders, sockets
from qcode.sandbox.ground import Ground
from qcode.sandbox.passing import pass_away, passing
from qcode.sandbox.plan import Plan, plan


class Standing:
    """For all commands of a session."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._tmp: Path | None = None

    def stand(self) -> tuple[tuple[int, ...], Plan]:
        """What holds the placeholders, and the plan for a command. Raises OSError."""
        held: list[int] = []
        try:
            held.extend(placeholders.hold(it.folder) for it in self._ground.guarded())
            made = plan(self._ground, self._private(), sockets.bound())
            for descriptor, (_, missing) in zip(held, made.missing, strict=True):
                placeholders.place(descriptor, missing)
        except BaseException:
            for descriptor in held:
                os.close(descriptor)
            raise
        return tuple(held), made

    def sweep(self) -> None:
        """Take the placeholders away unless another fence needs them. Never raises."""
        for it in self._ground.guarded():
            placeholders.sweep(it.folder)

    def close(self) -> None:
        """The private /tmp goes as well. Never raises."""
        self.sweep()
        if self._tmp is not None:
            pass_away(self._tmp)
            self._tmp = None

    def _private(self) -> Path:
        """Kept over the commands of a session: what one writes to /tmp, the next one reads."""
        if self._tmp is None or not self._tmp.is_dir():
            self._tmp = passing().resolve()
        return self._tmp
