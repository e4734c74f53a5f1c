"""HTML -> Markdown for a model: words, headings, lists, tables, code, links with their targets.

On `html.parser` alone. What a page hides is left out, since nobody looking at it would have read
it: scripts, styles, comments, `hidden`, `display:none`. Emphasis is left out, too: it costs tokens
and says nothing. Pictures are their alternative text. Where a page marks its main part, only that
is read.
"""

import re
import time
from html.parser import HTMLParser

import msgspec

from qcode.tools.elements import (
    BLOCKS,
    DROPPED_EMPTY,
    ENDED_BY,
    FIRM,
    LOOSE,
    VOID,
    is_hidden,
    joined,
)

_PIECE = 16_384
_UNREAD = 512_000
"""Characters that may wait for the end of a tag or comment; each piece looks at them again."""
MOST_SECONDS = 4.0
MOST_DEPTH = 128
"""Elements inside each other; what is deeper is read as if it stood here."""


_BLANKS = re.compile(r"[ \t\n\r\f]+")

Attributes = list[tuple[str, str | None]]


class Text(msgspec.Struct, frozen=True):
    """What a page says."""

    title: str
    body: str
    is_whole: bool
    """False = it was too entangled to be read to its end."""


def markdown(html: str, base: str) -> Text:
    """The words of a page that stands at `base`. Takes no more than a few seconds, whatever the
    page is."""
    reader = _Reader(base)
    html = html.replace("<![", "<! [")  # Python 3.11 raises for a section that it does not know
    ends = time.monotonic() + MOST_SECONDS
    at = 0
    while at < len(html) and time.monotonic() < ends and len(reader.rawdata) < _UNREAD:
        reader.feed(html[at : at + _PIECE])
        at += _PIECE
    is_whole = at >= len(html)
    if is_whole:
        reader.close()
    return Text(" ".join(reader.title.split()), reader.written(), is_whole)


class _Open(msgspec.Struct):
    """An element that is not closed yet."""

    tag: str
    is_hidden: bool = False
    is_main: bool = False
    link: str = ""
    """Target of a link."""
    start: int = 0
    """Where its words begin, in what is written."""
    number: int = 0
    """Items of a list, rows of a table, cells of a row, so far."""
    heads: int = 0
    """Cells of a row that are headings."""


class _Reader(HTMLParser):
    """Writes while it reads; no tree is kept, only which elements are open."""

    def __init__(self, base: str) -> None:
        super().__init__(convert_charrefs=True)
        self.title = ""
        self._base = base
        self._open: list[_Open] = []
        self._hidden = 0
        """How many of the open ones hide what is in them."""
        self._out: list[str] = []
        self._breaks = 0
        """Line ends that are due before the next word."""
        self._is_spaced = False
        self._is_fresh = False
        """An item has begun, and nothing of it is written yet."""
        self._main: tuple[int, int] | None = None
        """Where the main part stands in what is written."""

    def written(self) -> str:
        """All of it, or the main part."""
        while self._open:
            self._close()
        main = "".join(self._out[slice(*self._main)]) if self._main else ""
        text = main if main.strip() else "".join(self._out)
        return re.sub(r"\n{3,}", "\n\n", text).strip("\n")

    def handle_starttag(self, tag: str, attributes: Attributes) -> None:
        said = {name: value or "" for name, value in attributes}
        if tag == "base" and (base := joined(self._base, said.get("href", ""))):
            self._base = base
        self._close_implied(tag)
        if tag in VOID:
            self._void(tag, said)
        elif len(self._open) < MOST_DEPTH:
            is_main = tag == "main" or said.get("role") == "main"
            self._enter(_Open(tag, is_hidden(tag, said), is_main), said)

    def handle_endtag(self, tag: str) -> None:
        if any(one.tag == tag for one in self._open):
            while self._close() != tag:
                pass

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1].tag == "title" and self._open[0].tag != "svg":
            self.title = self.title or data
        if self._hidden:
            return
        if self._inside("pre"):
            self._out.append(data)
            return
        words = _BLANKS.sub(" ", data)
        self._is_spaced = self._is_spaced or words.startswith(" ")
        if words.strip(" "):
            self._write(words.strip(" "))
            self._is_spaced = words.endswith(" ")

    def _close_implied(self, tag: str) -> None:
        """Some ends may be left out: the next element tells that there was one."""
        if tag in BLOCKS and self._open and self._open[-1].tag in ("p", "head"):
            self._close()
        while self._open and self._open[-1].tag in ENDED_BY.get(tag, ()):
            self._close()

    def _void(self, tag: str, said: dict[str, str]) -> None:
        if self._hidden:
            return
        if tag == "br":
            self._break(1, "")
        elif tag == "hr":
            self._break(2, tag)
            self._write("---")
            self._break(2, tag)
        elif tag == "img" and (alt := " ".join(said.get("alt", "").split())):
            self.handle_data(f" [picture: {alt}] ")

    def _enter(self, one: _Open, said: dict[str, str]) -> None:
        mark = self._mark(one)  # of a list's item, by what is open around it
        if one.tag in BLOCKS and not self._hidden:
            self._break(self._room(one.tag), one.tag)
        if not self._hidden and not one.is_hidden and mark:
            self._write(mark)
            self._is_fresh = one.tag == "li"
        self._open.append(one)
        self._hidden += one.is_hidden
        if one.tag == "a":
            one.link = self._target(said.get("href", ""))
        one.start = len(self._out)

    def _mark(self, one: _Open) -> str:
        """What stands before its words."""
        match one.tag:
            case "h1" | "h2" | "h3" | "h4" | "h5" | "h6":
                return "#" * int(one.tag[1]) + " "
            case "li":
                return self._bullet()
            case "pre":
                return "```\n"
            case "code" if not self._inside("pre"):
                return "`"
            case "td" | "th":
                return "| "
            case _:
                return ""

    def _close(self) -> str:
        """End the innermost open element; returns its tag."""
        one = self._open.pop()
        if self._hidden:
            self._hidden -= one.is_hidden
            return one.tag
        if one.tag in DROPPED_EMPTY and not "".join(self._out[one.start :]).strip():
            del self._out[max(one.start - 1, 0) :]
        if one.link:
            self._link(one)
        if end := self._ending(one):
            self._breaks = 0
            self._is_spaced = False
            self._out.append(end)
        if one.is_main and self._main is None:
            self._main = one.start, len(self._out)
        if one.tag in BLOCKS:
            self._break(self._room(one.tag), one.tag)
        return one.tag

    def _ending(self, one: _Open) -> str:
        """What stands behind its words."""
        match one.tag:
            case "pre":
                return "```" if self._out[-1].endswith("\n") else "\n```"
            case "code" if not self._inside("pre"):
                return "`"
            case "td" | "th":
                if row := self._nearest("tr"):
                    row.number += 1
                    row.heads += one.tag == "th"
                return " "
            case "tr":
                return self._end_of_row(one)
            case _:
                return ""

    def _end_of_row(self, row: _Open) -> str:
        if not row.number:
            return ""
        table = self._nearest("table")
        is_first = table is not None and table.number == 0
        if table is not None:
            table.number += 1
        is_heading = is_first and row.heads == row.number
        return "|" + ("\n" + "|---" * row.number + "|" if is_heading else "")

    def _link(self, one: _Open) -> None:
        start = one.start
        while start < len(self._out) and not self._out[start].strip(" \n>"):
            start += 1  # what stands between it and the words before
        words = " ".join("".join(self._out[start:]).split()).lstrip("# ")
        del self._out[start:]
        if words:
            is_same = one.link in (words, f"https://{words}", f"http://{words}")
            self._out.append(f"<{one.link}>" if is_same else f"[{words}]({one.link})")

    def _bullet(self) -> str:
        around = next((one for one in reversed(self._open) if one.tag in ("ul", "ol")), None)
        if around is None or around.tag == "ul":
            return "- "
        around.number += 1
        return f"{around.number}. "

    def _target(self, reference: str) -> str:
        """Where a link leads; empty = nowhere on the web, or to a place of the same page."""
        if not reference or reference.startswith("#"):
            return ""
        target = joined(self._base, reference)
        return target.replace(" ", "%20").replace("(", "%28").replace(")", "%29")

    def _inside(self, tag: str) -> int:
        return sum(one.tag == tag for one in self._open)

    def _nearest(self, tag: str) -> _Open | None:
        return next((one for one in reversed(self._open) if one.tag == tag), None)

    def _room(self, tag: str) -> int:
        return 2 if tag in LOOSE and not self._inside("li") else 1

    def _break(self, lines: int, tag: str) -> None:
        """The next word begins a line, except in a cell, where only some elements make one."""
        if self._is_fresh:
            return
        if tag not in FIRM and (self._inside("td") or self._inside("th")):
            self._is_spaced = True
        else:
            self._breaks = max(self._breaks, lines)
            self._is_spaced = False

    def _write(self, text: str) -> None:
        if self._breaks and self._out:
            prefix = "> " * self._inside("blockquote") + "  " * self._inside("li")
            self._out.append("\n" * self._breaks + prefix)
        elif not self._out:
            self._out.append("> " * self._inside("blockquote"))
        elif self._is_spaced and self._out[-1][-1:] not in (" ", "\n"):
            self._out.append(" ")
        self._breaks = 0
        self._is_spaced = self._is_fresh = False
        self._out.append(text)
