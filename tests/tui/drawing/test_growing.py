"""An answer that streams ends as it would be drawn at once, and costs no more than its end."""


from hypothesis import given, settings
from hypothesis import strategies as st

from qcode.tui.drawing.growing import Growing

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
