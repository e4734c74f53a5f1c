"""What stood at a path at some moment, and what a checkpoint says of a change."""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Literal

import msgspec

FROM_GIT = "git:"
"""Before an object id: the content is in the repository's own store."""

Kind = Literal["change", "undo", "redo"]


class Entry(msgspec.Struct, frozen=True):
    """A file, a link, a folder, or nothing."""

    kind: Literal["file", "link", "folder", "absent"]
    mode: int = 0
    """Permission bits; 0 for a link."""
    content: bytes = b""
    """Of a file: its name in the shadow store, behind `@` its place if that is a pack; or `git:`
    and an object id; empty = it was not kept. Of a link: where it points."""
    size: int = 0
    """Of a file, in bytes."""

    @property
    def kept(self) -> bool:
        """Whether it can be put back."""
        return self.kind != "file" or bool(self.content)


ABSENT = Entry("absent")

Entries = Mapping[bytes, Entry]
"""By path as the file system writes it: from the root, or absolute when outside of it."""


class Note(msgspec.Struct, frozen=True):
    """One checkpoint."""

    id: str
    session: str
    """Empty = the session is not kept."""
    turn: int
    kind: Kind
    befores: dict[bytes, Entry]
    afters: dict[bytes, Entry] | None = None
    """None = not known: qcode ended while the change was made."""
    of: tuple[str, ...] = ()
    """Of an undo: the checkpoints that it takes back; of a redo: the undo."""


class Wish(msgspec.Struct):
    """What is to stand at a path again."""

    target: Entry
    expected: Entry | None
    """What stands there unless somebody else changed it; None = not known."""
    since: Literal["all", "own change"] = "all"
    """`own change` = the person changed it in between, and it goes back to that only."""


class Group(msgspec.Struct):
    """The checkpoints of one turn."""

    turn: int
    notes: list[Note] = msgspec.field(default_factory=list)


class Past(msgspec.Struct):
    """What can be taken back, and what of that can be taken back again."""

    done: list[Group] = msgspec.field(default_factory=list)
    undone: list[tuple[Note, list[Group]]] = msgspec.field(default_factory=list)


def past(notes: Iterable[Note]) -> Past:
    """The notes of a session in their order, folded."""
    made = Past()
    for note in notes:
        match note.kind:
            case "change" if backwards([note]):
                made.undone.clear()
                if not made.done or made.done[-1].turn != note.turn:
                    made.done.append(Group(note.turn))
                made.done[-1].notes.append(note)
            case "undo" if _came_to_something(note):
                taken = [one for one in made.done if {n.id for n in one.notes} & {*note.of}]
                made.done = [one for one in made.done if one not in taken]
                made.undone.append((note, taken))
            case "redo" if made.undone and _came_to_something(note):
                made.done += made.undone.pop()[1]
            case _:
                pass  # it came to nothing, as on a full disk
    return made


def _came_to_something(way_back: Note) -> bool:
    """Whether it did what it was to do; where that was nothing, it did."""
    return not way_back.befores or bool(backwards([way_back]))


def backwards(notes: Iterable[Note]) -> dict[bytes, Wish]:
    """What takes the changes of all notes back; they are in their order."""
    wishes: dict[bytes, Wish] = {}
    for note in notes:
        for path, before in note.befores.items():
            after = note.afters.get(path) if note.afters is not None else None
            known = wishes.get(path)
            if known is None:
                wishes[path] = Wish(before, after)
            elif known.expected is None or alike(known.expected, before):
                known.expected = after
            else:
                wishes[path] = Wish(before, after, "own change")
    return {path: wish for path, wish in wishes.items() if wish.target != wish.expected}


def alike(one: Entry, other: Entry) -> bool:
    """Whether they may be the same: content in git and in the store is compared by size alone."""
    if (one.kind, one.mode, one.size) != (other.kind, other.mode, other.size):
        return False
    contents = {one.content.partition(b"@")[0], other.content.partition(b"@")[0]}
    return len(contents) == 1 or any(name.startswith(FROM_GIT.encode()) for name in contents)


def object_id(data: bytes, like: str) -> str:
    """Git's name for a file of these bytes, of the same kind (SHA-1 or SHA-256) as `like`."""
    kind = hashlib.sha256 if len(like) == 64 else hashlib.sha1
    return kind(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
