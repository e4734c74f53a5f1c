"""What a block is as text: the model's own words, not what is drawn of them. Pure."""

from qcode.protocol.display import DiffBlock, OutputBlock
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


def written(block: Block) -> str:
    """For the clipboard."""
    match block:
        case PromptBlock(text=text) | AnswerBlock(text=text) | ReasoningBlock(text=text):
            return text
        case NoteBlock(text=text):
            return text
        case TurnBlock():
            return block.detail
        case ShellBlock():
            return f"$ {block.command}\n{block.output}"
        case CallBlock():
            return _call(block)


def _call(block: CallBlock) -> str:
    """A change as a patch, a command with its output, else the summary."""
    parts = []
    for one in block.blocks:
        match one:
            case DiffBlock(patch=patch):
                parts.append(patch)
            case OutputBlock(command=command, tail=tail):
                parts.append(f"$ {command}\n{tail}")
    return "\n".join(parts) or f"{block.name} {block.summary}\n{block.output}".rstrip()
