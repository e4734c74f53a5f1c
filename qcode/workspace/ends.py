"""What two sequences have in common at their ends."""

from collections.abc import Sequence


def common_ends(old: Sequence[str], new: Sequence[str]) -> tuple[int, int]:
    """(head, tail): how many items they begin and end with alike; the two never overlap."""
    head = _shared(old, new)
    return head, min(_shared(old[::-1], new[::-1]), min(len(old), len(new)) - head)


def _shared(one: Sequence[str], other: Sequence[str]) -> int:
    for index, (left, right) in enumerate(zip(one, other, strict=False)):
        if left != right:
            return index
    return min(len(one), len(other))
