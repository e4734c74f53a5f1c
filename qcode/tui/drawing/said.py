"""The small things: words of the person, notes of the machine, the end of a turn."""

from collections.abc import Sequence

from msgspec.structs import replace

from qcode.protocol.cells import cells
from qcode.tui.blocks import NoteBlock, PromptBlock, TurnBlock
from qcode.tui.drawing.bodies import beyond
from qcode.tui.drawing.margin import INDENT, ornament
from qcode.tui.drawing.view import View
from qcode.tui.drawing.visible import safe
from qcode.tui.drawing.words import count, seconds
from qcode.tui.drawing.wrap import wrap, wrap_text
from qcode.tui.lines import Line, Span, line

MOST_ROWS = 20
"""Of a prompt, until it is opened."""
_SEEN_CHARACTERS = 10_000
"""Of a prompt, until it is opened: more than there are in so many rows."""
_OPENED_CHARACTERS = 100_000
"""Of a prompt that is opened: nobody reads more here, and all of it would take a second."""
_LABELS = {"prompt": "", "steer": "while it ran: ", "queued": "queued: ", "qcode": "qcode: "}
_ENDS = {
    "cancelled": "Stopped.",
    "max_steps": "Stopped: as many steps as are allowed.",
    "max_tool_calls": "Stopped: as many tool calls as are allowed.",
    "max_tokens": "Stopped: as many tokens as are allowed.",
    "max_wall_time": "Stopped: the time is over.",
    "denied": "Stopped: what the model asked for was denied again and again.",
    "loop": "Stopped: the model repeats itself.",
    "empty": "The model said nothing.",
    "verify_failed": "The check still fails.",
    "error": "It could not go on.",
}
_QUIET_ENDS = ("end_turn", "cancelled")


def prompt(block: PromptBlock, view: View) -> list[Line]:
    """` ❯ words`; a long one is cut until it is opened."""
    style = "dim" if block.kind == "qcode" else "text"
    label = _LABELS[block.kind]
    text = block.text.strip("\n")
    seen = text[: _OPENED_CHARACTERS if view.opened else _SEEN_CHARACTERS]
    first, *rest = safe(seen).strip("\n").expandtabs(4).split("\n")
    lines = wrap(
        [Span(label, "dim")] * bool(label) + [Span(first, style)] * bool(first), _room(view)
    )
    lines[0] = replace(lines[0], skip=cells(label))
    lines += wrap_text("\n".join(rest), _room(view), style) if rest else []
    more = beyond(text[len(seen) :], _room(view))
    if len(lines) + more > MOST_ROWS and not view.opened:
        hidden = len(lines) - MOST_ROWS + 1 + more
        lines = [*lines[: MOST_ROWS - 1], line(Span(f"… {count(hidden, 'more row')}", "faint"))]
    elif more:
        words = f"… {count(more, 'more row')}; Alt+C copies all of it"
        lines.append(line(Span(words, "faint")))
    if block.images:
        lines += wrap_text(f"with {count(block.images, 'image')}", _room(view), "dim")
    mark = Span(" ❯ ", "faint" if block.kind in ("queued", "qcode") else "prompt")
    return ornament(lines, mark, INDENT)


def note(block: NoteBlock, view: View) -> list[Line]:
    """`└ words`, or `! words` where something is wrong."""
    loud = block.level in ("warning", "error")
    style = block.level if loud else "dim"
    return sub(block.text, Span("   ! ", style) if loud else Span("   └ ", "faint"), style, view)


def turn(block: TurnBlock, view: View) -> list[Line]:
    """What the turn took; above it why it did not end well, in full."""
    took = [
        *([count(block.steps, "step")] if block.steps else []),
        *([seconds(block.seconds)] if block.seconds else []),
        *([count(block.generated, "token")] if block.generated else []),
        *([f"{seconds(block.waited)} waiting for you"] if block.waited >= 1 else []),
    ]
    lines = []
    if block.reason != "end_turn":
        why = block.detail or _ENDS.get(block.reason, block.reason)
        style = "dim" if block.reason in _QUIET_ENDS else "error"
        lines += sub(why, Span("   ! " if style == "error" else "   — ", style), style, view)
    elif block.detail:
        lines += sub(block.detail, Span("   — ", "dim"), "dim", view)
    return lines + (sub(" · ".join(took), Span("   — ", "faint"), "dim", view) if took else [])


def sub(text: str, mark: Span, style: str, view: View) -> list[Line]:
    """Words behind a mark, hanging."""
    width = cells(mark.text)
    lines = wrap_text(safe(text).strip("\n"), view.text - width, style)
    return ornament(lines, mark, Span(" " * width))


def notes(texts: Sequence[str], view: View) -> list[Line]:
    """Sub-lines of a card."""
    return [row for text in texts for row in sub(text, Span("     └ ", "faint"), "dim", view)]


def _room(view: View) -> int:
    return view.text - cells(INDENT.text)
