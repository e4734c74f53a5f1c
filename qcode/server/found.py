"""What a look at text that begins like a call can come to."""

from typing import Literal

import msgspec


class Found(msgspec.Struct, frozen=True):
    """A whole call."""

    name: str
    """As the model wrote it."""
    arguments: str
    """JSON text, as a rule; slips of syntax are the engine's to mend."""
    end: int
    """Where the text goes on behind it and its closing tags."""
    is_wrapped: bool
    """Whether a tag of the format stands around it, or at least behind it."""
    is_bare_json: bool = False
    """No tag at all, neither before nor behind."""
    others: tuple[tuple[str, str], ...] = ()
    """Name and arguments of the calls behind it in one list; `end` is behind all of them."""

    @property
    def calls(self) -> tuple[tuple[str, str], ...]:
        """Name and arguments of each."""
        return ((self.name, self.arguments), *self.others)


class NotYet(msgspec.Struct, frozen=True):
    """Text is missing: more may come, or, where nothing does, the call was cut off."""

    name: str = ""
    """As far as it is known."""
    is_wrapped: bool = False


Look = Found | NotYet | Literal["none"]
