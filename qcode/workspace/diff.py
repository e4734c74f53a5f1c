"""Unified diffs of one file: made, counted, turned round, applied.

Only `\\n` ends a line; a carriage return before it is part of the line.
"""

import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

from qcode.workspace.ends import common_ends

CONTEXT_LINES = 3
_COMPARED_LINES = 10_000
"""Where more lines changed on both sides, they stand as one block: comparing would take long."""
_NO_END = "\\ No newline at end of file\n"
_HUNK = re.compile(r"^@@ -(\d+)(,\d+)? \+(\d+)(,\d+)? @@", re.MULTILINE)

Operation = tuple[str, int, int, int, int]


class DoesNotApply(ValueError):
    """A patch does not fit the text. `str(error)` says where."""


def unified(before: str, after: str, path: str) -> str:
    """The patch from `before` to `after`; empty when they are the same."""
    old, new = lines_of(before), lines_of(after)
    body = [line for hunk in groups(old, new) for line in _written(hunk, old, new)]
    return "".join([f"--- a/{path}\n", f"+++ b/{path}\n", *body]) if body else ""


def counts(patch: str) -> tuple[int, int]:
    """(added, removed) lines."""
    body = patch.split("\n")[2:]
    return sum(line[:1] == "+" for line in body), sum(line[:1] == "-" for line in body)


def reverse(patch: str) -> str:
    """The patch that takes `patch` back."""
    lines = patch.split("\n")[:-1]
    made = lines[:2]
    removed: list[str] = []
    added: list[str] = []
    for line in lines[2:]:
        if line[:1] == "+" or (line[:1] == "\\" and added):
            added.append(f"-{line[1:]}" if line[:1] == "+" else line)
        elif line[:1] == "-" or (line[:1] == "\\" and removed):
            removed.append(f"+{line[1:]}" if line[:1] == "-" else line)
        else:
            made += [*added, *removed, _HUNK.sub(r"@@ -\3\4 +\1\2 @@", line)]
            removed, added = [], []
    return "".join(f"{line}\n" for line in [*made, *added, *removed])


def apply(text: str, patch: str) -> str:
    """`text` with the patch in it, at the lines that the patch names. Raises DoesNotApply."""
    from unidiff.errors import UnidiffParseError  # noqa: PLC0415 - start-up time
    from unidiff.patch import PatchSet  # noqa: PLC0415 - start-up time

    try:
        parsed = PatchSet(f"{line}\n" for line in patch.split("\n")[:-1])
    except UnidiffParseError as error:
        raise DoesNotApply(f"This is no unified diff: {error}.") from error
    lines, at = lines_of(text), 0
    made: list[str] = []
    for hunk in parsed[0] if parsed else ():
        start = hunk.source_start - (1 if hunk.source_length else 0)
        rows = [(line.line_type, line.value) for line in hunk]
        source = _side(rows, " -")
        if start < at or lines[start : start + len(source)] != source:
            raise DoesNotApply(f"The text differs from the patch near line {start + 1}.")
        made += lines[at:start] + _side(rows, " +")
        at = start + len(source)
    return "".join([*made, *lines[at:]])


def _side(rows: Sequence[tuple[str, str]], kinds: str) -> list[str]:
    """The lines of these kinds; the mark `\\` takes the line end off the one before it."""
    made = []
    for index, (kind, value) in enumerate(rows):
        if kind in kinds:
            open_end = rows[index + 1 : index + 2] and rows[index + 1][0] == "\\"
            made.append(value.removesuffix("\n") if open_end else value)
    return made


def lines_of(text: str) -> list[str]:
    """Each line with its own end; only the last may have none."""
    lines = text.split("\n")
    last = lines.pop()
    whole = [f"{line}\n" for line in lines]
    return [*whole, last] if last else whole


def groups(old: Sequence[str], new: Sequence[str]) -> Iterator[list[Operation]]:
    """Changes with their context; those whose contexts meet stand together."""
    hunk: list[Operation] = []
    for tag, a, b, c, d in _operations(old, new):
        if tag != "equal":
            hunk.append((tag, a, b, c, d))
            continue
        after = min(CONTEXT_LINES, b - a)
        if hunk and b - a > 2 * CONTEXT_LINES:
            yield [*hunk, (tag, a, a + after, c, c + after)]
            hunk = []
        before = b - a if hunk else after
        hunk.append((tag, b - before, b, d - before, d))
    if any(tag != "equal" for tag, *_ in hunk):
        tag, a, b, c, d = hunk.pop()
        after = min(CONTEXT_LINES, b - a)
        yield [*hunk, (tag, a, a + after, c, c + after)]


def _operations(old: Sequence[str], new: Sequence[str]) -> Iterator[Operation]:
    """As `SequenceMatcher` has them; the first and the last are `equal`, maybe of no lines."""
    head, tail = common_ends(old, new)
    low, high = old[head : len(old) - tail], new[head : len(new) - tail]
    yield ("equal", 0, head, 0, head)
    if min(len(low), len(high)) > _COMPARED_LINES:
        yield ("replace", head, len(old) - tail, head, len(new) - tail)
    else:
        for tag, a, b, c, d in SequenceMatcher(None, low, high).get_opcodes():
            yield (tag, a + head, b + head, c + head, d + head)
    yield ("equal", len(old) - tail, len(old), len(new) - tail, len(new))


def _written(hunk: list[Operation], old: Sequence[str], new: Sequence[str]) -> Iterator[str]:
    _, a, _, c, _ = hunk[0]
    _, _, b, _, d = hunk[-1]
    yield f"@@ -{span(a, b)} +{span(c, d)} @@\n"
    for tag, low, high, left, right in hunk:
        if tag == "equal":
            yield from (_row(" ", line) for line in old[low:high])
            continue
        yield from (_row("-", line) for line in old[low:high])
        yield from (_row("+", line) for line in new[left:right])


def span(start: int, end: int) -> str:
    """Lines as the head of a hunk names them; of no lines, the number of the one before."""
    return f"{start + 1 if end > start else start},{end - start}"


def _row(mark: str, line: str) -> str:
    return f"{mark}{line}" if line.endswith("\n") else f"{mark}{line}\n{_NO_END}"
