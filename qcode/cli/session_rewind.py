"""`qcode sessions rewind`: files and conversation of a session back to an earlier turn.

As `/rewind` does it, without opening the session; arguments and printing, and the order of deeds.
"""

import argparse
import asyncio
import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from qcode.cli.kept import Kept, print_json, session, shown, talk, unkept
from qcode.cli.parser import count, positive
from qcode.cli.session_tables import Point, points, put_back
from qcode.headless.exits import ExitCode
from qcode.protocol.errors import InputError
from qcode.protocol.events import CheckpointTaken, Rewound
from qcode.protocol.text import well_formed
from qcode.session.said import said
from qcode.session.store import Store
from qcode.workspace.back import CHANGED, Back, Draft, exactly, fetched, wanted
from qcode.workspace.checkpoint import Keeper
from qcode.workspace.kept import Kind, Note, Wish, backwards

if TYPE_CHECKING:
    Group = argparse._SubParsersAction[argparse.ArgumentParser]

_SHOWN = 8


def add(group: "Group") -> None:
    """Declare it."""
    parser = group.add_parser(
        "rewind",
        help="put files and conversation back to an earlier turn",
        description="Puts files and conversation back. Without --to, --turn and --redo: lists "
        "the turns, and what files each changed. What you changed yourself since then is left "
        "alone, and then nothing is done, unless --force says so.",
    )
    parser.add_argument("session", nargs="?", help="id, part of it, or name; else the latest here")
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "--to", type=count, metavar="N", help="as it was after turn N; 0 = before all"
    )
    where.add_argument("--turn", type=positive, metavar="N", help="as it was before turn N")
    where.add_argument("--redo", action="store_true", help="take the last way back of files back")
    what = parser.add_mutually_exclusive_group()
    for word, told in (("files", "files alone"), ("conversation", "conversation alone")):
        what.add_argument(f"--{word}", dest="what", action="store_const", const=word, help=told)
    what.add_argument("--both", dest="what", action="store_const", const="both", help="the default")
    parser.add_argument("--force", action="store_true", help="files that were changed since, too")
    parser.add_argument("--dry-run", action="store_true", help="only say what would be done")
    parser.add_argument("--json", action="store_true", help="for scripts")
    parser.set_defaults(do=_rewind, what="both")


def _rewind(arguments: argparse.Namespace, store: Store) -> int:
    session_id = session(arguments, store)
    if arguments.to is None and arguments.turn is None and not arguments.redo:
        return _list(arguments, Kept.of(session_id, store.open(session_id).events))
    if arguments.dry_run:
        way = _way(arguments, Kept.of(session_id, store.open(session_id).events))
        return _tell(arguments, way, way.seen)
    resumed = store.resume(session_id)
    with resumed.log as log:
        way = _way(arguments, Kept.of(session_id, resumed.opened.events))
        way.refuse(arguments)
        back = _put_back(way)
        files = tuple(map(well_formed, back.done))
        if back.note_id:
            log.append(CheckpointTaken(back.note_id, files))
        if back.left and not arguments.force:
            way = replace(way, turn=0)  # files and conversation together, or neither
        if way.turn:
            log.append(Rewound(way.turn, files))
    return _tell(arguments, way, back)


class _Way(msgspec.Struct, frozen=True):
    """The way back."""

    kept: Kept
    wishes: dict[bytes, Wish]
    had: dict[bytes, bytes]
    draft: Draft
    seen: Back
    """What would be done now."""
    turn: int
    """The conversation goes on from before it; 0 = that stays as it is."""

    def refuse(self, arguments: argparse.Namespace) -> None:
        """Raises InputError where somebody else's change would be lost."""
        if arguments.force or not self.seen.left:
            return
        rows = [f"{shown(path)} ({why})" for path, why in sorted(self.seen.left.items())]
        rows[_SHOWN:] = [f"{len(rows) - _SHOWN} more"] if len(rows) > _SHOWN else []
        for_good = all(why != CHANGED for why in self.seen.left.values())
        how = "puts the rest back" if for_good else "puts these back, too, and keeps what they are"
        raise InputError(f"Nothing was put back, because of {', '.join(rows)}. --force {how}.")


def _way(arguments: argparse.Namespace, kept: Kept) -> _Way:
    first = kept.talk.turns + 1 if arguments.redo else _first(arguments, kept)
    kind: Kind = "redo" if arguments.redo else "undo"
    notes = _notes(arguments, kept, first)
    wishes = exactly(notes) if arguments.force else backwards(notes)
    had = asyncio.run(fetched(kept.keeper.root, wanted(wishes))) if wishes else {}
    draft = Draft(kept.talk.turns, kind, tuple(note.id for note in notes))
    live = [turn for turn in kept.talk.live_turns if turn >= first]
    turn = live[0] if live and arguments.what != "files" else 0
    return _Way(kept, wishes, had, draft, _foreseen(kept.keeper, wishes, had), turn)


def _notes(arguments: argparse.Namespace, kept: Kept, first: int) -> list[Note]:
    if arguments.redo:
        undone = kept.past.undone
        return [undone[-1][0]] if undone else []
    return [] if arguments.what == "conversation" else kept.notes(first)


def _first(arguments: argparse.Namespace, kept: Kept) -> int:
    """The first turn that is taken back."""
    if arguments.turn is not None:
        return kept.known(int(arguments.turn))
    return kept.known(int(arguments.to)) + 1


def _foreseen(keeper: Keeper, wishes: Mapping[bytes, Wish], had: Mapping[bytes, bytes]) -> Back:
    if not wishes:
        return Back("", (), {})
    if not keeper.root.is_dir():
        raise InputError(f"The folder {keeper.root} is gone: its files cannot be put back there.")
    try:
        keeper.shadow.open()
        return keeper.foresee(wishes, had)
    except OSError as error:
        raise unkept(keeper, error) from error


def _put_back(way: _Way) -> Back:
    if not way.wishes:
        return way.seen
    try:
        return way.kept.keeper.go_back(way.wishes, way.had, way.draft)
    except OSError as error:
        raise unkept(way.kept.keeper, error) from error
    finally:
        way.kept.keeper.shadow.close()


def _list(arguments: argparse.Namespace, kept: Kept) -> int:
    by_turn: dict[int, dict[str, None]] = {}
    for group in kept.past.done:
        for note in group.notes:
            names = (well_formed(kept.keeper.shown(key)) for key in note.befores)
            by_turn.setdefault(group.turn, {}).update(dict.fromkeys(names))
    rows = [
        Point(one.turn, one.prompt, tuple(by_turn.get(one.turn, ()))) for one in said(kept.events)
    ]
    if arguments.json:
        return print_json(rows)
    if not rows:
        talk("Nothing was said in this session yet.")
        return 0
    sys.stdout.write(points(rows))
    talk(f"`qcode sessions rewind {kept.id} --turn N` goes back to before turn N.")
    return 0


def _tell(arguments: argparse.Namespace, way: _Way, back: Back) -> int:
    left = {well_formed(path): why for path, why in back.left.items()}
    if arguments.json:
        made = {
            "session": way.kept.id,
            "dry_run": arguments.dry_run,
            "files": [well_formed(path) for path in back.done],
            "left": left,
            "before_turn": way.turn,
            "checkpoint": back.note_id,
        }
        print_json(made)
    else:
        sys.stdout.write(put_back(map(shown, back.done)))
        for sentence in _sentences(arguments, way, back):
            talk(sentence)
    return int(ExitCode.FAILED if left and not arguments.dry_run else ExitCode.OK)


def _sentences(arguments: argparse.Namespace, way: _Way, back: Back) -> Iterator[str]:
    verbs = ("Would put", "would go") if arguments.dry_run else ("Put", "goes")
    if back.done:
        number = f"{len(back.done)} file{'' if len(back.done) == 1 else 's'}"
        again = f" `qcode sessions rewind {way.kept.id} --redo` takes that back."
        is_undo = back.note_id and way.draft.kind == "undo"
        yield f"{verbs[0]} back {number}.{again if is_undo else ''}"
    for path, why in sorted(back.left.items())[:_SHOWN]:
        yield f"Left as it is: {shown(path)} ({why})."
    if len(back.left) > _SHOWN:
        yield f"And so are {len(back.left) - _SHOWN} more; --json names them all."
    mine = {way.kept.keeper.shown(k) for k, w in way.wishes.items() if w.since == "own change"}
    for path in sorted(mine & {*back.done}):
        yield f"{shown(path)} goes back to your own change, and not behind it."
    if way.turn:
        yield f"The conversation {verbs[1]} on from before turn {way.turn}."
    if not (back.done or back.left or way.turn):
        yield "There is nothing to put back: all is as it was then."
