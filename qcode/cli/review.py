"""`qcode review`: changes hunk by hunk, on the screen or as JSON. Arguments and printing only."""

import argparse
import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from qcode.cli.parser import parsed
from qcode.cli.screen import draw_on_terminal
from qcode.config.paths import Paths, paths
from qcode.protocol.errors import InputError, UsageError
from qcode.protocol.text import escaped, plain, well_formed
from qcode.workspace.gitdiff import Asked, Changes, file_changes
from qcode.workspace.patches import FileChange, lines_of_patch, whole_patch
from qcode.workspace.review import Hunk

if TYPE_CHECKING:
    Group = argparse._SubParsersAction[argparse.ArgumentParser]


def main(argv: list[str]) -> int:
    """The subcommand from its own arguments. Raises QcodeError."""
    return run(parsed("review", add, argv), paths())


def add(parser_group: "Group") -> None:
    """Declare `review`."""
    parser = parser_group.add_parser(
        "review",
        help="look at changes hunk by hunk: keep, take back, stage, comment",
        description="Changes below this folder, hunk by hunk. Without a terminal: as --json.",
    )
    parser.add_argument("--base", metavar="BRANCH", help="all since this branch or commit")
    parser.add_argument("--staged", action="store_true", help="what is staged; r unstages")
    parser.add_argument("--json", action="store_true", help="files and hunks, for scripts")
    parser.add_argument("--patch", action="store_true", help="one patch, as git apply takes it")
    parser.add_argument("-C", "--cwd", type=Path, metavar="DIR", help="another folder")


def run(arguments: argparse.Namespace, places: Paths) -> int:
    """Do it; returns the exit code. Raises InputError and UsageError."""
    if arguments.base is not None and arguments.staged:
        raise UsageError("--base and --staged are two questions: give one of them.")
    asked = Asked("staged") if arguments.staged else Asked()
    if arguments.base is not None:
        asked = Asked("base", arguments.base)
    folder = _folder(arguments.cwd)
    changes = asyncio.run(file_changes(folder, asked))
    if arguments.patch:
        return _print_patch(changes)
    if arguments.json or not (sys.stdin.isatty() and sys.stdout.isatty()):
        return _print_json(_told(changes))
    return _show(folder, asked, changes, places)


def _folder(named: Path | None) -> Path:
    folder = Path.cwd() if named is None else named
    if not folder.is_dir():
        raise InputError(f"There is no folder {folder}. Name another with -C.")
    return folder


def _show(folder: Path, asked: Asked, changes: Changes, places: Paths) -> int:
    """The screen; comments come out on stdout, where `qcode -p` can take them up."""
    # Textual takes 0.3 s to import, and only the screen needs it
    from qcode.tui.review.deeds import of_repository  # noqa: PLC0415 - the same
    from qcode.tui.review_app import review  # noqa: PLC0415 - reason above

    draw_on_terminal()
    deeds = of_repository(folder, asked, changes.left_out)
    outcome = review(changes.files, deeds, places.state, _themes(places))
    if outcome is None:
        return 0
    for sentence in outcome.done:
        sys.stderr.write(f"{plain(well_formed(sentence))}\n")
    if outcome.prompt:
        sys.stdout.write(f"{plain(well_formed(outcome.prompt))}\n")
    return 0


def _themes(places: Paths) -> tuple[Path, ...]:
    return (places.config / "themes",)


def _told(changes: Changes) -> dict[str, Any]:
    counts = [change.counts for change in changes.files]
    return {
        "files": [_file(change) for change in changes.files],
        "new_files_left_out": changes.left_out,
        "counts": {
            "files": len(changes.files),
            "hunks": sum(len(change.hunks) for change in changes.files),
            "added": sum(added for added, _ in counts),
            "removed": sum(removed for _, removed in counts),
        },
    }


def _file(change: FileChange) -> dict[str, Any]:
    added, removed = change.counts
    return {
        "path": well_formed(change.path),
        "old_path": well_formed(change.old_path),
        "kind": change.kind,
        "tracked": change.tracked == "tracked",
        "about": well_formed(change.about),
        "added": added,
        "removed": removed,
        "hunks": [_hunk(change, hunk) for hunk in change.hunks],
    }


def _hunk(change: FileChange, hunk: Hunk) -> dict[str, Any]:
    return {
        "number": hunk.number,
        "old_start": hunk.old_start,
        "old_lines": len(hunk.old),
        "new_start": hunk.new_start,
        "new_lines": len(hunk.new),
        "added": sum(mark == "+" for mark, _ in hunk.rows),
        "removed": sum(mark == "-" for mark, _ in hunk.rows),
        "staged": hunk.number in change.staged,
        "patch": well_formed(lines_of_patch(hunk)),
    }


def _print_json(value: Any) -> int:
    sys.stdout.write(
        escaped(msgspec.json.format(msgspec.json.encode(value), indent=2).decode()) + "\n"
    )
    return 0


def _print_patch(changes: Changes) -> int:
    """To the byte: files need not be UTF-8."""
    text = "".join(whole_patch(change) for change in changes.files)
    sys.stdout.flush()
    sys.stdout.buffer.write(text.encode("utf-8", "surrogateescape"))
    left = [change.path for change in changes.files if change.kind in ("binary", "submodule")]
    if left:
        names = ", ".join(plain(well_formed(path)) for path in left)
        sys.stderr.write(f"Not in the patch, for it has only lines: {names}\n")
    if changes.left_out:
        sys.stderr.write(
            f"Not in the patch: {changes.left_out} more new files, which are too many to read. "
            "`git add` them, or name a folder with -C.\n"
        )
    return 0
