"""`qcode sessions`: list, show, search, export, delete, prune; `rewind` and `diff` stand beside.

Results go to stdout, talk about them to stderr. `--json` is for scripts: fields are only added.
"""

import argparse
import sys
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from qcode.cli import session_diff, session_rewind
from qcode.cli.parser import count, parsed
from qcode.cli.session_tables import details, places, table, turns
from qcode.config.paths import paths
from qcode.protocol.errors import InputError
from qcode.protocol.text import escaped, plain
from qcode.server.shelf import Shelf
from qcode.session.export import FORMATS, SUFFIXES, exported
from qcode.session.said import said
from qcode.session.store import Store
from qcode.session.summary import Summary

if TYPE_CHECKING:
    Group = argparse._SubParsersAction[argparse.ArgumentParser]


def main(argv: list[str]) -> int:
    """The subcommand from its own arguments. Raises QcodeError."""
    return run(parsed("sessions", add, argv), Store(paths().sessions))


def add(parser_group: "Group") -> None:
    """Declare `sessions` and what stands below it."""
    parser = parser_group.add_parser("sessions", help="list, show, export and delete sessions")
    below = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    _list_arguments(below)
    _show_arguments(below)
    _search_arguments(below)
    _export_arguments(below)
    _delete_arguments(below)
    _prune_arguments(below)
    session_rewind.add(below)
    session_diff.add(below)


def run(arguments: argparse.Namespace, store: Store) -> int:
    """Do it; returns the exit code. Raises SessionError and InputError."""
    action: Callable[[argparse.Namespace, Store], int] = arguments.do
    return action(arguments, store)


def _list_arguments(group: "Group") -> None:
    parser = group.add_parser("list", help="sessions of this folder, the newest first")
    _add_all(parser)
    parser.add_argument("-n", "--limit", type=count, default=0, help="at most so many; 0 = all")
    _add_json(parser)
    parser.set_defaults(do=_list)


def _show_arguments(group: "Group") -> None:
    parser = group.add_parser("show", help="what a session was about")
    parser.add_argument("session", nargs="?", help="id, part of it, or name; else the latest here")
    _add_json(parser)
    parser.set_defaults(do=_show)


def _search_arguments(group: "Group") -> None:
    parser = group.add_parser("search", help="words in prompts, answers and commands")
    parser.add_argument("words", nargs="+")
    _add_all(parser)
    parser.add_argument(
        "-n", "--limit", type=count, default=50, help="at most so many places; 0 = all"
    )
    _add_json(parser)
    parser.set_defaults(do=_search)


def _export_arguments(group: "Group") -> None:
    parser = group.add_parser("export", help="a conversation as Markdown, HTML or JSON")
    parser.add_argument("session", nargs="?", help="id, part of it, or name; else the latest here")
    parser.add_argument("--format", choices=tuple(FORMATS), help="default: by FILE, else markdown")
    parser.add_argument("--html", dest="format", action="store_const", const="html")
    parser.add_argument("--json", dest="format", action="store_const", const="json")
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="instead of stdout")
    parser.set_defaults(do=_export)


def _delete_arguments(group: "Group") -> None:
    parser = group.add_parser("delete", help="remove sessions for good")
    parser.add_argument("sessions", nargs="+", metavar="session", help="id, part of it, or name")
    _add_yes(parser)
    _add_json(parser)
    parser.set_defaults(do=_delete)


def _prune_arguments(group: "Group") -> None:
    parser = group.add_parser("prune", help="remove old sessions of this folder")
    parser.add_argument("--older-than", type=_days, default=90.0, metavar="DAYS", help="default 90")
    parser.add_argument("--keep", type=count, default=10, metavar="N", help="newest; default 10")
    parser.add_argument("--dry-run", action="store_true", help="only say which")
    _add_all(parser)
    _add_yes(parser)
    _add_json(parser)
    parser.set_defaults(do=_prune)


def _add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="for scripts")


def _add_all(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--all", action="store_true", help="of all folders")


def _add_yes(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--yes", action="store_true", help="needed where no terminal is attached")


def _days(text: str) -> float:
    try:
        days = float(text.removesuffix("d"))
    except ValueError:
        days = -1
    if not 0 <= days <= 36500:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of days such as 30")
    return days


def _list(arguments: argparse.Namespace, store: Store) -> int:
    found = store.list(_scope(arguments))
    found = found[: arguments.limit] if arguments.limit else found
    if arguments.json:
        return _print_json(found)
    if not found:
        _talk(_none_here(arguments, store))
        return 0
    _print(table(found, folders=arguments.all))
    for summary in found:
        if summary.broken:
            _talk(f"{summary.id}: {summary.broken}")
    return 0


def _none_here(arguments: argparse.Namespace, store: Store) -> str:
    if arguments.all or not store.list():
        return "There are no sessions yet."
    return f"There are no sessions of {Path.cwd()}. --all shows those of other folders."


def _show(arguments: argparse.Namespace, store: Store) -> int:
    session_id = _session(arguments, store)
    summary = next(found for found in store.list() if found.id == session_id)
    if arguments.json:
        return _print_json(summary)
    _print(details(summary, store.path(session_id)))
    if summary.usable:
        _print(turns(said(store.open(session_id).events)))
    if summary.broken:
        _talk(summary.broken)
    return 0


def _search(arguments: argparse.Namespace, store: Store) -> int:
    words = " ".join(arguments.words)
    hits = store.search(words, _scope(arguments), arguments.limit)
    if arguments.json:
        return _print_json(hits)
    if not hits:
        _talk(f"Nothing found for “{plain(words)}”." + ("" if arguments.all else _WIDER))
        return 0
    _print(places(hits))
    return 0


_WIDER = " --all searches the sessions of all folders."


def _export(arguments: argparse.Namespace, store: Store) -> int:
    opened = store.open(_session(arguments, store))
    named = SUFFIXES.get(arguments.output.suffix.lower()) if arguments.output else None
    text = exported(opened.events, arguments.format or named or "markdown")
    if arguments.output is None:
        _print(text)
    else:
        _write(arguments.output, text)
    if opened.loss:
        _talk(opened.loss)
    return 0


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}. Name another file.") from (
            error
        )
    _talk(f"Written to {path}.")


def _delete(arguments: argparse.Namespace, store: Store) -> int:
    ids = [store.find(words, Path.cwd()) for words in arguments.sessions]
    _need_consent(arguments, f"delete {_sessions(len(ids))}")
    for session_id in dict.fromkeys(ids):
        store.delete(session_id)
        _talk(f"Deleted {session_id}.")
    _forget_slots(ids)
    return _print_json({"deleted": list(dict.fromkeys(ids))}) if arguments.json else 0


def _prune(arguments: argparse.Namespace, store: Store) -> int:
    limits = (arguments.older_than, arguments.keep, _scope(arguments))
    old = store.old(*limits)
    if arguments.dry_run:
        _talk(f"{_sessions(len(old))} would be deleted.")
        return _print_json(old) if arguments.json else _print(table(old, folders=arguments.all))
    if old:
        _need_consent(arguments, f"delete {_sessions(len(old))}")
        _agree(arguments, old)
    deleted = store.prune(*limits)
    _forget_slots([one.id for one in deleted])
    kept = len(old) - len(deleted)
    _talk(f"Deleted {_sessions(len(deleted))}." + (f" {kept} in use stayed." if kept else ""))
    return _print_json({"deleted": [one.id for one in deleted]}) if arguments.json else 0


def _forget_slots(ids: Collection[str]) -> None:
    """What servers wrote down of them goes, too."""
    for name in Shelf(paths().slots).forget(ids, paths().slot_files):
        _talk(f"A server of yours may hold it still: {name}, where its --slot-save-path points.")


def _sessions(number: int) -> str:
    return f"{number or 'no'} session{'' if number == 1 else 's'}"


def _need_consent(arguments: argparse.Namespace, deed: str) -> None:
    if not arguments.yes and not sys.stdin.isatty():
        raise InputError(f"No terminal is attached: to {deed}, add --yes.")


def _agree(arguments: argparse.Namespace, old: Sequence[Summary]) -> None:
    """Show a person what goes, and ask: they named none of it. Raises InputError."""
    if arguments.yes:
        return
    sys.stderr.write(table(old, folders=arguments.all) + "Delete them? [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise InputError("Nothing was deleted.")


def _scope(arguments: argparse.Namespace) -> Path | None:
    return None if arguments.all else Path.cwd()


def _session(arguments: argparse.Namespace, store: Store) -> str:
    if arguments.session is None:
        return store.latest(Path.cwd())
    return store.find(arguments.session, Path.cwd())


def _print(text: str) -> int:
    sys.stdout.write(text)
    return 0


def _print_json(value: Any) -> int:
    return _print(
        escaped(msgspec.json.format(msgspec.json.encode(value), indent=2).decode()) + "\n"
    )


def _talk(text: str) -> None:
    sys.stderr.write(f"{text}\n")
