"""The bash grammar's view of a line: where its simple commands are, and what is not plain.

The grammar is lenient where bash is not (it takes words after a redirection for more targets, a
continued line for two words), so `shell` believes it only where `words.lex` says the same.
"""

import re
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING

import msgspec

from qcode.permission.words import names

if TYPE_CHECKING:
    from tree_sitter import Node, Parser

_STRUCTURE = names(
    "program list pipeline command command_name negated_command redirected_statement "
    "file_redirect subshell if_statement elif_clause else_clause while_statement do_group "
    "comment file_descriptor"
)
"""Nodes that add nothing but commands; each other one makes the line unclear."""

_ARGUMENTS = names("word number string raw_string concatenation simple_expansion")
_KEYWORDS = names("if then elif else fi while until do done { } !")

_REASONS = {
    "ERROR": "it does not parse as bash",
    "ansi_c_string": "it has a $'…' string",
    "arithmetic_expansion": "it has arithmetic",
    "command_substitution": "it has a substitution",
    "compound_statement": "it has arithmetic",
    "declaration_command": "it sets variables",
    "expansion": "it has an expansion beyond a plain $name",
    "for_statement": "it sets variables",
    "c_style_for_statement": "it sets variables",
    "function_definition": "it defines a function",
    "heredoc_redirect": "it has a here-document",
    "herestring_redirect": "it has a here-document or here-string",
    "process_substitution": "it has a process substitution",
    "special_variable_name": "it has an expansion beyond a plain $name",
    "test_command": "it has a test that can evaluate",
    "unset_command": "it sets variables",
    "variable_assignment": "it sets variables",
}

_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]")

Span = tuple[int, int]


class Outline(msgspec.Struct, frozen=True):
    """What the grammar found. Spans are in characters."""

    commands: tuple[tuple[Span, ...], ...]
    """Of each simple command, also of nested ones: its words, the name first."""
    units: frozenset[Span]
    """Every word, redirection target and reserved word."""
    reasons: tuple[str, ...]
    """Why the line is not plain; empty = it is."""


def outline(line: str) -> Outline:
    """What the grammar makes of `line`. Never raises; looks at nothing but the text."""
    root = _parser().parse(_ascii(line)).root_node
    commands: list[tuple[Span, ...]] = []
    units: set[Span] = set()
    reasons: list[str] = ["it does not parse as bash"] if root.has_error else []
    for node, parent in _nodes(root):
        if node.type == "command":
            commands.append(tuple(_span(word) for word in _argv(node)))
        if reason := _reason(node, parent):
            reasons.append(reason)
        if _is_unit(node, parent):
            units.add(_span(node))
    return Outline(tuple(commands), frozenset(units), tuple(dict.fromkeys(reasons)))


@cache
def _parser() -> "Parser":
    # Deferred: 20 ms that a run without commands to judge does not pay.
    import tree_sitter_bash  # noqa: PLC0415
    from tree_sitter import Language, Parser  # noqa: PLC0415

    return Parser(Language(tree_sitter_bash.language()))


def _ascii(line: str) -> bytes:
    """One byte a character, so that offsets stay those of the line.

    The grammar's scanner (tree-sitter-bash 0.25.1) looks characters up in a table of 256: code
    points beyond it read foreign memory, and some lines end the process. To bash they are parts of
    words that are no names; so is a percent sign.
    """
    return _BEYOND_ASCII.sub("%", line).encode()


def _span(node: "Node") -> Span:
    return node.start_byte, node.end_byte


def _nodes(root: "Node") -> Iterator[tuple["Node", str]]:
    """All nodes with their parent's type, in the order of the text.

    A list instead of recursion: hostile input nests deep. `node.parent` would search from the root.
    """
    waiting = [(root, "")]
    while waiting:
        node, parent = waiting.pop()
        yield node, parent
        waiting.extend((child, node.type) for child in reversed(node.children))


def _argv(command: "Node") -> Iterator["Node"]:
    """The words of a `command` node."""
    for child in command.children:
        if child.type not in ("variable_assignment", "file_redirect", "subshell"):
            yield child


def _reason(node: "Node", parent: str) -> str:
    """Why `node` makes the line unclear; empty = it does not."""
    if node.type == "compound_statement" and node.children[0].type == "{":
        return ""
    if node.type in _REASONS:
        return _REASONS[node.type]
    if node.type == "subshell" and parent == "command":
        return _REASONS["ERROR"]
    if not node.is_named or node.type in _STRUCTURE:
        return ""
    if node.type in _ARGUMENTS and parent in ("command", "command_name", "file_redirect"):
        return ""
    braces = parent == "compound_statement" and node.type not in _ARGUMENTS
    if parent and parent not in _STRUCTURE and not braces:
        return ""  # its parent is an argument, or has its reason already
    return f"it has a {node.type.replace('_', ' ')}"


def _is_unit(node: "Node", parent: str) -> bool:
    """Would `words.lex` take this node for one word?"""
    if not node.is_named:
        return node.type in _KEYWORDS and (parent in _STRUCTURE or parent == "compound_statement")
    if node.type == "command_name":
        return True
    return parent in ("command", "file_redirect") and node.type in _ARGUMENTS
