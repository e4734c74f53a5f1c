"""A session with its checkpoints, read from its log; and how its parts are said."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from qcode.config.paths import paths
from qcode.protocol.errors import InputError
from qcode.protocol.events import AnyEvent
from qcode.protocol.text import escaped, plain, well_formed
from qcode.session.conversation import Conversation, fold
from qcode.session.envelope import UnknownEvent
from qcode.session.places import project
from qcode.session.store import Store
from qcode.workspace.checkpoint import Keeper
from qcode.workspace.kept import Note, Past, past
from qcode.workspace.patches import quoted
from qcode.workspace.shadow import Shadow


class Kept(msgspec.Struct, frozen=True):
    """A session and its checkpoints."""

    id: str
    events: tuple[AnyEvent | UnknownEvent, ...]
    talk: Conversation
    keeper: Keeper

    @classmethod
    def of(cls, session_id: str, events: Sequence[AnyEvent | UnknownEvent]) -> "Kept":
        talk = fold(events)
        root = Path(talk.folder)
        shadow = Shadow(paths().checkpoints / project(root))
        return cls(session_id, tuple(events), talk, Keeper(root, shadow, session_id))

    @property
    def past(self) -> Past:
        """What its checkpoints say."""
        read = (self.keeper.shadow.read(one) for one in self.talk.checkpoints)
        return past(note for note in read if note is not None)

    def notes(self, first: int, last: int | None = None) -> list[Note]:
        """Of these turns; those that were taken back are not among them."""
        turns = (g for g in self.past.done if g.turn >= first and (last is None or g.turn <= last))
        return [note for group in turns for note in group.notes]

    def known(self, turn: int) -> int:
        """Raises InputError where there is no such turn."""
        if turn <= self.talk.turns:
            return turn
        raise InputError(
            f"The session {self.id} has no turn {turn}; its last is {self.talk.turns}. "
            f"`qcode sessions rewind {self.id}` lists them."
        )


def unkept(keeper: Keeper, error: OSError) -> InputError:
    return InputError(
        f"What the files are now cannot be kept in {keeper.shadow.folder} "
        f"({error.strerror or error}). Free some space, then try again."
    )


def session(arguments: argparse.Namespace, store: Store) -> str:
    if arguments.session is None:
        return store.latest(Path.cwd())
    return store.find(arguments.session, Path.cwd())


def shown(path: str) -> str:
    return quoted(well_formed(path))


def print_json(value: Any) -> int:
    text = msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
    sys.stdout.write(f"{escaped(text)}\n")
    return 0


def talk(text: str) -> None:
    sys.stderr.write(f"{plain(text)}\n")
