"""A value and where it came from."""

from typing import Literal

import msgspec


class Origin(msgspec.Struct, frozen=True):
    """Where a value came from."""

    kind: Literal["default", "user", "project", "environment", "flag", "profile"]
    name: str = ""
    """The file, the variable, the flag or the profile."""
    line: int = 0
    """In the file; 0 = not a file."""

    def __str__(self) -> str:
        place = f"{self.name}:{self.line}" if self.line else self.name
        return f"{self.kind} {place}".strip()


DEFAULT = Origin("default")


class Setting(msgspec.Struct, frozen=True):
    """One value that somebody set."""

    value: object
    origin: Origin


Settings = dict[str, Setting]
"""By key."""
