"""The inside of a paragraph: Markdown's inline tokens as rows of spans."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from qcode.tui.drawing.visible import safe, visible
from qcode.tui.lines import Span

if TYPE_CHECKING:
    from markdown_it.token import Token
    from markdown_it.tree import SyntaxTreeNode as Node

_ADDRESS = re.compile(r"https?://[^\s<>\"'`|]*[^\s<>\"'`|.,;:!?)\]}*_]")
_CLICKABLE = ("http://", "https://", "mailto:")
_MARKS = {"strong": "strong", "em": "emphasis", "s": "strike"}
_BLANKS = re.compile(r"[\n\t]")


def tokens(inline: "Node") -> list["Token"]:
    """What stands in a paragraph, a heading, a cell."""
    return (inline.token.children or []) if inline.token else []


def pieces(inside: Sequence["Token"], style: str) -> list[list[Span]]:
    """One list of spans for each line; an ending line of the source ends one here."""
    made = _Pieces(style)
    for token in inside:
        made.take(token)
    return made.lines


class _Pieces:
    """Spans as the tokens come by."""

    def __init__(self, style: str) -> None:
        self.lines: list[list[Span]] = [[]]
        self._styles = [style]
        self._link = ""
        self._words = ""
        """Of the open link."""

    def take(self, token: "Token") -> None:
        kind = token.type
        if kind in ("softbreak", "hardbreak"):
            self.lines.append([])
        elif kind == "link_open":
            self._link, self._words = safe(str(token.attrs.get("href", ""))), ""
            self._styles.append("link")
        elif kind == "link_close":
            self._styles.pop()
            self._address(self._link, self._words)
            self._link = ""
        elif kind == "image":
            self._image(token)
        elif kind == "code_inline":
            self._put(visible(token.content), "code.inline")
        elif kind.endswith("_open"):
            self._styles.append(_MARKS.get(kind[:-5], "text"))
        elif kind.endswith("_close"):
            self._styles.pop()
        else:
            self._text(safe(token.content))

    def _text(self, text: str) -> None:
        """Words; addresses that stand bare among them can be clicked."""
        at = 0
        if not self._link and "://" in text:
            for found in _ADDRESS.finditer(text):
                self._put(text[at : found.start()])
                self._put(found[0], "link", found[0])
                at = found.end()
        self._put(text[at:])

    def _image(self, token: "Token") -> None:
        words, address = safe(token.content), safe(str(token.attrs.get("src", "")))
        self._put(f"image: {words}" if words else "image", "emphasis", address)
        self._address(address, words)

    def _address(self, address: str, words: str) -> None:
        """Where a link leads, unless its words say it."""
        if address.removeprefix("mailto:").rstrip("/") != words.rstrip("/"):
            self._put(f" ({address})", "faint", address)

    def _put(self, text: str, style: str = "", link: str = "") -> None:
        if not text:
            return
        text = _BLANKS.sub(" ", text)
        self._words += text
        names = dict.fromkeys([*self._styles, *([style] if style else [])])
        names.pop("text", None)
        link = link or self._link
        link = link if link.startswith(_CLICKABLE) else ""
        self.lines[-1].append(Span(text, " ".join(names) or "text", link))
