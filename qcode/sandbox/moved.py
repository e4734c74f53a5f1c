"""Variables for a fence that can put nothing in the place of /tmp."""

from collections.abc import Mapping
from pathlib import Path

_TEMPORARY = ("TMPDIR", "TMP", "TEMP")


def moved(environment: Mapping[str, str], tmp: Path) -> dict[str, str]:
    """What leads to /tmp leads to the private folder `tmp`."""
    there = {
        name: f"{tmp}{value[4:]}"
        for name, value in environment.items()
        if value == "/tmp" or value.startswith("/tmp/.cache/")
    }
    return {**environment, **dict.fromkeys(_TEMPORARY, str(tmp)), **there}
