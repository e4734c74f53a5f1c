"""`/doctor`: what is wrong with the server, measured, while nothing else runs."""

import asyncio
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from qcode.protocol.errors import InputError
from qcode.tui.acts.hands import Acts, Hands
from qcode.tui.examined_page import is_anyway, summary
from qcode.tui.home import Examination
from qcode.tui.screens.examining import Ears, ExaminingScreen

if TYPE_CHECKING:  # whoever examines brings it
    from qcode.doctor.report import Report


async def doctor(hands: Hands, words: str) -> None:
    """Examine the server of the session; what was found stays in the conversation."""
    examine = hands.home.examine
    if examine is None:
        raise InputError("There is no examination here; `qcode doctor` in a shell makes one.")
    if hands.talk.busy:
        raise InputError("/doctor waits until nothing runs; Esc ends what does.")
    anyway = is_anyway(words)
    base_url, model = hands.held.base_url, hands.talk.status.model
    key = await asyncio.to_thread(hands.held.key_for, base_url)

    def look(ears: Ears) -> Coroutine[Any, Any, "Report"]:
        return examine(Examination(base_url, model, ears.said, ears.checks, key, anyway=anyway))

    screen = ExaminingScreen(hands.palette, look, hands.home.clock)
    await hands.ask(screen)
    if screen.found is not None:
        hands.tell(summary(screen.found))
    elif screen.failed:
        raise InputError(screen.failed)


ACTS: Acts = {"doctor": doctor}
