"""The shadow store: bytes by their hash, and the notes of checkpoints. One folder a project.

Plain files, zlib inside, named by hash: no git is needed, no process is started for an edit, and
no configuration, hook or clean-up of anybody's git touches them. Every file comes whole by its
rename, so whoever is killed leaves a store that can be read; what is read is checked against its
name. Several processes may write at once; only who is alone here collects.
"""

import hashlib
import os
import secrets
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

from qcode.workspace.kept import Entry, Note
from qcode.workspace.pack import NEW, Pack, piece

if sys.platform == "win32":
    fcntl = None
else:
    import fcntl

KEEP_SECONDS = 30 * 86_400.0
FRESH_SECONDS = 86_400.0
"""So old an object is at least when it is collected, and so seldom is collected."""
MOST_BYTES = 1024**3
"""Of all objects; beyond, the oldest checkpoints go first."""

_FOLDERS = ("objects", "packs", "notes")


class Shadow:
    """The store in `folder`. Its functions block; they raise OSError."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock: int | None = None
        self._pack: Pack | None = None
        self._packed: dict[str, bytes] = {}
        """What this process has put into packs; nobody collects it meanwhile."""

    def open(self) -> None:
        """Make the folders (0700), and let nobody collect while this process is here."""
        if self._lock is not None:
            return
        for folder in (self.folder, *(self.folder / name for name in _FOLDERS)):
            for missing in reversed([one for one in (folder, *folder.parents) if not one.exists()]):
                missing.mkdir(mode=0o700, exist_ok=True)
        self._lock = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        if fcntl:
            with suppress(OSError):  # a file system without locks: ages still protect
                fcntl.flock(self._lock, fcntl.LOCK_SH)

    def close(self) -> None:
        """Let others collect."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def put(self, data: bytes) -> bytes:
        """Keep `data`; returns its name."""
        name = hashlib.blake2b(data, digest_size=32).hexdigest()
        if self._pack is not None:
            return self._pack.add(name, data)
        path = self._object(name)
        try:
            if path.stat().st_size:
                os.utime(path)
                return name.encode()
        except OSError:
            path.parent.mkdir(mode=0o700, exist_ok=True)
        self._write(path, zlib.compress(data, 1))
        return name.encode()

    @contextmanager
    def packing(self) -> Iterator[None]:
        """What is put inside goes to one file: to make a file takes longer than to write it.

        Nothing may be noted down of it before the end.
        """
        self._pack = Pack(self.folder / "packs" / new_id(), self._packed)
        try:
            yield
            self._pack.flush()
        except BaseException:
            self._packed.clear()  # part of it is not written
            raise
        finally:
            self._pack.close()
            self._pack = None

    def get(self, name: bytes) -> bytes | None:
        """What was kept under `name`; None = it is gone, or damaged."""
        digest, _, place = name.decode().partition("@")
        try:
            if place:
                pack, start, length = place.split(":")
                raw = piece(self.folder / "packs" / pack, int(start), int(length))
            else:
                raw = self._object(digest).read_bytes()
            data = zlib.decompress(raw)
        except (OSError, zlib.error, ValueError):
            return None
        return data if hashlib.blake2b(data, digest_size=32).hexdigest() == digest else None

    def begin(self, note: Note) -> None:
        """Write a note down."""
        self._write(self._note(note.id), msgspec.msgpack.encode(note))

    def finish(self, note_id: str, afters: dict[bytes, Entry]) -> None:
        """Write down what came of a note that was begun without."""
        path = self.folder / "notes" / f"{note_id}.after"
        self._write(path, msgspec.msgpack.encode(afters))

    def read(self, note_id: str) -> Note | None:
        """None = it is gone, or damaged."""
        try:
            note = msgspec.msgpack.decode(self._note(note_id).read_bytes(), type=Note)
            if note.afters is not None:
                return note
            raw = (self.folder / "notes" / f"{note_id}.after").read_bytes()
            afters = msgspec.msgpack.decode(raw, type=dict[bytes, Entry])
        except FileNotFoundError:
            return note if "note" in locals() else None
        except (OSError, ValueError, msgspec.MsgspecError):
            return None
        return msgspec.structs.replace(note, afters=afters)

    # Collecting

    def collect(self, lives: Callable[[str], bool], held: frozenset[bytes] = frozenset()) -> int:
        """Remove what nobody can ask for any more; returns how many objects went.

        `lives(session)`: its log is still there; `held`: objects that this process counts on.
        Does nothing where this process has not opened the store, another one uses it, or that
        was done lately.
        """
        if self._lock is None:
            return 0
        stamp = self.folder / "collected"
        with suppress(OSError):
            if 0 <= time.time() - stamp.stat().st_mtime < FRESH_SECONDS:
                return 0
        if not self._alone():
            return 0
        try:
            stamp.touch(mode=0o600)
            self._packed.clear()
            return self._sweep(self._kept_notes(lives), held)
        finally:
            self._share()

    def _kept_notes(self, lives: Callable[[str], bool]) -> list[tuple[float, Note]]:
        """(time, note) of those that stay, the oldest first; the others are removed."""
        kept = []
        now = time.time()
        for path in list((self.folder / "notes").iterdir()):
            if path.suffix:
                continue
            at, note = path.stat().st_mtime, self.read(path.name)
            fresh = abs(now - at) < FRESH_SECONDS
            alive = note is not None and (not note.session or lives(note.session))
            if note is not None and (fresh or (alive and now - at < KEEP_SECONDS)):
                kept.append((at, note))
            elif not fresh:
                self._drop(path.name)
        return sorted(kept, key=lambda row: row[0])

    def _sweep(self, notes: list[tuple[float, Note]], held: frozenset[bytes]) -> int:
        held = frozenset(map(_file_of, held))
        sizes = {name: (path, size) for name, path, size in self._objects()}
        total = sum(size for _, size in sizes.values())
        while notes and total > MOST_BYTES:
            mine = _contents(notes[0][1])
            self._drop(notes.pop(0)[1].id)
            others = held.union(*(_contents(note) for _, note in notes))
            total -= sum(sizes[name][1] for name in mine - others if name in sizes)
        wanted = held.union(*(_contents(note) for _, note in notes))
        gone = 0
        for name, (path, _) in sizes.items():
            with suppress(OSError):  # gone meanwhile
                if name not in wanted and abs(time.time() - path.stat().st_mtime) > FRESH_SECONDS:
                    path.unlink()
                    gone += 1
        return gone

    def _objects(self) -> Iterator[tuple[bytes, Path, int]]:
        for folder in (self.folder / "objects").iterdir():
            for path in folder.iterdir():
                with suppress(OSError):
                    yield f"{folder.name}{path.name}".encode(), path, path.stat().st_size
        for path in (self.folder / "packs").iterdir():
            with suppress(OSError):
                yield path.name.encode(), path, path.stat().st_size

    def _drop(self, note_id: str) -> None:
        for path in (self._note(note_id), self.folder / "notes" / f"{note_id}.after"):
            path.unlink(missing_ok=True)

    def _alone(self) -> bool:
        if fcntl is None or self._lock is None:
            return True
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._share()  # the attempt may have cost the shared one
            return False
        return True

    def _share(self) -> None:
        if fcntl is not None and self._lock is not None:
            with suppress(OSError):
                fcntl.flock(self._lock, fcntl.LOCK_SH)

    # Files

    def _object(self, name: str) -> Path:
        return self.folder / "objects" / name[:2] / name[2:]

    def _note(self, note_id: str) -> Path:
        return self.folder / "notes" / note_id

    def _write(self, path: Path, data: bytes) -> None:
        """The whole file or none."""
        new = path.with_name(f"{secrets.token_hex(6)}.tmp")
        descriptor = os.open(new, NEW, 0o600)
        try:
            try:
                rest = memoryview(data)
                while rest:
                    rest = rest[os.write(descriptor, rest) :]
            finally:
                os.close(descriptor)
            new.replace(path)
        except OSError:
            new.unlink(missing_ok=True)
            raise


def _contents(note: Note) -> set[bytes]:
    entries = (*note.befores.values(), *(note.afters or {}).values())
    return {_file_of(one.content) for one in entries if one.kind == "file" and one.content}


def _file_of(content: bytes) -> bytes:
    """The object or the pack that holds it."""
    digest, _, place = content.partition(b"@")
    return place.partition(b":")[0] or digest


def new_id() -> str:
    """A name that no other note has."""
    return f"{time.time_ns() // 1_000_000:x}-{secrets.token_hex(4)}"
