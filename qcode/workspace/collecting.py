"""The garbage of a shadow store: what no session can ask for any more, and what is too old."""

import time
from collections import Counter
from collections.abc import Callable, Container, Iterator
from contextlib import suppress
from pathlib import Path

from qcode.workspace.kept import Note
from qcode.workspace.shadow import Shadow

KEEP_SECONDS = 30 * 86_400.0
FRESH_SECONDS = 86_400.0
"""So old an object is at least when it is collected, and so seldom is collected."""
AWAY_SECONDS = 7 * 86_400.0
"""So long after the last time nothing is collected at first: it may be the clock that jumped, and
by tomorrow somebody has put it right."""
MOST_BYTES = 1024**3
"""Of all objects; beyond, the oldest checkpoints go first."""

Names = Callable[[], Container[str]]
"""Ids of notes that some session names; asked only when it is collected."""


def collect(shadow: Shadow, names: Names, held: frozenset[bytes] = frozenset()) -> int:
    """Remove what nobody can ask for any more; returns how many objects went.

    `names`: notes that a session can ask for; `held`: objects that this process counts on. Does
    nothing where this process has not opened the store, another one uses it, or that was done
    lately. Raises OSError.
    """
    stamp = shadow.folder / "collected"
    seconds = _since(stamp)
    if seconds is not None and 0 <= seconds < FRESH_SECONDS:
        return 0
    with shadow.alone() as alone:
        if not alone:
            return 0
        stamp.touch(mode=0o600)
        if seconds is None or not 0 <= seconds < AWAY_SECONDS:
            return 0
        shadow.forget_packs()
        return _sweep(shadow.folder, _kept_notes(shadow, names()), held)


def _kept_notes(shadow: Shadow, names: Container[str]) -> list[tuple[float, Note]]:
    """(time, note) of those that stay, the oldest first; the others are removed."""
    kept = []
    now = time.time()
    for path in list((shadow.folder / "notes").iterdir()):
        if path.suffix == ".tmp" and abs(_since(path) or 0) > FRESH_SECONDS:
            path.unlink()  # somebody was killed while it was written
        if path.suffix:
            continue
        at, note = path.stat().st_mtime, shadow.read(path.name)
        fresh = abs(now - at) < FRESH_SECONDS
        alive = note is not None and (not note.session or note.id in names)
        if note is not None and (fresh or (alive and now - at < KEEP_SECONDS)):
            kept.append((at, note))
        elif not fresh:
            _drop(shadow.folder, path.name)
    return sorted(kept, key=lambda row: row[0])


def _sweep(folder: Path, notes: list[tuple[float, Note]], held: frozenset[bytes]) -> int:
    wanted = Counter(map(_file_of, held))
    for _, note in notes:
        wanted.update(_contents(note))
    sizes = {name: (path, size) for name, path, size in _objects(folder)}
    total = sum(size for _, size in sizes.values())
    while notes and total > MOST_BYTES:
        mine = _contents(notes[0][1])
        _drop(folder, notes.pop(0)[1].id)
        wanted.subtract(mine)
        total -= sum(sizes[name][1] for name in mine if name in sizes and not wanted[name])
    gone = 0
    for name, (path, _) in sizes.items():
        with suppress(OSError):  # gone meanwhile
            if not wanted[name] and abs(_since(path) or 0) > FRESH_SECONDS:
                path.unlink()
                gone += 1
    return gone


def _objects(folder: Path) -> Iterator[tuple[bytes, Path, int]]:
    for below in (folder / "objects").iterdir():
        for path in below.iterdir():
            with suppress(OSError):
                yield f"{below.name}{path.name}".encode(), path, path.stat().st_size
    for path in (folder / "packs").iterdir():
        with suppress(OSError):
            yield path.name.encode(), path, path.stat().st_size


def _drop(folder: Path, note_id: str) -> None:
    for path in (folder / "notes" / note_id, folder / "notes" / f"{note_id}.after"):
        path.unlink(missing_ok=True)


def _since(path: Path) -> float | None:
    """Seconds since it was written; None = it is not there."""
    try:
        return time.time() - path.stat().st_mtime
    except OSError:
        return None


def _contents(note: Note) -> set[bytes]:
    entries = (*note.befores.values(), *(note.afters or {}).values())
    return {_file_of(one.content) for one in entries if one.kind == "file" and one.content}


def _file_of(content: bytes) -> bytes:
    """The object or the pack that holds it."""
    digest, _, place = content.partition(b"@")
    return place.partition(b":")[0] or digest
