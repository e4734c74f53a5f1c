"""The text that is held from the opening of a call on, until it is told whether it is one."""

from qcode.server.openings import may_end

_WORK_PER_CHARACTER, _FREE_WORK = 8, 100_000


class Held:
    """Lines, and how often they were looked at."""

    def __init__(self) -> None:
        self.size = 0
        self.name = ""
        """Of the call, for the eye; empty = not told yet."""
        self._lines: list[str] = []
        self._looked_at = 0  # characters, all looks together

    def add(self, line: str) -> None:
        """One line more."""
        self._lines.append(line)
        self.size += len(line)

    def text(self) -> str:
        """All of it."""
        return "".join(self._lines)

    def look(self) -> str:
        """The same, and the look is counted."""
        self._looked_at += self.size
        return self.text()

    @property
    def is_due(self) -> bool:
        """Whether a look may tell more than the last one did. All looks together must stay linear
        in the size of the text: what was looked at enough waits for its end."""
        is_news = len(self._lines) < 4 or any(map(may_end, self._lines[-2:]))
        allowed = _WORK_PER_CHARACTER * self.size + _FREE_WORK
        return is_news and self._looked_at + self.size <= allowed
