"""Code in colours: pygments behind one function, its token types as our styles."""

from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from qcode.tui.lines import Span

if TYPE_CHECKING:
    from pygments.lexer import Lexer

MOST_CHARACTERS = 200_000
"""Of more code, none is coloured: a lexer takes a second for a megabyte."""
_LONGEST_ROW = 5_000
"""Patterns of lexers may go over a row many times."""

_STYLES = {
    "Token.Comment": "syntax.comment",
    "Token.Comment.Preproc": "syntax.keyword",
    "Token.Generic.Deleted": "remove",
    "Token.Generic.Error": "error",
    "Token.Generic.Heading": "heading",
    "Token.Generic.Inserted": "add",
    "Token.Generic.Prompt": "dim",
    "Token.Generic.Subheading": "gutter",
    "Token.Keyword": "syntax.keyword",
    "Token.Keyword.Type": "syntax.type",
    "Token.Literal.Number": "syntax.number",
    "Token.Literal.String": "syntax.string",
    "Token.Name.Attribute": "syntax.name",
    "Token.Name.Builtin": "syntax.name",
    "Token.Name.Class": "syntax.type",
    "Token.Name.Decorator": "syntax.name",
    "Token.Name.Exception": "syntax.type",
    "Token.Name.Function": "syntax.name",
    "Token.Name.Tag": "syntax.keyword",
    "Token.Operator": "syntax.operator",
    "Token.Operator.Word": "syntax.keyword",
}

Row = tuple[Span, ...]
Stack = tuple[str, ...]
"""What a lexer remembers between two rows."""
START: Stack = ("root",)


def highlight(code: str, language: str) -> list[Row]:
    """The rows of `code`, without its last line end; plain where the language is not known."""
    rows = code.removesuffix("\n").split("\n")
    lexer = _lexer(language) if len(code) <= MOST_CHARACTERS else None
    if lexer is None or max(map(len, rows)) > _LONGEST_ROW:
        return list(map(_plain, rows))
    return _rows(lexer.get_tokens("\n".join([*rows, ""])))[: len(rows)]


@lru_cache(64)
def language_of(name: str) -> str:
    """Of a file, by its name; empty = not known."""
    from pygments.lexers import find_lexer_class_for_filename  # noqa: PLC0415 - as in `_lexer`

    found = find_lexer_class_for_filename(name.rpartition("/")[2])
    return next(iter(found.aliases), "") if found is not None else ""


def resume(code: str, language: str, stack: Stack) -> tuple[list[Row], Stack]:
    """The rows of a piece from the middle of some code, and what the lexer remembers behind it.

    Exact where the lexer's patterns stay within a row; a comment that one pattern takes whole is
    none when it is cut.
    """
    from pygments.lexer import (  # noqa: PLC0415 - as below
        ExtendedRegexLexer,
        LexerContext,
        RegexLexer,
    )

    lexer = _lexer(language)
    rows = code.split("\n")
    if not isinstance(lexer, RegexLexer) or max(map(len, rows)) > _LONGEST_ROW:
        return highlight(f"{code}\n", language), stack
    context = LexerContext(code, 0, [*stack])
    try:
        tokens = ExtendedRegexLexer.get_tokens_unprocessed(lexer, context=context)
        made = _rows((kind, text) for _, kind, text in tokens)
    except (TypeError, AttributeError):  # a lexer with calls of its own, which know no context
        return highlight(f"{code}\n", language), stack
    return made, tuple(context.stack)


@lru_cache(32)
def _lexer(language: str) -> "Lexer | None":
    """By the first word behind the fence: `python`, `py`, `{.python}`, `rust,ignore`."""
    word = language.strip().strip("{}.").replace(",", " ").split(maxsplit=1)[:1]
    if not word or word[0] in ("text", "plain", "plaintext", "txt"):
        return None
    from pygments.lexers import get_lexer_by_name  # noqa: PLC0415 - 30 ms, not before code comes
    from pygments.util import ClassNotFound  # noqa: PLC0415 - the same

    try:
        return get_lexer_by_name(word[0].casefold(), stripnl=False, ensurenl=False)
    except ClassNotFound:
        return None


def _plain(row: str) -> Row:
    return (Span(row, "code"),) if row else ()


def _rows(tokens: Iterable[tuple[Any, str]]) -> list[Row]:
    """Tokens cut at line ends; neighbours of one style are one span."""
    made: list[Row] = []
    row: list[Span] = []
    for kind, text in tokens:
        style = _style(kind)
        for at, piece in enumerate(text.split("\n")):
            if at:
                made.append(tuple(row))
                row = []
            if piece and row and row[-1].style == style:
                row[-1] = Span(row[-1].text + piece, style)
            elif piece:
                row.append(Span(piece, style))
    return [*made, tuple(row)]


@lru_cache(256)
def _style(kind: Any) -> str:
    """Of the nearest type above that has one."""
    name = str(kind)
    while name not in _STYLES and "." in name:
        name = name.rpartition(".")[0]
    return _STYLES.get(name, "code")
