"""Flags that clients of other agents pass and that mean nothing here: taken, and told once."""

import argparse
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress

from qcode.cli.foreign_settings import FLAG, read_object
from qcode.protocol.errors import InputError

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
    "--allow-dangerously-skip-permissions",
    "--disable-slash-commands",
    "--debug-to-stderr",
    "--ide",
    "--chrome",
    "--no-chrome",
)
"""Without a value."""

WITH_VALUE = (
    "--betas",
    "--plugin-dir",
    "--mcp-config",
    "--agents",
    "--task-budget",
    "--max-budget-usd",
    "--thinking-display",
    "--auth-type",
    "--fallback-model",
    "--max-subagent-depth",
    "--allowed-mcp-server-names",
    "--debug-file",
)

REFUSED: Mapping[str, str] = {
    "--resume-session-at": "a session goes on from its end; qcode sessions rewind goes back first",
    "--resume-drops-turn": "a session goes on from its end; qcode sessions rewind goes back first",
    "--openai-api-key": "a key would stand in the list of processes: QCODE_API_KEY, or qcode auth",
    "--core-tools": "--tools names what the model is offered",
    "--agent": "--append-system-prompt-file gives an agent's words, --tools its tools",
    "--worktree": "git worktree add, then -C names the folder",
    "--exclude-tools": "--disallowed-tools denies, --tools names what the model is offered",
}
"""What they ask for would not be done: going on without would not be what was meant."""

UNCALLED = (
    "No hook is called: what one would refuse, permissions.deny or --disallowed-tools can, and "
    "who drives the run by --permission-prompt-tool stdio."
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
    group.add_argument(FLAG, dest=_key(FLAG), action="append", help=argparse.SUPPRESS)
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


def told(flags: tuple[str, ...]) -> str:
    """A sentence about those that were given; empty = none was."""
    said = f"{', '.join(flags)}: taken, but without a meaning here." if flags else ""
    return f"{said} {UNCALLED}" if f"{FLAG}.hooks" in flags else said


def servers(found: argparse.Namespace) -> tuple[str, ...]:
    """Names of the servers in `--mcp-config`, so that a host can be told that they are not called.
    What cannot be read has none."""
    texts: list[str] = found.foreign_mcp_config or []
    return tuple(name for text in texts for name in _servers(text))


def _servers(text: str) -> Iterator[str]:
    with suppress(InputError):
        named = read_object("--mcp-config", text).get("mcpServers")
        yield from named if isinstance(named, dict) else ()


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
