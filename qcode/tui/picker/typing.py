"""A line of text that is typed at its end: the search, a new name."""

import msgspec

from qcode.protocol.text import one_line
from qcode.tui.drawing.visible import safe

LONGEST = 200
"""Characters."""


class Typed(msgspec.Struct, frozen=True):
    """What was typed so far."""

    text: str = ""

    def key(self, name: str, character: str | None) -> "Typed | None":
        """After a key; None = the key does not belong to typing."""
        match name:
            case "backspace" | "ctrl+h":
                return Typed(self.text[:-1])
            case "ctrl+u":
                return Typed()
            case "ctrl+w" | "alt+backspace" | "ctrl+backspace":
                return Typed(self.text.rstrip().rpartition(" ")[0])
        if character and character.isprintable() and not name.startswith(("ctrl+", "alt+")):
            return Typed((self.text + character)[:LONGEST])
        return None

    def paste(self, text: str) -> "Typed":
        """After a paste: its first line."""
        return Typed((self.text + one_line(safe(text), LONGEST))[:LONGEST])
