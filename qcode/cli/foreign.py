"""Flags that clients of other agents pass and that mean nothing here: taken, and told once."""

import argparse
from collections.abc import Mapping

Group = argparse._ArgumentGroup

ALONE = (
    "--include-hook-events",
    "--session-mirror",
    "--strict-mcp-config",
    "--bare",
    "--safe-mode",
    "--experimental-lsp",
)
"""Without a value."""

WITH_VALUE = (
    "--betas",
    "--plugin-dir",
    "--mcp-config",
    "--agents",
    "--settings",
    "--task-budget",
    "--max-budget-usd",
    "--thinking-display",
    "--auth-type",
)

EFFORTS: Mapping[str, str] = {
    "adaptive": "medium",
    "enabled": "medium",
    "disabled": "off",
    "none": "off",
    "minimal": "low",
    "xhigh": "max",
}
"""Their words for how much to think -> ours."""


def add(group: Group) -> None:
    """Declare them; no help speaks of them."""
    for flag in ALONE:
        group.add_argument(flag, dest=_key(flag), action="store_true", help=argparse.SUPPRESS)
    for flag in WITH_VALUE:
        group.add_argument(flag, dest=_key(flag), action="append", help=argparse.SUPPRESS)


def said(found: argparse.Namespace) -> tuple[str, ...]:
    """Those that were given."""
    return tuple(flag for flag in (*ALONE, *WITH_VALUE) if getattr(found, _key(flag)))


def effort(word: str | None) -> str | None:
    """A level as ours; what is no word of theirs stays."""
    return EFFORTS.get(word, word) if word else word


def _key(flag: str) -> str:
    return f"foreign_{flag.lstrip('-').replace('-', '_')}"
