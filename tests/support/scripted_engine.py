"""An engine that says what a test wrote down, for testing front ends without a server."""

import asyncio
from collections.abc import AsyncIterator, Sequence

from qcode.protocol.events import AnyEvent
from qcode.protocol.inputs import Cancel, Input, Prompt

Script = Sequence[AnyEvent]


class ScriptedEngine:
    """Says `script` after a Prompt and `after_cancel` after a Cancel; records its inputs."""

    def __init__(self, script: Script, after_cancel: Script = ()) -> None:
        self.script = script
        self.after_cancel = after_cancel
        self.inputs: list[Input] = []
        self.closed = False
        self._queue: asyncio.Queue[AnyEvent | None] = asyncio.Queue()

    def submit(self, given: Input) -> None:
        """Record it, and say what the script has for it."""
        self.inputs.append(given)
        said = {Prompt: self.script, Cancel: self.after_cancel}.get(type(given), ())
        for event in said:
            self._queue.put_nowait(event)

    async def events(self) -> AsyncIterator[AnyEvent]:
        """Everything that was said, until `close`."""
        while (event := await self._queue.get()) is not None:
            yield event

    async def close(self) -> None:
        """End the events."""
        self.closed = True
        self._queue.put_nowait(None)
