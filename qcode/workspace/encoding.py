"""Bytes <-> text without loss: what is not changed is written back as it was."""

import codecs
import re
from typing import Literal

import msgspec

LineEnd = Literal["\n", "\r\n", "\r"]

_MARKS = (  # the longer ones first: UTF-32's mark starts with UTF-16's
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_SIGNATURES = (
    (b"\x89PNG", "PNG image"),
    (b"\xff\xd8\xff", "JPEG image"),
    (b"GIF8", "GIF image"),
    (b"%PDF-", "PDF"),
    (b"PK\x03\x04", "ZIP archive"),
    (b"\x1f\x8b", "gzip archive"),
    (b"\x7fELF", "program"),
    (b"SQLite format 3\x00", "SQLite database"),
)
_PROBE_BYTES = 8000  # as git does
_BEYOND_ASCII = "[\x80-\udc7f\udd00-\U0010ffff]"
"""A character that is no ASCII and no byte that could not be decoded. Compiled where it is looked
for, which takes 4 ms."""


class Encoding(msgspec.Struct, frozen=True):
    """How a file's text is written."""

    name: str = "utf-8"
    mark: bytes = b""
    """The byte order mark that heads the file."""
    errors: Literal["strict", "surrogateescape", "surrogatepass"] = "strict"

    def encode(self, text: str) -> bytes:
        """The bytes of a file. Raises UnicodeEncodeError for a character it cannot hold."""
        return self.mark + text.encode(self.name, self.errors)

    @property
    def shown(self) -> str:
        """For people: `UTF-8 with BOM`, `latin-1`; empty = plain UTF-8."""
        if self.name == "utf-8":
            return (
                "UTF-8 with BOM" if self.mark else "" if self.errors == "strict" else "broken UTF-8"
            )
        return self.name.upper().removesuffix("-LE").removesuffix("-BE") if self.mark else self.name


def decode(data: bytes) -> tuple[str, Encoding]:
    """Text and encoding; `encoding.encode(text) == data` holds for any bytes.

    Byte order mark, else UTF-8, else UTF-8 with broken places where some of it is UTF-8, else
    latin-1.
    """
    for mark, name in _MARKS:
        if data.startswith(mark) and (found := _marked(data, mark, name)):
            return found
    try:
        return data.decode(), Encoding()
    except UnicodeDecodeError:
        pass  # tried below
    text = data.decode("utf-8", "surrogateescape")
    if re.search(_BEYOND_ASCII, text):
        return text, Encoding(errors="surrogateescape")
    return data.decode("latin-1"), Encoding("latin-1")


def _marked(data: bytes, mark: bytes, name: str) -> tuple[str, Encoding] | None:
    """None when the rest is not what the mark says."""
    encoding = Encoding(name, mark, "strict" if name == "utf-8" else "surrogatepass")
    try:
        text = data[len(mark) :].decode(name, encoding.errors)
        return (text, encoding) if encoding.encode(text) == data else None
    except UnicodeError:
        return None


def binary_kind(data: bytes) -> str:
    """What kind of binary file this is the beginning of; empty = it is text."""
    for signature, kind in _SIGNATURES:
        if data.startswith(signature):
            return kind
    if any(data.startswith(mark) for mark, _ in _MARKS) and "\0" not in decode(data)[0]:
        return ""
    return "binary data" if b"\0" in data[:_PROBE_BYTES] else ""


def line_end(text: str) -> LineEnd:
    """The line end that most lines of `text` have; `\\n` when there is none."""
    double = text.count("\r\n")
    single = text.count("\n") - double
    if double > single:
        return "\r\n"
    return "\n" if single or double or "\r" not in text else "\r"


def unencodable(text: str, encoding: Encoding) -> str:
    """The first character of `text` that `encoding` has no bytes for; empty = it has all."""
    try:
        encoding.encode(text)
    except UnicodeEncodeError as error:
        return text[error.start]
    return ""
