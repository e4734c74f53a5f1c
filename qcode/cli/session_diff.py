"""`qcode sessions diff`: what the turns of a session changed, as a patch."""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from qcode.cli.kept import Kept, print_json, session, shown, talk, unkept
from qcode.cli.parser import count
from qcode.cli.session_tables import stat
from qcode.protocol.errors import InputError
from qcode.protocol.text import plain, well_formed
from qcode.session.store import Store
from qcode.workspace.back import fetched
from qcode.workspace.compared import changes, ends
from qcode.workspace.patches import FileChange, whole_patch

if TYPE_CHECKING:
    Group = argparse._SubParsersAction[argparse.ArgumentParser]


def add(group: "Group") -> None:
    """Declare it."""
    parser = group.add_parser(
        "diff",
        help="what the turns of a session changed, as a patch",
        description="What the turns of a session changed in files, as a patch.",
    )
    parser.add_argument("session", nargs="?", help="id, part of it, or name; else the latest here")
    parser.add_argument("--from", dest="start", type=count, default=0, metavar="N",
                        help="since the end of turn N; default 0, before all")  # fmt: skip
    parser.add_argument("--to", type=count, metavar="N", help="to the end of turn N; default: all")
    parser.add_argument("--stat", action="store_true", help="only files and numbers of lines")
    parser.add_argument("--json", action="store_true", help="for scripts")
    parser.set_defaults(do=_diff)


def _diff(arguments: argparse.Namespace, store: Store) -> int:
    session_id = session(arguments, store)
    kept = Kept.of(session_id, store.open(session_id).events)
    last = kept.talk.turns if arguments.to is None else kept.known(arguments.to)
    if kept.known(arguments.start) > last:
        raise InputError(f"--from {arguments.start} is behind --to {last}: exchange them.")
    found = _found(kept, arguments.start, last)
    if arguments.json:
        return print_json([_row(change) for change in found])
    if arguments.stat:
        sys.stdout.write(stat([(shown(one.path), *one.counts, _word(one)) for one in found]))
    else:
        _print_patch(found)
    if not found:
        talk("No files were changed by these turns.")
    return 0


def _found(kept: Kept, start: int, last: int) -> list[FileChange]:
    keeper = kept.keeper
    try:
        both = ends(kept.notes(start + 1, last), keeper.path, keeper.shadow)
    except OSError as error:
        raise unkept(keeper, error) from error
    files = {one.content for pair in both.values() for one in pair if one.kind == "file"}
    had = asyncio.run(fetched(keeper.root, files)) if files else {}
    return list(changes(both, keeper.shown, lambda entry: keeper.data(entry, had)))


def _print_patch(found: Sequence[FileChange]) -> None:
    """To the byte, for `git apply`; on a terminal nothing of it may steer that."""
    text = "".join(map(whole_patch, found))
    if sys.stdout.isatty():
        sys.stdout.write(plain(well_formed(text)))
    else:
        sys.stdout.flush()
        sys.stdout.buffer.write(text.encode("utf-8", "surrogateescape"))
    for one in found:
        if one.kind == "binary":
            talk(f"Not in the patch: {shown(one.path)} (it has no lines, or was not kept).")


def _row(change: FileChange) -> dict[str, Any]:
    added, removed = change.counts
    return {
        "path": well_formed(change.path),
        "kind": change.kind,
        "added": added,
        "removed": removed,
        "patch": well_formed(whole_patch(change)),
    }


def _word(change: FileChange) -> str:
    return "" if change.kind == "modified" else change.kind
