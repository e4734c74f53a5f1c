"""What the tests of drawings share."""

from collections.abc import Iterable

from qcode.protocol.cells import cells
from qcode.tui.blocks import AnswerBlock, Block
from qcode.tui.drawing.draw import draw
from qcode.tui.drawing.view import View
from qcode.tui.lines import Line


def shown(block: Block, width: int = 80, **view: float) -> list[str]:
    """The rows as they are seen."""
    made = draw(block, View(width, opened=bool(view.get("opened")), now=view.get("now", 0.0)))
    return [line.text for line in made]


def answered(text: str, width: int = 80) -> tuple[Line, ...]:
    """A finished answer."""
    return draw(AnswerBlock(text, "done"), View(width))


def copied(lines: Iterable[Line]) -> str:
    """What selecting all of it puts on the clipboard."""
    made = "".join(line.joins + _behind(line.text, line.skip) for line in lines)
    return made.removeprefix("\n")


def styles(lines: Iterable[Line], text: str) -> set[str]:
    """Of the spans that have this text in them."""
    return {span.style for line in lines for span in line.spans if text in span.text}


def _behind(text: str, skip: int) -> str:
    while text and skip > 0:
        skip -= cells(text[0])
        text = text[1:]
    return text
