"""An answer that streams ends as it would be drawn at once, and costs no more than its end."""

import argparse
import inspect
import time
from collections.abc import Callable
from functools import partial
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qcode.tui.blocks import AnswerBlock
from qcode.tui.drawing.draw import draw
from qcode.tui.drawing.growing import Growing
from qcode.tui.drawing.view import View
from qcode.tui.lines import Line

ROWS = st.sampled_from(
    [
        *("", "", "  ", "words", "more *words* here", "# head", "## head", "---", "===", "***"),
        *(
            "- one",
            "- [ ] do",
            "- [x] did",
            "  - two",
            " - odd",
            "   - odder",
            "-",
            "* star",
            "+ plus",
        ),
        *("1. first", "2. second", "2", "10) tenth", "   inside", "    code", "\tcode", "> said"),
        *(
            "> > deeper",
            ">",
            "> - item",
            "```",
            "```py",
            "def f(): return '''",
            "'''",
            "  ```",
            "~~~",
        ),
        *("| a | b |", "|---|:-:|", "| 1 | 2<br>3 |", "|", "<div>", "</div>", "<!-- x", "-->"),
        *("[a]: http://x.y", "see [a] and [b](http://b.c)", "![pic](a.png)", "`code`", "`open"),
        *(
            "a\u200bb\u202ec",
            "中文字" * 12,
            "x" * 50,
            "\x1b[31mred\x1b[0m",
            "\x1b]0;title",
            "\x07",
            "\x9b1m",
        ),
        *("\r", "back\\", "two  ", "&#10;&#13;&#27;&lt;", "~~gone~~", "**open", "http://a.b/c_d."),
    ]
)
TEXTS = st.lists(ROWS, max_size=14).map("\n".join)


@settings(max_examples=400, deadline=None)
@given(TEXTS, st.lists(st.integers(0, 400), max_size=8), st.integers(20, 60))
def test_any_cut_of_the_text_ends_in_the_same_lines(text: str, cuts: list[int], width: int) -> None:
    growing = Growing()
    for cut in sorted(cuts):
        growing.lines(text[:cut], width)
    assert growing.whole(text, width) == Growing().whole(text, width)


@settings(max_examples=150, deadline=None)
@given(TEXTS)
def test_every_character_by_itself_ends_in_the_same_lines(text: str) -> None:
    growing = Growing()
    for end in range(len(text)):
        growing.lines(text[:end], 40)
    assert growing.whole(text, 40) == Growing().whole(text, 40)


PARTS = [
    *("# Head", "Words and more words.", "- one\n- two\n- three", "```py\nx = 1\n\ny = 2\n```"),
    *("| a | b |\n|---|---|\n| 1 | 2 |", "> said", "1. first\n2. second", "The end."),
]


def streamed(growing: Growing, text: str, width: int, step: int = 7) -> list[tuple[Line, ...]]:
    return [growing.lines(text[:end], width) for end in range(0, len(text) + step, step)]


def test_a_finished_block_is_parsed_once_for_each_width() -> None:
    text = "\n\n".join(PARTS * 20) + "\n"
    growing = Growing()
    streamed(growing, text, 80)
    once = growing.parses
    assert once == 11 * 20 - 1  # the items of lists count; the last block may still go on
    growing.lines(text, 40)
    growing.lines(text, 100)
    assert growing.parses == 3 * once


def test_what_is_settled_stays_the_same_objects() -> None:
    text = "\n\n".join(PARTS * 5)
    growing = Growing()
    before: tuple[Line, ...] = ()
    settled = 0
    for end in range(0, len(text), 5):
        after = growing.lines(text[:end], 80)
        assert all(one is other for one, other in zip(before[:settled], after, strict=False))
        before, settled = after, growing.settled
    assert settled > 60


def test_rows_of_open_code_are_coloured_once() -> None:
    growing = Growing()
    text = "```python\n" + "def f(x):\n    return 'y'\n" * 200
    frames = streamed(growing, text, 80)
    assert len(frames[-1]) == 400
    for before, after in pairwise(frames):
        same = sum(one is other for one, other in zip(before, after, strict=False))
        assert same >= len(before) - 1


def test_open_code_has_the_colours_of_closed_code() -> None:
    code = (
        'def f():\n    """One.\n\n'
        + "    Word for word.\n" * 40
        + '    """\n    return 1 + 2\n' * 2
    )
    growing = Growing()
    opened = streamed(growing, f"```python\n{code}", 80)[-1]
    assert opened == Growing().whole(f"```python\n{code}```", 80)


def test_a_table_grows_by_whole_rows() -> None:
    growing = Growing()
    text = "| a | b |\n|---|---|\n| 1 | 2 |\n| a long cell | 4 |\n\nDone."
    heights = [len(lines) for lines in streamed(growing, text, 80, 1)]
    assert heights == sorted(heights)
    assert growing.lines(text[:40], 80) == growing.lines(text[:30], 80)


def test_the_same_item_again_is_drawn_where_it_stands() -> None:
    growing = Growing()
    growing.lines("- a\n", 80)
    assert [line.text for line in growing.lines("- a\n\n- a\n", 80)] == ["   - a", "", "   - a"]


def test_a_text_that_does_not_go_on_begins_anew() -> None:
    growing = Growing()
    growing.lines("# one\n\ntwo\n\nthree", 80)
    assert growing.whole("other\n\nwords", 80) == Growing().whole("other\n\nwords", 80)


def test_a_paragraph_without_end_is_shown_as_it_is_and_drawn_when_it_ends() -> None:
    text = "**word** " * 3000
    growing = Growing()
    assert "**word**" in streamed(growing, text, 80, 5000)[-1][0].text
    assert "**" not in growing.whole(text, 80)[0].text


def test_open_answers_find_their_way_back_and_end_alike() -> None:
    texts = ["\n\n".join(PARTS), "\n\n".join(reversed(PARTS))]
    for end in range(0, 150, 10):
        for text in texts:
            draw(AnswerBlock(text[:end]), View(60))
    for text in texts:
        assert draw(AnswerBlock(text, "done"), View(60)) == Growing().whole(text, 60)


LONG = {
    "prose": ("Some **bold** words about `code`, which go on for a while. " * 4 + "\n\n") * 350,
    "code": f"```python\n{inspect.getsource(argparse)[:80_000]}\n```",
    "list": f"- an item with **bold** words {'and more of them ' * 6}\n  - and one below\n" * 540,
}


@pytest.mark.parametrize("kind", LONG)
def test_an_answer_of_20000_tokens_is_drawn_at_once_in_half_a_second(kind: str) -> None:
    assert len(LONG[kind]) > 75_000
    assert min(timed(lambda: Growing().whole(LONG[kind], 100)) for _ in range(3)) < 0.5


@pytest.mark.parametrize("kind", LONG)
def test_a_frame_costs_the_same_at_the_end_as_at_the_beginning(kind: str) -> None:
    text, growing = LONG[kind], Growing()

    def frames(start: int) -> float:
        """The median of some frames of 30 characters."""
        ends = range(start, start + 1500, 30)
        growing.lines(text[:start], 100)
        return sorted(timed(partial(growing.lines, text[:end], 100)) for end in ends)[25]

    early = frames(2000)
    assert frames(70_000) < 4 * early + 0.001


def timed(act: Callable[[], object]) -> float:
    """Seconds of this process: others may keep the machine busy."""
    began = time.process_time()
    act()
    return time.process_time() - began


class Counted(Growing):
    """Notes how much is drawn anew."""

    def __init__(self) -> None:
        super().__init__()
        self.drawn: list[int] = []

    def _drawn(self, rest: str) -> list[Line]:
        self.drawn.append(len(rest))
        return super()._drawn(rest)


def test_a_long_table_is_drawn_ever_more_seldom_and_hides_no_row() -> None:
    growing, text = Counted(), "| file | why |\n|---|---|\n"
    for number in range(300):
        text += f"| src/acme/module_{number}.py | the reason for it |\n"
        seen = growing.lines(text, 100)
        assert f"module_{number}.py" in seen[-1].text
        assert "module_0.py" in seen[2].text
    assert len([size for size in growing.drawn if size > 3_000]) < 20
    assert growing.whole(text, 100)[-1].text.count("│") == 1
