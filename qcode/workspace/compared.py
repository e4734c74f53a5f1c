"""What became of files over some checkpoints, as changes that git would take."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from qcode.workspace.diff import unified
from qcode.workspace.kept import Entry, Note
from qcode.workspace.looking import Room, look
from qcode.workspace.patches import FILE, LINK, NONE, PROGRAM, FileChange, Kind
from qcode.workspace.review import hunks
from qcode.workspace.shadow import Shadow

Bytes = Callable[[Entry], bytes | None]
"""What a file held; None = that is not kept."""

Ends = dict[bytes, tuple[Entry, Entry]]
"""Path -> what it was before all, what it was behind all."""


def ends(notes: Iterable[Note], path: Callable[[bytes], Path], shadow: Shadow) -> Ends:
    """Of the notes, in their order. Where a note has no end, qcode was ended in the midst of a
    change: then what stands there now is taken into the store."""
    made: Ends = {}
    room = Room()
    for note in notes:
        for key, before in note.befores.items():
            after = note.afters.get(key) if note.afters is not None else None
            first = made[key][0] if key in made else before
            made[key] = first, after or look(path(key), shadow, room)
    return {key: pair for key, pair in made.items() if pair[0] != pair[1]}


def changes(found: Ends, shown: Callable[[bytes], str], data: Bytes) -> Iterator[FileChange]:
    """By path; folders are told by what is in them."""
    for key, (old, new) in sorted(found.items()):
        was, now = _none_of(old), _none_of(new)
        kinds = {was.kind, now.kind}
        if kinds == {"file", "link"}:  # as git has it: one goes, another comes
            yield _change(shown(key), was, Entry("absent"), data)
            yield _change(shown(key), Entry("absent"), now, data)
        elif kinds != {"absent"}:
            change = _change(shown(key), was, now, data)
            if change.kind != "mode" or change.old_mode != change.new_mode:
                yield change


def _none_of(entry: Entry) -> Entry:
    return Entry("absent") if entry.kind == "folder" else entry


def _change(path: str, old: Entry, new: Entry, data: Bytes) -> FileChange:
    was, now = _mode(old), _mode(new)
    before, after = _text(old, data), _text(new, data)
    if before is None or after is None:
        return FileChange(path, "binary", old_mode=was, new_mode=now)
    kind: Kind = "new" if old.kind == "absent" else "deleted" if new.kind == "absent" else "mode"
    if kind == "mode" and before != after:
        kind = "modified"
    patch, parts = unified(before, after, path), hunks(before, after)
    return FileChange(path, kind, patch, parts, old_mode=was, new_mode=now)


def _mode(entry: Entry) -> str:
    if entry.kind == "absent":
        return NONE
    if entry.kind == "link":
        return LINK
    return PROGRAM if entry.mode & 0o100 else FILE


def _text(entry: Entry, data: Bytes) -> str | None:
    """None = it has no lines, or is not known."""
    if entry.kind == "absent":
        return ""
    found = entry.content if entry.kind == "link" else data(entry)
    if found is None or b"\0" in found:
        return None
    return found.decode("utf-8", "surrogateescape")
