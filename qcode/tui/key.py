"""A row of a table of keys."""

from typing import NamedTuple


class Key(NamedTuple):
    """What it does, and where."""

    key: str
    """As Textual names it; several are divided by commas."""
    what: str
    """The action."""
    help: str
    """Words for the help."""
