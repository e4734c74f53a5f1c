"""Asks about what the folder configures, before the first session."""

import asyncio
from collections.abc import Callable

from qcode.tui.acts.hands import Hands
from qcode.tui.home import Configured
from qcode.tui.screens.trust import Answer, TrustScreen
from qcode.tui.widgets.header import short_folder


async def settled(hands: Hands, asked: Configured, written: Callable[[], str]) -> bool:
    """Show it and do what the person wants; False = they leave. `written`: what stands in
    the prompt, where keys may still be on their way when the question comes."""
    screen = TrustScreen(hands.palette, short_folder(hands.home.folder), asked)
    answer: Answer | None = await hands.ask(screen)
    if screen.typed:
        hands.write(written() + screen.typed)
    if answer == "leave" or answer is None:
        return False
    if answer != "later" and (trouble := await asyncio.to_thread(asked.settle, answer)):
        hands.say(trouble, "warning")
    return True
