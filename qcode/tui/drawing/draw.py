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
from qcode.tui.drawing.answer import answer
from qcode.tui.drawing.margin import indented
from qcode.tui.drawing.view import View
from qcode.tui.drawing.visible import safe
from qcode.tui.drawing.wrap import wrap_text
from qcode.tui.lines import Line


def draw(block: Block, view: View) -> tuple[Line, ...]:
    """All lines of the block, none wider than `view.width`; no blank line around them."""
    match block:
        case AnswerBlock():
            return answer(block, view)
        case PromptBlock() | ReasoningBlock() | NoteBlock():
            text = block.text
        case CallBlock():
            text = f"{block.name} {block.summary}"
        case ShellBlock():
            text = f"! {block.command}\n{block.output}"
        case TurnBlock():
            text = block.detail or block.reason
    return tuple(indented(wrap_text(safe(text), view.text - 3)))
