"""Addresses of pages: read strictly, so that what is judged is what is connected to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qcode.tools.address import Unfit, beside, place


@pytest.mark.parametrize(
    ("url", "meant"),
    [
        ("https://example.com", "https://example.com/"),
        ("example.com/a", "https://example.com/a"),
        ("HTTP://Example.COM.:80/a?b=c#part", "http://example.com/a?b=c"),
        ("https://example.com:8443/", "https://example.com:8443/"),
        ("https://[2606:2800:220:1::1]/x", "https://[2606:2800:220:1::1]/x"),
        ("https://example.com/ä b".replace(" ", "%20"), "https://example.com/%C3%A4%20b"),
        ("https://example.com?q=1", "https://example.com/?q=1"),
    ],
)
def test_a_page_has_one_address(url: str, meant: str) -> None:
    assert place(url).url == meant


@pytest.mark.parametrize(
    "url",
    [
        "",
        "file:///etc/passwd",
        "ftp://example.com/",
        "gopher://example.com/",
        "javascript:alert(1)",
        "data:text/html,hi",
        "https://",
        "https:///path",
        "https://user@example.com/",
        "https://user:key@example.com/",
        "https://allowed.com@evil.com/",
        "https://allowed.com\\@evil.com/",
        "https://evil.com\\.allowed.com/",
        "https://evil.com\0.allowed.com/",
        "https://evil.com%00.allowed.com/",
        "https://allowed.com\n.evil.com/",
        "https://example.com/a b",
        "https://example.com/\r\nHost: evil.com",
        "https://exämple.com/",
        "https://example.com:0/",
        "https://example.com:22/",
        "https://example.com:25/",
        "https://example.com:99999/",
        "https://example.com:\uff18\uff10/",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://127.1/",
        "https://[::1",
        "https://[fe80::1%25eth0]/",
        "https://example.com/" + "a" * 5000,
    ],
)
def test_what_could_be_read_in_two_ways_is_refused_with_a_clause(url: str) -> None:
    with pytest.raises(Unfit) as caught:
        place(url)
    assert str(caught.value)


@given(st.text(max_size=80))
def test_an_address_is_read_the_same_again(url: str) -> None:
    try:
        first = place(url)
    except Unfit:
        return
    assert place(first.url) == first
    assert first.url.isascii()
    assert not set(first.url) & set(" \t\r\n\\\0")


@pytest.mark.parametrize(
    ("reference", "url"),
    [
        ("/b", "https://example.com/b"),
        ("c?d", "https://example.com/x/c?d"),
        ("//other.org/e", "https://other.org/e"),
        ("http://example.com/f", "http://example.com/f"),
    ],
)
def test_a_redirection_is_read_beside_its_page(reference: str, url: str) -> None:
    assert beside(place("https://example.com/x/y"), reference).url == url


@pytest.mark.parametrize(
    "reference", ["file:///etc/passwd", "//user@example.com/", "https://[", "/a\r\nX: y", "/a b"]
)
def test_a_redirection_is_no_less_strict(reference: str) -> None:
    with pytest.raises(Unfit):
        beside(place("https://example.com/"), reference)
