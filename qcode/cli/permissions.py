"""`qcode permissions`: the modes, and what the rules say to a command. Printing only."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from qcode.cli.parser import parsed
from qcode.cli.rules import rules
from qcode.config.load import Loaded, load, sources
from qcode.permission.explain import Explanation, Part, explain
from qcode.permission.judge import Policy
from qcode.permission.modes import HEADINGS, PRESETS, TABLE, Fence, parse_mode, table
from qcode.permission.patterns import Ground
from qcode.protocol.text import plain

if TYPE_CHECKING:
    Group = argparse._SubParsersAction[argparse.ArgumentParser]


def main(argv: list[str]) -> int:
    """The subcommand from its own arguments. Raises QcodeError."""
    return run(parsed("permissions", add, argv), Path.cwd())


def add(parser_group: "Group") -> None:
    """Declare `permissions` and what stands below it."""
    parser = parser_group.add_parser("permissions", help="what the agent may do unasked")
    below = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    modes = below.add_parser("modes", help="the table of modes")
    modes.add_argument("--json", action="store_true", help="for scripts")
    modes.set_defaults(do=_modes)
    test = below.add_parser("test", help="what would happen to a command, and why")
    test.add_argument("command", help="a shell command, quoted")
    test.add_argument("--json", action="store_true", help="for scripts")
    test.add_argument("--permission-mode", metavar="MODE", help="instead of the one set")
    test.add_argument("--allowed-tools", action="append", default=[], metavar="RULES")
    test.add_argument("--disallowed-tools", action="append", default=[], metavar="RULES")
    test.add_argument(
        "--sandbox",
        "--fence",
        choices=("holds", "none", "off"),
        help="as if it were so; default: none or off",
    )
    test.set_defaults(do=_test)


def run(arguments: argparse.Namespace, folder: Path) -> int:
    """Do it for the workspace at `folder`; returns the exit code. Raises QcodeError."""
    action: Callable[[argparse.Namespace, Path], int] = arguments.do
    return action(arguments, folder)


def _modes(arguments: argparse.Namespace, _: Path) -> int:
    if not arguments.json:
        sys.stdout.write(_blocks() if sys.stdout.isatty() else table())
        return 0
    words = {word: msgspec.to_builtins(preset) for word, preset in PRESETS.items()}
    return _print_json({"columns": HEADINGS, "modes": TABLE, "words": words})


def _blocks() -> str:
    """The table for a person at a terminal: a mode after another, a cell a line."""
    rows = [line.strip("| ").split(" | ") for line in table().splitlines()]
    width = max(map(len, HEADINGS[1:]))
    blocks = []
    for mode, *cells in rows[2:]:
        pairs = zip(HEADINGS[1:], cells, strict=True)
        lines = [f"  {heading:<{width}}  {cell}" for heading, cell in pairs]
        blocks.append("\n".join([mode.replace("`", ""), *lines]) + "\n")
    return "\n".join(blocks)


def _test(arguments: argparse.Namespace, folder: Path) -> int:
    mode = arguments.permission_mode
    loaded = load(sources(folder, {"permission.mode": ("--permission-mode", mode)} if mode else {}))
    found = explain(arguments.command, _policy(arguments, loaded, folder))
    if arguments.json:
        return _print_json(found)
    sys.stdout.write("\n".join(_lines(found)) + "\n")
    return 0


def _policy(arguments: argparse.Namespace, loaded: Loaded, folder: Path) -> Policy:
    permission = loaded.config.permission
    preset = parse_mode(permission.mode or "ask")
    off = permission.sandbox == "off" or preset.sandbox == "off"
    fence: Fence = arguments.sandbox or ("off" if off else "none")
    flags = (arguments.allowed_tools, arguments.disallowed_tools)
    return Policy(preset.mode, fence, rules(loaded, Ground.of(folder), *flags), preset.asks)


def _lines(found: Explanation) -> list[str]:
    """The verdict, then each command with the rule that speaks of it, then what is unclear."""
    lines = [f"{found.answer}: {found.because}"]
    lines += [f"  {part.command}  ← {_about(part)}" for part in found.commands]
    lines += [f"  opened: {wrapper}" for wrapper in found.wrappers]
    lines += [f"  not clear: {reason}" for reason in found.unclear]
    if found.answer == "ask":
        lines.append("  with -p there is nobody to ask: it would be denied")
    return [plain(line) for line in lines]


def _about(part: Part) -> str:
    only = " (reads only)" if part.reads_only else ""
    if part.answer is None:
        return f"no rule{only}"
    return f"{part.source}: {part.answer} {part.rule}{only}"


def _print_json(value: Any) -> int:
    text = msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
    sys.stdout.write(f"{text}\n")
    return 0
