"""Old messages made shorter: results of calls become a note, reasoning goes. Pure.

The fold of the log and the engine, which wants to know beforehand what it would gain, use the same
function, so what is announced is what happens.
"""

from collections.abc import Iterator, Sequence

from qcode.protocol.messages import AssistantMessage, Message, Reasoning, ToolMessage
from qcode.protocol.text import one_line

HEAD_CHARACTERS = 120
"""Of a result's first line, which says what it was."""


def elided(messages: Sequence[Message], most_characters: int) -> list[Message]:
    """`messages` without reasoning, and with a note for each result longer than that.

    Calls keep their results and all words stay. An answer that was nothing but reasoning is left
    out: templates have no exact shape for an answer without any part.
    """
    return [short for message in messages for short in _shortened(message, most_characters)]


def _shortened(message: Message, most: int) -> Iterator[Message]:
    match message:
        case AssistantMessage(parts, finish):
            kept = tuple(part for part in parts if not isinstance(part, Reasoning))
            if kept:
                yield message if kept == parts else AssistantMessage(kept, finish)
        case ToolMessage(call_id, name, text, status) if len(text) > most:
            note = _note(text)
            yield ToolMessage(call_id, name, note, status) if len(note) < len(text) else message
        case _:
            yield message


def _note(text: str) -> str:
    return (
        f"{one_line(text, HEAD_CHARACTERS)}\n"
        f"(This result of {len(text):,} characters was taken out to make room. "
        "Call the tool again if you need it.)"
    )
