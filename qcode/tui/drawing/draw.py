"""A block of the conversation -> the lines that show it."""

from qcode.tui.blocks import (
    AnswerBlock,
    Block,
    CallBlock,
    NoteBlock,
    PromptBlock,
    ReasoningBlock,
    ShellBlock,
    TurnBlock,
)
from qcode.tui.drawing import said
from qcode.tui.drawing.answer import answer
from qcode.tui.drawing.card import card, shell
from qcode.tui.drawing.reasoning import reasoning
from qcode.tui.drawing.view import View
from qcode.tui.lines import Line


def draw(block: Block, view: View) -> tuple[Line, ...]:
    """All lines of the block, none wider than `view.width`; no blank line around them."""
    match block:
        case AnswerBlock():
            return answer(block, view)
        case PromptBlock():
            return tuple(said.prompt(block, view))
        case ReasoningBlock():
            return tuple(reasoning(block, view))
        case CallBlock():
            return tuple(card(block, view))
        case NoteBlock():
            return tuple(said.note(block, view))
        case ShellBlock():
            return tuple(shell(block, view))
        case TurnBlock():
            return tuple(said.turn(block, view))
