"""Bytes to text and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qcode.workspace.encoding import Encoding, binary_kind, decode, line_end, unencodable

MARKS = st.sampled_from(
    [b"", b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"\xff\xfe\x00\x00", b"\x00\x00\xfe\xff"]
)


@given(MARKS, st.binary(max_size=60))
def test_any_bytes_come_back_as_they_were(mark: bytes, rest: bytes) -> None:
    text, encoding = decode(mark + rest)
    assert encoding.encode(text) == mark + rest


@given(st.text(max_size=40).filter(lambda text: "\x00" not in text))
@pytest.mark.parametrize("name", ["utf-8-sig", "utf-16", "utf-32"])
def test_text_with_a_mark_is_read_as_it_was_written(name: str, text: str) -> None:
    data = text.encode(name)
    found, encoding = decode(data)
    assert found == text
    assert encoding.mark
    assert not binary_kind(data)


@pytest.mark.parametrize(
    ("data", "text", "shown"),
    [
        ("größe".encode(), "größe", ""),
        ("größe".encode("latin-1"), "größe", "latin-1"),
        ("größe ".encode() + b"\xff", "größe \udcff", "broken UTF-8"),
        ("\ufeffgröße".encode(), "größe", "UTF-8 with BOM"),
        ("größe".encode("utf-16"), "größe", "UTF-16"),
    ],
)
def test_the_encoding_is_told_apart(data: bytes, text: str, shown: str) -> None:
    found, encoding = decode(data)
    assert (found, encoding.shown) == (text, shown)


@pytest.mark.parametrize(
    ("data", "binary"),
    [
        (b"plain", False),
        (b"", False),
        (b"a\x00b", True),
        (b"\x89PNG\r\n\x1a\n", True),
        (b"%PDF-1.7 text", True),
        ("utf-16 text".encode("utf-16"), False),
        (b"\xff\xfe\x00\x00\x01\x00\x00", True),
    ],
)
def test_binary_files_are_told_from_text(data: bytes, binary: bool) -> None:  # noqa: FBT001 - a table's column
    assert bool(binary_kind(data)) == binary


def test_the_first_character_without_bytes_is_named() -> None:
    assert unencodable("größe → 1", Encoding("latin-1")) == "→"
    assert unencodable("größe", Encoding("latin-1")) == ""


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("", "\n"),
        ("a\nb\n", "\n"),
        ("a\r\nb\r\nc\n", "\r\n"),
        ("a\nb\nc\r\n", "\n"),
        ("a\rb", "\r"),
    ],
)
def test_the_common_line_end_counts(text: str, end: str) -> None:
    assert line_end(text) == end
