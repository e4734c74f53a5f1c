"""Lines that a person wrote in the place of others, with the line ends that the file has."""

from collections import Counter
from collections.abc import Sequence
from difflib import SequenceMatcher

from qcode.workspace.diff import lines_of


def with_ends(text: str, model: Sequence[str], around: Sequence[str]) -> tuple[str, ...]:
    """`text` as lines: those that stand in `model` keep the end they have there, the others get
    the end that most lines `around` have. A last line that is open stays open."""
    bare = [_bare(line) for line in lines_of(text)]
    ends = [_usual(around)] * len(bare)
    matcher = SequenceMatcher(None, [_bare(line) for line in model], bare, autojunk=False)
    for start, place, size in matcher.get_matching_blocks():
        for index in range(size):
            ends[place + index] = _end(model[start + index]) or ends[place + index]
    if bare and not text.endswith("\n"):
        ends[-1] = ""
    return tuple(line + end for line, end in zip(bare, ends, strict=True))


def closed(lines: Sequence[str], around: Sequence[str]) -> tuple[str, ...]:
    """The lines, the last one with an end."""
    if not lines or lines[-1].endswith("\n"):
        return tuple(lines)
    return (*lines[:-1], lines[-1] + _usual(around))


def _usual(lines: Sequence[str]) -> str:
    found = Counter(end for end in map(_end, lines) if end)
    return found.most_common(1)[0][0] if found else "\n"


def _bare(line: str) -> str:
    return line.removesuffix(_end(line))


def _end(line: str) -> str:
    return "\r\n" if line.endswith("\r\n") else "\n" if line.endswith("\n") else ""
