"""`<think>` text becomes reasoning where the server left that to us, and stays text elsewhere."""

import pytest

from qcode.server.reader import Reader
from tests.server.streams import call, delta, end, read


@pytest.mark.parametrize(
    ("content", "reasoning", "text"),
    [
        ("<think>\nso\n</think>\n\nHello.", "so", "Hello."),
        ("\n<think>so</think>Hello.", "so", "Hello."),
        ("<think>\n\n</think>\n\nHello.", "", "Hello."),
        ("<think>\nnever closed", "never closed", ""),
        ("so\n</think>\n\nHello.", "so", "Hello."),
        ("so</think>\nHello.", "so", "Hello."),
        ("Use <think> and </think> tags.", "", "Use <think> and </think> tags."),
        ("The mark `</think>` ends it.", "", "The mark `</think>` ends it."),
        ("```\n</think>\n```\n", "", "```\n</think>\n```\n"),
        ("<thinking> is a word", "", "<thinking> is a word"),
        ("<th", "", "<th"),
        ("a < b", "", "a < b"),
        ("<think>a</thinker>b</think>c", "a</thinker>b", "c"),
    ],
)
def test_marks_are_read_however_the_text_is_cut(content: str, reasoning: str, text: str) -> None:
    for size in (1, 2, 5, 100):
        pieces = [content[at : at + size] for at in range(0, len(content), size)]
        data = b"".join(delta(content=piece) for piece in pieces) + end()
        message = read(data).message
        assert (message.reasoning, message.text) == (reasoning, text)


def test_a_second_block_is_reasoning_though_the_server_separates() -> None:
    data = delta(reasoning_content="so") + delta(content="<think>\nx\n</think>\ny") + end()
    message = read(data).message
    assert (message.reasoning, message.text) == ("so\n\nx", "y")


def test_a_lone_closing_mark_is_text_when_thinking_is_off() -> None:
    data = delta(content="so\n</think>\n\nHello.") + end()
    assert read(data, Reader("off")).message.text == "so\n</think>\n\nHello."


def test_text_held_back_for_a_mark_comes_before_the_call() -> None:
    message = read(delta(content="<th") + call(0, id="i", name="n", arguments="{}") + end()).message
    assert message.text == "<th"
