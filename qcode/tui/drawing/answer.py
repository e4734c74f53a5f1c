"""The model's words. Those that stream are found again by how they begin."""

from msgspec.structs import replace

from qcode.tui.blocks import AnswerBlock
from qcode.tui.drawing.growing import Growing
from qcode.tui.drawing.view import View
from qcode.tui.lines import Line

_MOST = 4
_growing: list[Growing] = []
"""The answers that stream; only a matter of speed, never of what is drawn."""


def answer(block: AnswerBlock, view: View) -> tuple[Line, ...]:
    """Markdown; what does not count any more is dim."""
    growing = _taken(block.text, view.width)
    if block.state == "open":
        _growing.insert(0, growing)
        del _growing[_MOST:]
        return growing.lines(block.text, view.width)
    lines = growing.whole(block.text, view.width)
    return tuple(map(_dim, lines)) if block.state == "void" else lines


def _taken(text: str, width: int) -> Growing:
    """The one that has come as far as the longest beginning of `text`, or a new one."""
    fitting = [one for one in _growing if one.width == width and text.startswith(one.text)]
    if not fitting:
        return Growing()
    best = max(fitting, key=lambda one: len(one.text))
    _growing.remove(best)
    return best


def _dim(line: Line) -> Line:
    return replace(line, spans=tuple(span._replace(style="faint") for span in line.spans))
