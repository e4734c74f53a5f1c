"""First and last row of the screen as lines, for any width. Pure.

What does not fit goes in this order, the least important first: the bar of the context, the
phase's third word (its rate), the share that was reused, the phase's second word (time, reason),
the context's maximum, the thinking budget, the key for the mode, the count of queued words, the
context, the word on the fence. The mode and the phase stay; at last the phase is cut.
"""

from collections.abc import Iterable, Mapping

from qcode.engine import telling
from qcode.protocol.cells import cells, fit
from qcode.tui.drawing.words import short
from qcode.tui.lines import Line, Span, line
from qcode.tui.phases import phase_parts
from qcode.tui.status import Status

Piece = tuple[Span, ...]

BAR_CELLS = 9
NEARLY_FULL = 0.85
"""Share of the context from which on it is said in the colour of a warning."""
BETWEEN, APART = "   ", "  "
_FULL, _EMPTY = "█", "░"

_DROPS: tuple[tuple[str, int], ...] = (
    *(("context", 1), ("phase", 1), ("reused", 1), ("phase", 2), ("context", 2)),
    *(("think", 1), ("mode", 1), ("queued", 1), ("context", 3), ("mode", 2)),
)
"""Which piece takes which of its forms next; form 0 is the longest."""


def footer_line(status: Status, now: float, width: int) -> Line:
    """Left what the person sets, beside it the context, at the right what the machine does."""
    forms = _forms(status, now)
    chosen = dict.fromkeys(forms, 0)
    for name, form in _DROPS:
        if _width(forms, chosen) <= width:
            break
        chosen[name] = form
    left, phase = _left(forms, chosen), _at(forms["phase"], chosen["phase"])
    return _two_ends(left, phase, width)


def _forms(status: Status, now: float) -> Mapping[str, tuple[Piece, ...]]:
    return {
        "mode": _mode(status),
        "think": _think(status),
        "context": _context(status),
        "reused": _reused(status),
        "queued": _queued(status),
        "phase": _phase(status, now),
    }


def _mode(status: Status) -> tuple[Piece, ...]:
    if not status.mode:
        return ((),)
    word = Span(f"{status.mode} mode", f"mode.{status.mode}")
    fence = _FENCES.get(status.fence, ())
    return ((word, *fence, Span(" ⇧⇥", "faint")), (word, *fence), (word,))


_FENCES: Mapping[str, Piece] = {
    "holds": (Span(" · fenced", "dim"),),
    "none": (Span(" · no fence", "warning"),),
    "off": (Span(" · no fence", "warning"),),
}
"""What stands around commands, in a word."""


def _think(status: Status) -> tuple[Piece, ...]:
    budget = status.thinking_budget
    if budget is None:
        return ((), ())
    return ((Span("think ", "dim"), Span(short(budget) if budget else "off", "dim")), ())


def _context(status: Status) -> tuple[Piece, ...]:
    used, most = status.used_tokens, status.context_tokens
    if not used and not most:
        return ((), (), (), ())
    about = "~" if status.estimated and used else ""
    if not most:
        told: Piece = (Span(f"ctx {about}{short(used)}", "dim"),)
        return (told, told, told, ())
    share = used / most
    style = "warning" if share >= NEARLY_FULL else "dim"
    whole = (Span(f"ctx {about}{short(used)} of {short(most)}", style),)
    percent = (Span(f"ctx {about}{100 * share:.0f} %", style),)
    return ((*whole, Span(" "), *bar(share, BAR_CELLS)), whole, percent, ())


def bar(share: float, size: int) -> Piece:
    """`▕██░░░▏`; anything at all is a full cell at least."""
    full = min(size, max(round(share * size), 1 if share > 0 else 0))
    ends = Span("▕", "faint"), Span("▏", "faint")
    return (ends[0], Span(_FULL * full, "bar"), Span(_EMPTY * (size - full), "bar.empty"), ends[1])


def _reused(status: Status) -> tuple[Piece, ...]:
    if status.reused is None:
        return ((), ())
    return ((Span(f"reused {100 * status.reused:.0f} %", "dim"),), ())


def _queued(status: Status) -> tuple[Piece, ...]:
    count = len(status.queued) if status.turn_since is not None else 0
    return ((Span(f"{count} queued", "accent"),), ()) if count else ((), ())


def _phase(status: Status, now: float) -> tuple[Piece, ...]:
    parts = phase_parts(status, now)
    if not parts and not status.mode:
        return ((Span("no server yet", "warning"),),)
    if not parts:
        rate = status.write_rate
        return ((Span(f"{rate:,.0f} tok/s", "faint"),), (), ()) if rate else ((), (), ())
    style = {"asking": "warning", "gone": "error", "retrying": "warning", "rereading": "warning"}
    head = Span(parts[0], style.get(status.phase, "accent"))
    return tuple(
        (head, *(Span(f" · {part}", "dim") for part in parts[1:most])) for most in (9, 2, 1)
    )


def _left(forms: Mapping[str, tuple[Piece, ...]], chosen: Mapping[str, int]) -> Piece:
    names = ("mode", "think", "context", "reused", "queued")
    return _joined(_at(forms[name], chosen[name]) for name in names)


def _joined(pieces: Iterable[Piece]) -> Piece:
    spans: list[Span] = []
    for piece in pieces:
        if piece:
            spans += [Span(BETWEEN)] if spans else []
            spans += piece
    return tuple(spans)


def _at(forms: tuple[Piece, ...], chosen: int) -> Piece:
    return forms[min(chosen, len(forms) - 1)]


def _width(forms: Mapping[str, tuple[Piece, ...]], chosen: Mapping[str, int]) -> int:
    right = _at(forms["phase"], chosen["phase"])
    return 2 + _cells(_left(forms, chosen)) + (len(BETWEEN) + _cells(right) if right else 0)


def _cells(spans: Piece) -> int:
    return sum(cells(span.text) for span in spans)


def _two_ends(left: Piece, right: Piece, width: int) -> Line:
    """A blank at both edges; what is at the right gives way, then what is at the left."""
    room = width - 2
    left = _cut(left, room)
    right = _cut(right, room - _cells(left) - len(APART))
    gap = width - 2 - _cells(left) - _cells(right)
    return line(Span(" "), *left, Span(" " * max(gap, 0)), *right, Span(" "))


def _cut(spans: Piece, width: int) -> Piece:
    """At most so many cells."""
    kept: list[Span] = []
    left = width
    for span in spans:
        if left <= 0:
            break
        text = span.text if cells(span.text) <= left else fit(span.text, left)
        kept.append(span._replace(text=text))
        left -= cells(text)
    return tuple(kept)


def header_line(status: Status, folder: str, width: int) -> Line:
    """`qcode`, where it works, the branch and its changes, the model. The server's name goes
    first, then the changes, the session's name, the branch; then the folder loses its head."""
    model = telling.model(status.model)
    server = status.server.partition(" ")[0]
    for level in range(5):
        left = _header_left(status, folder, level)
        right = _header_right(model, server if level < 1 else "")
        git = _git(status, level)
        whole = _joined((left, git))
        if 2 + _cells(whole) + len(BETWEEN) + _cells(right) <= width:
            return _two_ends(whole, right, width)
    room = width - 2 - len(APART) - min(_cells(right), width // 2)
    left = (_NAME, Span(APART), Span(_tail(folder, room - cells(_NAME.text) - len(APART)), "text"))
    return _two_ends(left, right, width)


_NAME = Span("qcode", "strong")


def _header_left(status: Status, folder: str, level: int) -> Piece:
    named = status.name and level < 3
    name = (Span(f"  {fit(status.name, 40)}", "accent"),) if named else ()
    return (_NAME, Span(APART), Span(folder, "text"), *name)


def _header_right(model: str, server: str) -> Piece:
    if not model:
        return (Span(server, "dim"),) if server else ()
    return (Span(model, "text"), *((Span(f" · {server}", "dim"),) if server else ()))


def _git(status: Status, level: int) -> Piece:
    if not status.branch or level > 3:
        return ()
    changes = (Span(f" {status.changes}", "dim"),) if status.changes and level < 2 else ()
    return (Span(status.branch, "dim"), *changes)


def _tail(path: str, width: int) -> str:
    """The end of a path, which tells more than its head."""
    if cells(path) <= width:
        return path
    while path and cells(path) > width - 1:
        path = path[1:]
    return f"…{path}" if width > 0 else ""
