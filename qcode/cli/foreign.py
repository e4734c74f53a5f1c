"""Flags that clients of other agents pass and that mean nothing here: taken, and told once."""

import argparse
from collections.abc import Callable, Mapping

Group = argparse._ArgumentGroup

ALONE = (
    "--include-hook-events",
    "--session-mirror",
    "--strict-mcp-config",
    "--bare",
    "--safe-mode",
    "--experimental-lsp",
    "--restricted",
    "--insecure",
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
    "--fallback-model",
    "--max-subagent-depth",
    "--allowed-mcp-server-names",
)

REFUSED: Mapping[str, str] = {
    "--resume-session-at": "a session goes on from its end; qcode sessions rewind goes back first",
    "--resume-drops-turn": "a session goes on from its end; qcode sessions rewind goes back first",
    "--openai-api-key": "a key would stand in the list of processes: QCODE_API_KEY, or qcode auth",
    "--core-tools": "--tools names what the model is offered",
    "--exclude-tools": "--disallowed-tools denies, --tools names what the model is offered",
}
"""What they ask for would not be done: going on without would not be what was meant."""

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
    group.add_argument("--permission-prompts", choices=("host", "none"), help=argparse.SUPPRESS)
    for flag in REFUSED:
        group.add_argument(flag, type=_refuser(REFUSED[flag]), help=argparse.SUPPRESS)


def _refuser(why: str) -> Callable[[str], None]:
    def refuse(_: str) -> None:
        raise argparse.ArgumentTypeError(f"not here: {why}")

    return refuse


def said(found: argparse.Namespace) -> tuple[str, ...]:
    """Those that were given."""
    return tuple(flag for flag in (*ALONE, *WITH_VALUE) if getattr(found, _key(flag)))


def prompt_tool(found: argparse.Namespace) -> str | None:
    """`--permission-prompts` is Claude's newer word for it."""
    words: Mapping[str, str | None] = {"host": "stdio", "none": None}
    said: str | None = found.permission_prompt_tool
    return words.get(found.permission_prompts, said)


def thinking(word: str | None, effort: str | None) -> str | None:
    """How much to think, as ours: `--thinking` says whether, `--effort` how much. What is no word
    of theirs stays."""
    vague = word in (None, "adaptive", "enabled")
    said = effort if effort and vague else word
    return EFFORTS.get(said, said) if said else said


def _key(flag: str) -> str:
    return f"foreign_{flag.lstrip('-').replace('-', '_')}"
