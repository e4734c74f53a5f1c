"""`/bug`: a report as a file, shown before anybody sends it. Nothing leaves the machine by it."""

import asyncio
from collections.abc import Sequence

from qcode.protocol.errors import InputError
from qcode.protocol.events import TurnStarted
from qcode.tui.acts.hands import Acts, Hands
from qcode.tui.drawing.wrap import wrap, wrap_text
from qcode.tui.home import Report
from qcode.tui.lines import BLANK, Line, Span
from qcode.tui.screens.page import Page

MARGIN = 2


async def bug(hands: Hands, _: str) -> None:
    """Write it, and show what was written."""
    if hands.home.report is None:
        raise InputError("There is no report here; `qcode bug` in a shell writes one.")
    said = any(isinstance(event, TurnStarted) for event in hands.talk.events)
    session_id = hands.talk.session_id if said else ""
    made = await asyncio.to_thread(hands.home.report, session_id)
    hands.tell(f"A report about qcode is in {made.path}. Read it before you send it.")
    await hands.ask(Page(hands.palette, "Report", lambda width: report_lines(made, width)))


def report_lines(report: Report, width: int) -> Sequence[Line]:
    """Where it is, then every word of it."""
    cells = max(width - MARGIN, 1)
    where = f"It is in {report.path}. Read it before you send it: nobody has it yet."
    lines = [*wrap((Span(where, "accent"),), cells), BLANK]
    for row in report.text.rstrip("\n").split("\n"):
        if row.startswith("#"):
            lines += wrap((Span(row.lstrip("# "), "heading"),), cells)
        else:
            lines += wrap_text(row, cells) if row else [BLANK]
    return [line if line is BLANK else _set_in(line) for line in lines]


def _set_in(line: Line) -> Line:
    return Line((Span(" "), *line.spans))


ACTS: Acts = {"bug": bug}
