"""The HTML export: whole, and harmless whatever was said."""

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qcode.protocol.events import LoggedEvent, TurnStarted
from qcode.protocol.messages import Image, Text, UserMessage, user
from qcode.protocol.text import plain
from qcode.session.conversation import fold
from qcode.session.export import FORMATS, SUFFIXES, exported
from qcode.session.page import as_html
from tests.session.histories import answer, one_turn, result, started

OURS = {
    *("html", "head", "meta", "title", "style", "body", "h1", "h2", "dl", "dt", "dd", "section"),
    *("div", "details", "summary", "pre", "p"),
}

HOSTILE = st.one_of(
    st.sampled_from(
        [
            "<script>alert(1)</script>",
            "</pre></details><img src=x onerror=alert(1)>",
            '"><a href="javascript:alert(1)">x</a>',
            "</style><style>@import url(http://x)</style>",
            "<!-- ",
            "]]>",
            "&lt;b&gt;",
            "\x1b[2J",
            "\ud800",
        ]
    ),
    st.text(),
)


class Tags(HTMLParser):
    """Every tag and attribute, and the words between."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: set[str] = set()
        self.words = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.words += data


def hostile(text: str) -> list[LoggedEvent]:
    return [
        started(),
        TurnStarted(1, user(text)),
        answer("a", text=text),
        result("a", text, "error"),
    ]


def test_a_page_has_the_title_who_said_what_calls_and_results() -> None:
    page = as_html(fold([started(), *one_turn(1, "Mend the sum.", "It is mended.")]))
    words = Tags(page).words
    order = ["Mend the sum.", "/project", "a.py", "You", "Mend the sum.", "Model", "Reasoning"]
    order += ["Hm.", "Call of shell", '{"command":"pytest -q"}', "Result of shell", "1 passed"]
    place = 0
    for piece in [*order, "It is mended."]:
        place = words.index(piece, place)


@given(HOSTILE)
def test_no_tag_comes_from_what_was_said(text: str) -> None:
    plain_tags = Tags(as_html(fold(hostile("word")))).tags
    page = as_html(fold(hostile(f"a {text} b")))
    found = Tags(page)
    assert found.tags == plain_tags
    assert set(found.tags) <= OURS
    assert not {name for name in found.attributes if name.startswith("on")}
    assert not found.attributes & {"href", "src", "srcdoc"}
    page.encode("utf-8")


@given(HOSTILE)
def test_what_was_said_can_be_read_in_it(text: str) -> None:
    page = Tags(as_html(fold(hostile(text)))).words
    assert letters(plain(text)) in letters(page)


def letters(text: str) -> str:
    return "".join(sign for sign in text if sign.isalnum())


def test_nothing_is_fetched_and_nothing_runs() -> None:
    page = as_html(fold([started(), *one_turn()]))
    assert "default-src 'none'" in page
    assert "http://" not in page
    assert "https://" not in page
    assert "<script" not in page


def test_images_are_mentioned() -> None:
    message = UserMessage((Text("Look."), Image("image/png", "AAAA"), Image("image/png", "BB")))
    page = as_html(fold([TurnStarted(1, message)]))
    assert "(2 images)" in page
    assert "AAAA" not in page


@pytest.mark.parametrize("name", FORMATS)
def test_each_format_holds_the_conversation(name: str) -> None:
    assert "It is mended." in exported([started(), *one_turn(1, "Mend.", "It is mended.")], name)


def test_a_file_name_tells_the_format() -> None:
    assert {SUFFIXES[end] for end in (".md", ".html", ".json")} == set(FORMATS)
