"""Markdown as rows of the screen."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qcode.tui.blocks import AnswerBlock
from qcode.tui.drawing.draw import draw
from qcode.tui.drawing.view import View
from tests.tui.drawing.looking import answered, copied, styles


def rows(text: str, width: int = 80) -> list[str]:
    return [line.text for line in answered(text, width)]


WORD = st.text(st.sampled_from("abcdefghijklmnopqrstuvwxyz.,;中文é"), min_size=1, max_size=30)
PARAGRAPH = st.lists(WORD, min_size=1, max_size=40).map(" ".join)


@given(
    st.lists(PARAGRAPH.map(lambda text: f"a{text}"), min_size=1, max_size=5), st.integers(20, 200)
)
def test_plain_paragraphs_are_copied_as_they_were_written(
    paragraphs: list[str], width: int
) -> None:
    text = "\n\n".join(paragraphs)
    assert copied(answered(text, width)) == text


def test_a_row_that_ends_in_the_source_ends_on_the_screen() -> None:
    assert rows("one\ntwo\n\n\n\nthree") == ["   one", "   two", "", "   three"]


def test_prose_is_no_wider_than_a_hundred_cells_but_code_is() -> None:
    lines = answered("word " * 60 + "\n\n```\n" + "x" * 150 + "\n```", 180)
    assert max(line.width for line in lines if "word" in line.text) <= 100
    assert max(line.width for line in lines if "x" in line.text) == 155


def test_marks_become_styles() -> None:
    lines = answered("# Head\n**bold** *slanted* ~~gone~~ `code` ***both***")
    assert styles(lines, "Head") == {"heading strong"}
    assert styles(lines, "bold") == {"strong"}
    assert styles(lines, "slanted") == {"emphasis"}
    assert styles(lines, "gone") == {"strike"}
    assert styles(lines, "code") == {"code.inline"}
    assert styles(lines, "both") == {"emphasis strong"}


def test_lists_nest_and_their_rows_hang() -> None:
    text = "1. one two three four five\n   - deep\n2. next\n   - [x] did\n   - [ ] do"
    assert rows(text, 24) == [
        "   1. one two three four",
        "      five",
        "      - deep",
        "   2. next",
        "      ☑ did",
        "      ☐ do",
    ]


def test_a_list_is_copied_with_its_marks_but_not_with_its_breaks() -> None:
    text = "1. one two three four five six\n   - deep and deeper and deepest\n2. next"
    assert copied(answered(text, 24)) == text


def test_items_are_apart_where_the_source_has_them_apart() -> None:
    assert rows("- a\n\n- b\n- c") == ["   - a", "", "   - b", "   - c"]


def test_a_quote_has_a_bar_that_is_not_copied() -> None:
    lines = answered("> said\n>\n> > deeper")
    assert [line.text for line in lines] == ["   ▎ said", "   ▎ ", "   ▎ ▎ deeper"]
    assert copied(lines) == "said\n\ndeeper"


def test_a_link_can_be_clicked_and_says_where_it_leads() -> None:
    (line,) = answered("[docs](https://a.b/c) and https://d.e/f.")
    assert line.text == "   docs (https://a.b/c) and https://d.e/f."
    assert {span.text: span.link for span in line.spans if span.link} == {
        "docs": "https://a.b/c",
        " (https://a.b/c)": "https://a.b/c",
        "https://d.e/f": "https://d.e/f",
    }


def test_only_addresses_of_the_web_can_be_clicked() -> None:
    lines = answered("[file](src/a.py) [run](javascript:alert) [local](file:///etc/passwd)")
    assert not [span for line in lines for span in line.spans if span.link]


def test_an_image_is_its_words_and_its_address() -> None:
    assert rows("![a plan](img/plan.png)") == ["   image: a plan (img/plan.png)"]


def test_html_is_shown_as_it_is() -> None:
    assert rows("<details>\n<b>x</b>\n\n<!-- note -->") == [
        "   <details>",
        "   <b>x</b>",
        "",
        "   <!-- note -->",
    ]


def test_a_reference_stays_text() -> None:
    assert rows("[a]\n\n[a]: http://x.y") == ["   [a]", "", "   [a]: http://x.y"]


def test_entities_bring_in_no_control_characters() -> None:
    assert rows("a&#27;[31m&#13;&#12;&#155;b &#x202e;c")[0].isprintable()


def test_code_has_colours_and_is_copied_without_its_bar() -> None:
    code = 'def f(x):\n    return "y"  # why'
    lines = answered(f"```python\n{code}\n```")
    assert copied(lines) == code
    assert styles(lines, "def") == {"syntax.keyword"}
    assert styles(lines, "y") >= {"syntax.string"}
    assert styles(lines, "why") == {"syntax.comment"}


def test_code_in_an_unknown_language_is_plain() -> None:
    assert styles(answered("```nosuch\nx = 1\n```"), "x = 1") == {"code"}
    assert styles(answered("    x = 1"), "x = 1") == {"code"}


def test_a_long_row_of_code_is_broken_and_copied_whole() -> None:
    code = "value = " + "x" * 60
    assert copied(answered(f"```py\n{code}\n```", 40)) == code


def test_a_diff_in_an_answer_has_its_colours() -> None:
    lines = answered("```diff\n-old\n+new\n```")
    assert (styles(lines, "old"), styles(lines, "new")) == ({"remove"}, {"add"})


@pytest.mark.parametrize("marks", ["> " * 30, "- " * 30, "> " * 300, "1. " * 300, "> - " * 20])
def test_nothing_is_left_out_however_deep_it_nests(marks: str) -> None:
    lines = answered(f"{marks}words", 20)
    assert max(line.width for line in lines) <= 20
    assert "words" in "".join(line.text for line in lines)


def test_an_answer_that_does_not_count_is_faint() -> None:
    lines = draw(AnswerBlock("# a\n**b**", "void"), View(80))
    assert {span.style for line in lines for span in line.spans} == {"faint"}
