"""`qcode permissions`: modes and rules, and what they say to a command. Printing, hardly more."""

import argparse
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import replace

from qcode.answering import settings_of
from qcode.cli.identity import identity
from qcode.cli.parser import parsed
from qcode.cli.rules import Found, ground_of, rules
from qcode.config.learned import forget, learned
from qcode.config.load import Loaded, load, sources
from qcode.config.paths import paths
from qcode.engine.reach import Looking
from qcode.engine.rulebook import Rulebook
from qcode.fencing import known
from qcode.permission.explain import Explanation, Part, explain
from qcode.permission.judge import Policy
from qcode.permission.modes import HEADINGS, PRESETS, TABLE, Fence, parse_mode, table
from qcode.permission.patterns import Ground
from qcode.permission.rules import Rule
from qcode.protocol.access import Access
from qcode.protocol.errors import InputError
from qcode.protocol.text import escaped, plain, visible
from qcode.workspace.files import Workspace
from qcode.workspace.secrets import Secrets

if TYPE_CHECKING:
    Group = argparse._SubParsersAction[argparse.ArgumentParser]


FENCES: Mapping[Fence, str] = {
    "holds": "with the sandbox around commands",
    "none": "without a sandbox; `qcode sandbox check` says if one holds",
    "off": "with the sandbox off",
}
MOST_FILES = 20


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
        help="as if it were so; default: what an earlier run proved here",
    )
    test.set_defaults(do=_test)
    listed = below.add_parser("list", help="the rules that hold here, and where each stands")
    listed.add_argument("--json", action="store_true", help="for scripts")
    listed.set_defaults(do=_list)
    forgotten = below.add_parser("forget", help="remove a rule that was approved for this project")
    forgotten.add_argument("rule", help="as the list shows it, quoted")
    forgotten.set_defaults(do=_forget)


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


def _list(arguments: argparse.Namespace, folder: Path) -> int:
    found = _told(rules(load(sources()), ground_of(folder), (), ()))
    if arguments.json:
        keys = ("answer", "text", "source")
        return _print_json([{key: getattr(rule, key) for key in keys} for rule in found])
    rows = [plain(f"{rule}  ← {rule.source}") for rule in found]
    sys.stdout.write("\n".join(rows or ["No rules: the mode alone decides."]) + "\n")
    return 0


def _forget(arguments: argparse.Namespace, folder: Path) -> int:
    if forget(paths().state, folder, arguments.rule):
        sys.stderr.write(plain(f"Forgotten: {arguments.rule}\n"))
        return 0
    known = learned(paths().state, folder, identity(folder))
    there = f"There are: {', '.join(known)}." if known else "There are none."
    raise InputError(f"{arguments.rule!r} was not approved for {folder}. {there}")


def _test(arguments: argparse.Namespace, folder: Path) -> int:
    mode = arguments.permission_mode
    loaded = load(sources({"permission.mode": ("--permission-mode", mode)} if mode else {}))
    policy, line = _policy(arguments, loaded, folder), arguments.command
    if policy.fence == "holds" and _runs_outside(line, loaded, folder):
        policy = replace(policy, fence="none")
    secrets = Secrets.of(ground_of(folder).secrets, paths().folders)
    reached = Looking(Workspace(folder, secrets=secrets)).reached(line)
    found = explain(line, policy, {line: reached})
    if arguments.json:
        return _print_json(found)
    sys.stdout.write("\n".join(_lines(found)) + "\n")
    return 0


def _policy(arguments: argparse.Namespace, loaded: Loaded, folder: Path) -> Policy:
    preset = parse_mode(loaded.config.permission.mode or "ask")
    fence: Fence = arguments.sandbox or known(loaded.config, folder, paths().state)
    flags = (arguments.allowed_tools, arguments.disallowed_tools)
    return Policy(preset.mode, fence, _told(rules(loaded, ground_of(folder), *flags)), preset.asks)


def _told(found: Found) -> tuple[Rule, ...]:
    """The rules; what else there is to say goes to stderr."""
    for remark in found.remarks:
        sys.stderr.write(plain(f"{remark}\n"))
    return found.rules


def _lines(found: Explanation) -> list[str]:
    """The verdict, then each command with the rule that speaks of it, then what is unclear."""
    lines = [f"{found.answer}: {found.because}"]
    lines += [f"  {part.command}  ← {_about(part)}" for part in found.commands]
    lines += [f"  {_done(access)}" for access in found.files[:MOST_FILES]]
    if len(found.files) > MOST_FILES:
        lines.append(f"  and {len(found.files) - MOST_FILES} more files")
    lines += [f"  opened: {wrapper}" for wrapper in found.wrappers]
    lines += [f"  not clear: {reason}" for reason in found.unclear]
    lines.append(f"  judged in {found.mode} mode, {FENCES[found.fence]}")
    if found.answer == "ask":
        lines.append("  with -p there is nobody to ask: it would be denied")
    return [visible(line) for line in lines]


def _about(part: Part) -> str:
    rule = f"{part.source}: {part.answer} {part.rule}" if part.answer else "no rule"
    return f"{rule}; {_does(part)}"


def _does(part: Part) -> str:
    """What its words tell of one command."""
    if not part.told:
        return "what else it does is not known" if part.reads or part.edits else "can do anything"
    reads = [f"reads {', '.join(part.reads)}"] if part.reads else []
    edits = [f"changes {', '.join(part.edits)}"] if part.edits else []
    return f"only {' and '.join(reads + edits)}" if reads or edits else "touches no file"


def _done(access: Access) -> str:
    where = "" if access.place == "workspace" else f" ({access.place})"
    return f"{'reads' if access.kind == 'read' else 'changes'} {access.target}{where}"


def _runs_outside(line: str, loaded: Loaded, folder: Path) -> bool:
    """Do the settings have it run without the fence?"""
    config = loaded.config
    settings = settings_of(config, "ask")
    book = Rulebook(settings, "holds", (), Ground.of(folder), config.sandbox.outside)
    return book.where([Access("shell", line)]) == "outside"


def _print_json(value: Any) -> int:
    text = msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
    sys.stdout.write(f"{escaped(text)}\n")
    return 0
