"""How wide text is on a terminal, in cells: a Chinese sign takes two, a combining accent none."""

import unicodedata

from qcode.protocol.text import one_line


def cells(text: str) -> int:
    """The width of one line of text."""
    return len(text) if text.isascii() else sum(map(_cell, text))


def fit(text: str, width: int) -> str:
    """The first line of `text`, cut with an ellipsis to at most `width` cells."""
    line = one_line(text, max(4 * width, 1)).replace("\t", " ")
    if cells(line) <= width:
        return line
    while line and cells(line) > width - 1:
        line = line[:-1]
    return line + "…" if width > 0 else ""


def pad(text: str, width: int) -> str:
    """`text` with blanks up to `width` cells."""
    return text + " " * (width - cells(text))


def _cell(sign: str) -> int:
    if unicodedata.combining(sign) or unicodedata.category(sign) in ("Cf", "Me", "Mn"):
        return 0
    return 2 if unicodedata.east_asian_width(sign) in "WF" else 1
