"""Small bugs for Python: each is one passage of the source, found by its syntax tree.

A bug is only a proposal. Whether a test catches it is for `making` to find out.
"""

import ast
from collections.abc import Iterator

from qcode.bench.task import Swap

_COMPARED: dict[type[ast.cmpop], tuple[str, str]] = {
    ast.Lt: ("<", "<="),
    ast.LtE: ("<=", "<"),
    ast.Gt: (">", ">="),
    ast.GtE: (">=", ">"),
    ast.Eq: ("==", "!="),
    ast.NotEq: ("!=", "=="),
    ast.In: ("in", "not in"),
    ast.NotIn: ("not in", "in"),
    ast.Is: ("is", "is not"),
    ast.IsNot: ("is not", "is"),
}
_COUNTED: dict[type[ast.operator], tuple[str, str]] = {
    ast.Add: ("+", "-"),
    ast.Sub: ("-", "+"),
    ast.FloorDiv: ("//", "/"),
    ast.Mult: ("*", "+"),
}
_JOINED: dict[type[ast.boolop], tuple[str, str]] = {ast.And: ("and", "or"), ast.Or: ("or", "and")}
_SMALL = 100
"""Numbers up to here may be off by one; a larger one is a constant of its trade."""


def python(path: str, source: bytes) -> list[Swap]:
    """All that could be put in, in the order of the file; none where it is no Python."""
    try:
        text = source.decode("utf-8")
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    finder = _Finder(path, source)
    swaps = [swap for node in _looked_at(tree) for swap in finder.of(node)]
    unlike = {(swap.start, swap.new): swap for swap in swaps if _is_python(swap, source)}
    return sorted(unlike.values(), key=lambda swap: (swap.start, swap.new))


def _looked_at(node: ast.AST) -> Iterator[ast.AST]:
    """All nodes but those that only a check of types, or a run as a program, comes by."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and _is_aside(child.test):
            continue
        yield child
        yield from _looked_at(child)


def _is_aside(test: ast.expr) -> bool:
    words = {getattr(it, "id", getattr(it, "attr", "")) for it in ast.walk(test)}
    return bool(words & {"TYPE_CHECKING", "__name__", "version_info", "platform"})


def _is_python(swap: Swap, source: bytes) -> bool:
    try:
        ast.parse(swap.applied(source))
    except (SyntaxError, ValueError):
        return False
    return True


class _Finder:
    """Where the nodes of one file stand in its bytes."""

    def __init__(self, path: str, source: bytes) -> None:
        self._path = path
        self._source = source
        self._starts = [0]
        for line in source.splitlines(keepends=True):
            self._starts.append(self._starts[-1] + len(line))

    def of(self, node: ast.AST) -> Iterator[Swap]:
        """What could be put in at one node, not looking below it."""
        match node:
            case ast.Compare(left=left, ops=[op], comparators=[right]):
                yield from self._between(left, right, _COMPARED.get(type(op)))
            case ast.BinOp(left=left, op=op, right=right):
                yield from self._between(left, right, _COUNTED.get(type(op)))
            case ast.BoolOp(op=op, values=[left, right, *_]):
                yield from self._between(left, right, _JOINED[type(op)])
            case ast.Subscript(slice=it) | ast.Return(value=ast.expr() as it):
                yield from self._of_value(it)
            case ast.Call(func=ast.Name(id="range"), args=arguments):
                for it in arguments:
                    yield from self._of_value(it)
            case ast.If(test=test):
                yield self._negated(test)
            case ast.While(test=test) if not isinstance(test, ast.Constant):
                yield self._negated(test)
        for body in (getattr(node, "body", None), getattr(node, "orelse", None)):
            if isinstance(body, list) and len(body) > 1:
                yield from map(self._removed, filter(_is_branch, body))

    def _between(
        self, left: ast.expr, right: ast.expr, words: tuple[str, str] | None
    ) -> Iterator[Swap]:
        """The operator, where nothing but it and blanks stands between its sides."""
        if words is None:
            return
        start, end = self._end(left), self._start(right)
        between = self._source[start:end].decode()
        if between.split() == words[0].split():
            at = start + len(between) - len(between.lstrip())
            yield Swap(self._path, at, between.strip(), words[1], f"{words[0]} became {words[1]}")

    def _of_value(self, node: ast.expr) -> Iterator[Swap]:
        """Off by one; the other truth."""
        match node:
            case ast.Constant(value=bool() as value):
                yield self._swap(node, str(not value), f"{value} became {not value}")
            case ast.Constant(value=int() as value) if value <= _SMALL:
                yield self._swap(node, str(value + 1), f"{value} became {value + 1}")
            case ast.Slice(lower=lower, upper=upper):
                for bound in (lower, upper):
                    if bound is not None:
                        yield from self._of_value(bound)

    def _negated(self, test: ast.expr) -> Swap:
        old = self._text(test)
        if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
            return self._swap(test, self._text(test.operand), "a condition lost its not")
        return self._swap(test, f"not ({old})", "a condition was negated")

    def _removed(self, branch: ast.stmt) -> Swap:
        """With its lines: a hole would be a hint."""
        start = self._starts[branch.lineno - 1]
        end = self._starts[branch.end_lineno or branch.lineno]
        old = self._source[start:end].decode()
        return Swap(self._path, start, old, "", "a branch was removed")

    def _swap(self, node: ast.expr, new: str, what: str) -> Swap:
        return Swap(self._path, self._start(node), self._text(node), new, what)

    def _text(self, node: ast.expr) -> str:
        return self._source[self._start(node) : self._end(node)].decode()

    def _start(self, node: ast.expr) -> int:
        return self._starts[node.lineno - 1] + node.col_offset

    def _end(self, node: ast.expr) -> int:
        assert node.end_lineno is not None  # told since Python 3.8, for every parsed node
        assert node.end_col_offset is not None
        return self._starts[node.end_lineno - 1] + node.end_col_offset


def _is_branch(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.If) and not statement.orelse and not _is_aside(statement.test)
