"""`/context`: what fills the window."""

import asyncio
from collections.abc import Sequence

from qcode.engine.contents import contents
from qcode.protocol.events import AnyEvent
from qcode.tui.contents_page import contents_lines
from qcode.tui.lines import Span, line
from qcode.tui.paint import Paint
from qcode.tui.screens.page import Page


class ContextScreen(Page):
    """Weighs all texts of the conversation in a thread, then shows them."""

    def __init__(
        self, paint: Paint, events: Sequence[AnyEvent], context_tokens: int | None = None
    ) -> None:
        """`events`: all that the session's log has, so far. `context_tokens`: as loaded now."""
        waiting = line(Span(" counting …", "dim"))
        super().__init__(paint, "Context", lambda width: (waiting,))
        self._events = tuple(events)
        self._most = context_tokens

    def on_mount(self) -> None:
        self.run_worker(self._weigh(), name="context")

    async def _weigh(self) -> None:
        held = await asyncio.to_thread(contents, self._events, self._most)
        self.show(lambda width: contents_lines(held, width))
