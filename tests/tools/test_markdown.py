"""HTML as Markdown: what a reader of the page sees, and nothing that a page hides."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qcode.tools.markdown import markdown

BASE = "https://example.com/docs/page"


def body(html: str) -> str:
    return markdown(html, BASE).body


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<h1>A <em>b</em></h1><p>c<p>d &amp; e", "# A b\n\nc\n\nd & e"),
        ("<p>a<b>b</b> c <i> d </i>e</p>", "ab c d e"),
        ("a<br>b", "a\nb"),
        (
            "<ul><li>a<li>b<ol><li>c<li>d</ol><li><p>e<p>f</ul>",
            "- a\n- b\n  1. c\n  2. d\n- e\n  f",
        ),
        ("<pre><code>if x:\n    y\n</code></pre>", "```\nif x:\n    y\n```"),
        ("<p>call <code>f( x )</code>.", "call `f( x )`."),
        (
            "<table><tr><th>A<th>B<tr><td>1<td><p>2</p><p>3</p></table>",
            "| A | B |\n|---|---|\n| 1 | 2 3 |",
        ),
        ("<blockquote><p>a<p>b</blockquote>c", "> a\n\n> b\n\nc"),
        ("a<hr>b", "a\n\n---\n\nb"),
        ("<h2></h2><ul><li></ul>x", "x"),
        ("<dl><dt>a<dd>b</dl>", "a\nb"),
        ("<button>Go</button> on", "Go on"),
    ],
)
def test_words_and_their_order_stay(html: str, text: str) -> None:
    assert body(html) == text


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ('<a href="/x">here</a>', "[here](https://example.com/x)"),
        ('<a href="other?a=(b)">it</a>', "[it](https://example.com/docs/other?a=%28b%29)"),
        ('<a href="https://e.com/">e.com/</a>', "<https://e.com/>"),
        ('<a href="#part">part</a>', "part"),
        (
            '<a href="javascript:x()">x</a> <a href="data:,y">y</a> <a href="http://[">z</a>',
            "x y z",
        ),
        (
            '<a href="/card"><h2>Title</h2><p>Words</p></a>',
            "[Title Words](https://example.com/card)",
        ),
        ('<a href="/empty"></a>x', "x"),
        ('<base href="https://b.org/"><a href="c">d</a>', "[d](https://b.org/c)"),
        ("<p>a</p><a href=/b><p>c</p></a>", "a\n\n[c](https://example.com/b)"),
    ],
)
def test_a_link_shows_where_it_leads(html: str, text: str) -> None:
    assert body(html) == text


@pytest.mark.parametrize(
    "hidden",
    [
        "<script>SECRET</script>",
        "<style>SECRET</style>",
        "<!-- SECRET -->",
        "<noscript>SECRET</noscript>",
        "<template>SECRET</template>",
        "<p hidden>SECRET</p>",
        '<div style="color: red; DISPLAY : none">SECRET<div>SECRET</div></div>',
        '<span style="visibility:hidden">SECRET</span>',
        '<span style="font-size:0px">SECRET</span>',
        '<div aria-hidden="true">SECRET</div>',
        "<svg><title>SECRET</title><text>SECRET</text></svg>",
        '<img src="SECRET.png">',
        '<input value="SECRET">',
        "<![CDATA[SECRET]]>",
        "<?SECRET?>",
        "<iframe>SECRET</iframe>",
    ],
)
def test_what_a_page_hides_is_left_out(hidden: str) -> None:
    found = markdown(f"<html><head><title>T</title></head><body>a {hidden} b</body>", BASE)
    assert "SECRET" not in found.body + found.title
    assert found.body.split() == ["a", "b"]


def test_large_type_hides_nothing() -> None:
    assert body('<p style="font-size:0.9em">small</p>') == "small"


def test_a_hidden_paragraph_ends_where_the_next_begins() -> None:
    assert body("<p hidden>no<p>yes") == "yes"


def test_a_picture_is_its_words() -> None:
    assert body('see <img src=a.png alt="a cat"> here') == "see [picture: a cat] here"


def test_the_main_part_is_enough() -> None:
    html = "<nav><a href=/>Home</a></nav><main><h1>Here</h1></main><footer>Foot</footer>"
    assert body(html) == "# Here"
    assert body("<nav>Menu</nav><main></main><p>All</p>") == "Menu\n\nAll"


def test_the_title_is_told_apart() -> None:
    found = markdown("<title> My \n page </title><h1>x</h1>", BASE)
    assert (found.title, found.body) == ("My page", "# x")


PIECES = [*"<>/!-=\"'& \n[]?abp", "<p>", "<li>", "</ul>", "<td>", "</tr>", "<pre>", "<a href=b>"]


@given(st.lists(st.sampled_from(PIECES)).map("".join))
def test_any_text_is_read_to_its_end(html: str) -> None:
    assert markdown(html, BASE).is_whole


@pytest.mark.parametrize(
    "piece",
    [
        "<a ",
        "<!--",
        "<",
        "<div>",
        "&",
        "<![",
        "</",
        "<a b=",
        "<li>x",
        "<table><tr><td>",
        "<a href=x>",
    ],
)
def test_a_page_made_to_take_long_does_not(piece: str) -> None:
    began = time.process_time()
    markdown(piece * (2_000_000 // len(piece)), BASE)
    assert time.process_time() - began < 20
