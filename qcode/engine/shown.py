"""What a person said of calls that still waited, beside the one that they were asked about.

It holds for the very change that they were shown. Whatever came between, an edit of the same
answer, a command, the person's own editor: another change is another question.
"""

from collections.abc import Sequence

import msgspec

from qcode.protocol.inputs import CallReply

Basis = tuple[str, str, str]
"""Path, digest of the bytes before, text behind: the same for the same change."""


class Shown(msgspec.Struct):
    """Of one answer of the model."""

    _bases: dict[str, Basis] = msgspec.field(default_factory=dict)
    """By call."""
    _said: dict[str, CallReply] = msgspec.field(default_factory=dict)

    def begin(self) -> None:
        """The calls of another answer."""
        self._bases.clear()
        self._said.clear()

    def show(self, call_id: str, basis: Basis) -> None:
        """The person sees this change now, and no other of that call."""
        self._bases[call_id] = basis
        self._said.pop(call_id, None)

    def take(self, replies: Sequence[CallReply]) -> None:
        """The person's words; those of calls that they were not shown are left aside."""
        self._said |= {one.call_id: one for one in replies if one.call_id in self._bases}

    def waits(self, call_id: str) -> bool:
        """Whether something was said of that call."""
        return call_id in self._said

    def said(self, call_id: str, basis: Basis | None) -> CallReply | None:
        """What was said of this change; None = nothing, or it was another that was shown."""
        is_same = basis is not None and self._bases.get(call_id) == basis
        return self._said.get(call_id) if is_same else None
