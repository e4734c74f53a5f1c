"""A list in one string argument: one entry per line.

Flat arguments spare a small model the nesting; those that learned other agents' tools send a JSON
list all the same, and it is read as well.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from qcode.protocol.text import one_line

MOST_CHARACTERS = 300
"""Of one entry."""


def entries(text: str) -> list[Any]:
    """The lines that are not blank; where the text is a JSON list, its members."""
    if text.lstrip().startswith("["):
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):  # `[x] done` begins with a bracket, too
            found = None
        if isinstance(found, list):
            return found
    return [line.strip() for line in text.splitlines() if line.strip()]


def words(entry: Any, keys: Sequence[str]) -> str:
    """The text of an entry: itself, or of a mapping what stands under the first of `keys`."""
    if isinstance(entry, Mapping):
        entry = next((entry[key] for key in keys if key in entry), "")
    return one_line(str(entry), MOST_CHARACTERS)
