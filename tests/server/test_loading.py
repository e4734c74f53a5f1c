"""What llama-swap says while it loads a model is a state of the server, never reasoning."""

import pytest

from qcode.protocol.events import ServerState
from qcode.protocol.messages import AssistantMessage, Reasoning, Text
from qcode.server.reader import Reader
from tests.server.streams import delta, end, read, shown

SAID = "━━━━━\nllama-swap loading model: qwen\nWarming up ...\nDone! (12.3s)\n━━━━━\n \n"


@pytest.mark.parametrize("size", [1, 2, 7, 200])
def test_it_is_told_as_loading_and_not_stored(size: int) -> None:
    pieces = [SAID[at : at + size] for at in range(0, len(SAID), size)]
    data = b"".join(delta(reasoning_content=piece) for piece in pieces)
    data += delta(reasoning_content="so") + delta(content="Hello.") + end()
    message = read(data, Reader("on")).message
    assert message == AssistantMessage((Reasoning("so"), Text("Hello.")))


def test_its_lines_are_shown_as_they_come() -> None:
    lines = SAID.splitlines(keepends=True)
    items = shown(*(delta(reasoning_content=line) for line in lines))
    assert items == [
        ServerState("loading", "llama-swap loading model: qwen"),
        ServerState("loading", "Warming up ..."),
        ServerState("loading", "Done! (12.3s)"),
    ]


def test_remarks_that_never_end_are_not_stored_either() -> None:
    data = delta(reasoning_content="━━━━━\nllama-swap loading model: qwen\n..") + end()
    assert read(data).message.parts == ()


@pytest.mark.parametrize(
    "text", ["━━━ three strokes", "so ━━━━━ five", "━", "━━━━━ five to begin with", "━━━━━"]
)
def test_other_strokes_are_reasoning(text: str) -> None:
    assert read(delta(reasoning_content=text) + end()).message.reasoning == text
