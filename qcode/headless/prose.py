"""An answer on a terminal: paragraphs wrapped between words, code and tables as they are."""

import re
import textwrap

_ITEM = re.compile(r"\s*(?:[-*+•]|\d+[.)]|>)\s+|\s*")
"""What heads a line of prose: its indent, and the mark of a list or a quotation."""


def wrapped(text: str, columns: int) -> str:
    """`text` with lines of prose of less than `columns`; nothing else of it is changed."""
    rows: list[str] = []
    fence = ""
    for row in text.split("\n"):
        mark = row.lstrip()[:3]
        if mark in ("```", "~~~") and fence in ("", mark):
            fence = "" if fence else mark
        rows.append(row if fence or _is_set(row) else _wrapped(row, columns))
    return "\n".join(rows)


def _is_set(row: str) -> bool:
    """Indented code, a table, a heading of a fence: its line ends are its own."""
    return row.startswith(("    ", "\t")) or row.lstrip().startswith(("|", "```", "~~~"))


def _wrapped(row: str, columns: int) -> str:
    if len(row) < columns and row.isascii():
        return row
    head = _ITEM.match(row)
    return textwrap.fill(
        row,
        max(columns - 1, 20),
        subsequent_indent=" " * len(head[0] if head else ""),
        break_long_words=False,
        break_on_hyphens=False,
        replace_whitespace=False,
        drop_whitespace=True,
    )
