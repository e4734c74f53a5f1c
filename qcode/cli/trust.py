"""`qcode trust`: what this folder would configure, and whether it may. Arguments and printing."""

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from qcode.cli.parser import parsed
from qcode.cli.trust_shown import assignment, changes, would
from qcode.cli.trusting import Project, project
from qcode.config import files, trusted
from qcode.config.paths import paths
from qcode.permission.trust import Change, State
from qcode.protocol.errors import InputError
from qcode.protocol.text import well_formed
from qcode.tui.drawing.visible import visible

if TYPE_CHECKING:
    Group = argparse._SubParsersAction[argparse.ArgumentParser]

WORDS: dict[State, str] = {
    "nothing": "nothing in it configures qcode, so there is nothing to trust.",
    "trusted": "trusted, as it is now.",
    "untrusted": "not trusted: what it configures does not count.",
    "changed": "changed since it was trusted: what it configures does not count.",
    "declined": "not trusted: you chose to go on without what it configures.",
}


def main(argv: list[str]) -> int:
    """The subcommand from its own arguments. Raises QcodeError."""
    arguments = parsed("trust", add, argv)
    action: Callable[[argparse.Namespace], int] = arguments.do
    return action(arguments)


def add(parser_group: "Group") -> None:
    """Declare `trust` and what stands below it."""
    parser = parser_group.add_parser("trust", help="what this folder configures, and if it may")
    parser.add_argument("--json", action="store_true", help="for scripts")
    parser.set_defaults(do=_state, folder=None)
    below = parser.add_subparsers(dest="action", metavar="ACTION")
    added = below.add_parser("add", help="what the folder configures now counts, until it changes")
    added.set_defaults(do=_add)
    listed = below.add_parser("list", help="the folders that were trusted")
    listed.add_argument("--json", action="store_true", help="for scripts")
    listed.set_defaults(do=_list)
    forgotten = below.add_parser("forget", help="trust the folder no more")
    forgotten.set_defaults(do=_forget)
    diff = below.add_parser("diff", help="what has changed since it was trusted")
    diff.set_defaults(do=_diff)
    for one in (added, forgotten, diff):
        one.add_argument("folder", nargs="?", type=Path, metavar="FOLDER", help="else this one")


def _folder(named: Path | None) -> Path:
    """Its real path. Raises InputError."""
    folder = (named or Path.cwd()).expanduser()
    if not folder.is_dir():
        raise InputError(f"There is no folder {folder}.")
    return folder.resolve()


def _state(arguments: argparse.Namespace) -> int:
    found = project(_folder(None))
    sys.stdout.write(json.dumps(_data(found), indent=2) if arguments.json else _text(found))
    sys.stdout.write("\n" if arguments.json else "")
    return 0


def _add(arguments: argparse.Namespace) -> int:
    found = project(_folder(arguments.folder))
    if found.trouble:
        raise InputError(found.trouble)
    if not found.pieces:
        raise InputError(
            f"Nothing in {found.folder} configures qcode, so there is nothing to trust. What comes "
            "to be there later is asked about then."
        )
    trusted.keep(paths().state, found.folder, found.pieces)
    sys.stdout.write(_text(project(found.folder)))
    return 0


def _list(arguments: argparse.Namespace) -> int:
    kept = [one for one in trusted.entries(paths().state) if one.files is not None]
    if arguments.json:
        rows = [
            {"folder": one.folder, "since": one.since, "trust": _now(one), "files": [*files_]}
            for one in kept
            if (files_ := one.files) is not None
        ]
        sys.stdout.write(json.dumps(rows, indent=2) + "\n")
        return 0
    lines = [visible(f"{one.folder}  {_now(one)}, since {one.since}") for one in kept]
    sys.stdout.write("\n".join(lines or ["No folder was trusted yet."]) + "\n")
    return 0


def _now(entry: trusted.Entry) -> str:
    """How it stands with that folder today."""
    folder = Path(entry.folder)
    return project(folder).standing.state if folder.is_dir() else "gone"


def _forget(arguments: argparse.Namespace) -> int:
    named = arguments.folder
    folder = named if named and not named.exists() else _folder(named)  # it may be gone by now
    if not trusted.forget(paths().state, folder):
        raise InputError(f"{folder} was not trusted. `qcode trust list` has those that were.")
    sys.stdout.write(f"{visible(str(folder))} is trusted no more.\n")
    return 0


def _diff(arguments: argparse.Namespace) -> int:
    found = project(_folder(arguments.folder))
    if found.trouble:
        raise InputError(found.trouble)
    rows = [f"{visible(row)}\n" for row in changes(found)]
    sys.stdout.write("".join(rows))
    if not rows:
        sys.stderr.write(f"{WORDS[found.standing.state]}\n")
    return 0


def _text(found: Project) -> str:
    return "".join(f"{visible(row)}\n" for row in _lines(found))


def _lines(found: Project) -> Iterator[str]:
    yield f"{found.folder}: {WORDS[found.standing.state]}"
    yield from found.remarks
    if not found.pieces:
        return
    for path, piece in found.pieces.items():
        yield f"  {path}  {len(piece.data):,} bytes{_changed(path, found.standing.changes)}"
    sets, left_out = would(found)
    if sets:
        yield "It sets:" if found.standing.counts else "It would set:"
    for key, one in sets.items():
        only = "  (proposed: runs only with --verify)" if key == files.PROPOSED else ""
        yield f"  {assignment(key, one)}{only}"
    yield from left_out
    yield f"Hash of all of it: {found.digest}"
    if not found.standing.counts and not found.trouble:
        yield "Trust it as it is: qcode trust add. For one run: --trust. qcode trust diff shows it."


def _changed(path: str, changes: tuple[Change, ...]) -> str:
    return next((f"  {one.what}" for one in changes if one.path == path), "")


def _data(found: Project) -> dict[str, object]:
    sets, left_out = would(found)
    return {
        "folder": well_formed(str(found.folder)),
        "trust": found.standing.state,
        "hash": found.digest if found.pieces else "",
        "files": {path: one.sha256 for path, one in found.pieces.items()},
        "changes": [msgspec.to_builtins(one) for one in found.standing.changes],
        "sets": {key: one.value for key, one in sets.items()},
        "notices": [*found.remarks, *left_out],
    }
