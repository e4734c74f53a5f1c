"""Markdown -> lines: one parse, then one function for each kind of block.

References are off: the meaning of a paragraph must not hang on what comes after it, or nothing
that streams were ever finished. HTML is off: it is shown as the text that it is. Blank lines stand
where the source has them, so that what is copied reads like the source.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING, Literal

import msgspec
from msgspec.structs import replace

from qcode.tui.drawing.code import code_lines
from qcode.tui.drawing.inline import pieces, tokens
from qcode.tui.drawing.margin import hang, ornament
from qcode.tui.drawing.table import table
from qcode.tui.drawing.wrap import LEAST_CELLS, wrap
from qcode.tui.lines import BLANK, Line, Span

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.tree import SyntaxTreeNode as Node

_HEADINGS = {"h1": "heading strong", "h2": "heading"}
_TASKS = {"[ ] ": "☐ ", "[x] ": "☑ ", "[X] ": "☑ "}

Above = Literal["", "text", "blank"]
"""What stands above the source: nothing, text that was drawn, a blank line behind such."""

_MOST_NESTED = 100
"""Deeper, the parser leaves text out; no answer goes there that means well."""
_TOO_DEEP = re.compile(
    r"^(?:[ \t]*(?:>|(?:[*+-]|\d{1,9}[.)])[ \t])){40}|^[ \t]{80,}(?:[*+-]|\d{1,9}[.)])[ \t]",
    re.MULTILINE,
)


class Page(msgspec.Struct, frozen=True):
    """Where blocks are drawn."""

    source: Sequence[str]
    """Lines of the text that was parsed."""
    prose: int
    """Cells."""
    code: int
    """Cells for code and tables: they may be wider."""
    above: Above = ""
    style: str = "text"

    def inner(self, cells: int = 0) -> "Page":
        """The inside of a block, behind a margin."""
        return replace(self, prose=self.prose - cells, code=self.code - cells, above="")

    def narrow(self, cells: int) -> bool:
        """There is no room for such a margin any more."""
        return self.prose - cells < LEAST_CELLS

    def blank_before(self, node: "Node") -> bool:
        """Whether an empty line (of a quote: but for its marks) stands above."""
        first = begins(node)
        return self.above == "blank" if first == 0 else not self.source[first - 1].strip(" \t>")


def parse(text: str) -> list["Node"]:
    """The blocks of `text`, which is safe already."""
    from markdown_it.tree import SyntaxTreeNode  # noqa: PLC0415 - start-up time

    return SyntaxTreeNode(_parser("zero" if _TOO_DEEP.search(text) else "").parse(text)).children


def begins(node: "Node") -> int:
    """The block's first line, from 0."""
    return node.map[0] if node.map else 0


def draw_nodes(nodes: Iterable["Node"], page: Page) -> list[Line]:
    """The blocks one below the other."""
    made: list[Line] = []
    for node in nodes:
        lines = list(draw_node(node, page))
        if (made or page.above) and lines and (page.blank_before(node) or node.type == "heading"):
            made.append(BLANK)
        made += lines
    return made


def draw_node(node: "Node", page: Page) -> Iterable[Line]:
    """One block."""
    match node.type:
        case "heading":
            return _words(node, replace(page, style=_HEADINGS.get(node.tag, "strong")))
        case "bullet_list" | "ordered_list":
            return draw_nodes(node.children, page.inner())
        case "list_item":
            return _item(node, page)
        case "blockquote":
            return _quote(node, page)
        case "fence" | "code_block":
            return code_lines(node.content, node.info, page.code)
        case "table":
            return table(node, page.prose, page.style)
        case "hr":
            return [Line((Span("─" * page.prose, "rule"),))]
        case _:
            return _words(node, page)


@cache
def _parser(preset: Literal["", "zero"]) -> "MarkdownIt":
    """`zero` = rows of text and nothing else."""
    from markdown_it import MarkdownIt  # noqa: PLC0415 - start-up time

    if preset:
        return MarkdownIt(preset)
    made = MarkdownIt("commonmark", {"maxNesting": _MOST_NESTED})
    made.enable(["table", "strikethrough"])
    return made.disable(["reference", "html_block", "html_inline"])


def _words(node: "Node", page: Page) -> Iterator[Line]:
    for inline in node.children:
        for spans in pieces(tokens(inline), page.style):
            yield from wrap(spans, page.prose)


def _quote(node: "Node", page: Page) -> list[Line]:
    if page.narrow(2):
        return draw_nodes(node.children, page.inner())
    inner = replace(page.inner(2), style="quote")
    return ornament(draw_nodes(node.children, inner), Span("▎ ", "quote"))


def _item(node: "Node", page: Page) -> list[Line]:
    """`- words`, `3. words`, or with a box in place of the mark."""
    mark = f"{node.info}{node.markup} " if node.info else "- "
    if page.narrow(len(mark)):
        return draw_nodes(node.children, page.inner())
    lines = draw_nodes(node.children, page.inner(len(mark)))
    if lines and lines[0].text[:4] in _TASKS and not node.info:
        first, *rest = lines
        box = Span(_TASKS[first.text[:4]], "accent")
        lines = [replace(first, spans=tuple(_without(first.spans, 4))), *rest]
        return hang(lines, box)
    return hang(lines or [BLANK], Span(mark, "accent"))


def _without(spans: Sequence[Span], count: int) -> Iterator[Span]:
    for span in spans:
        if len(span.text) > count:
            yield span._replace(text=span.text[count:])
        count = max(count - len(span.text), 0)
