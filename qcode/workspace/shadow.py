"""The shadow store: bytes by their hash, and the notes of checkpoints. One folder a project.

Plain files, zlib inside, named by hash: no git is needed, no process is started for an edit, and
no configuration, hook or clean-up of anybody's git touches them. Every file comes whole by its
rename, so whoever is killed leaves a store that can be read; what is read is checked against its
name. Several processes may write at once; only who is alone here collects.

What a note names is on the disk when `begin` returns, and so before anything is changed: a power
cut costs no file as it was. What came of a change (`finish`) may be lost with it, and counts as not
known then.
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
from qcode.workspace.pack import NEW, Pack, piece, to_disk

if sys.platform == "win32":
    fcntl = None
else:
    import fcntl

_FOLDERS = ("objects", "packs", "notes")


class Shadow:
    """The store in `folder`. Its functions block; they raise OSError."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock: int | None = None
        self._pack: Pack | None = None
        self._packed: dict[str, bytes] = {}
        """What this process has put into packs; nobody collects it meanwhile."""
        self._unflushed: set[Path] = set()
        """Folders whose names are not on the disk yet."""

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
        name = named(data)
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
            self._pack.end()
            self._unflushed.add(self.folder / "packs")
            self._flush_names()
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
        return data if named(data) == digest else None

    def begin(self, note: Note) -> None:
        """Write a note down: it and all that it names are on the disk then."""
        self._write(self._note(note.id), msgspec.msgpack.encode(note))
        self._flush_names()

    def finish(self, note_id: str, afters: dict[bytes, Entry]) -> None:
        """Write down what came of a note that was begun without."""
        path = self.folder / "notes" / f"{note_id}.after"
        self._write(path, msgspec.msgpack.encode(afters), sync=lambda descriptor: None)

    def read(self, note_id: str) -> Note | None:
        """None = it is gone, or damaged."""
        try:
            note = msgspec.msgpack.decode(self._note(note_id).read_bytes(), type=Note)
        except (OSError, ValueError, msgspec.MsgspecError):
            return None
        if note.afters is not None:
            return note
        try:
            raw = (self.folder / "notes" / f"{note_id}.after").read_bytes()
            afters = msgspec.msgpack.decode(raw, type=dict[bytes, Entry])
        except (OSError, ValueError, msgspec.MsgspecError):  # killed, or a power cut
            return note
        return msgspec.structs.replace(note, afters=afters)

    @contextmanager
    def alone(self) -> Iterator[bool]:
        """Whether no other process uses the store, nor can begin to while this lasts."""
        if self._lock is None:
            yield False
        elif fcntl is None:
            yield True
        else:
            try:
                yield _locked(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            finally:  # also where it was refused: the attempt may have cost the shared one
                _locked(self._lock, fcntl.LOCK_SH)

    def forget_packs(self) -> None:
        """What was put into packs may go: it is put into another one when it comes again."""
        self._packed.clear()

    # Files

    def _object(self, name: str) -> Path:
        return self.folder / "objects" / name[:2] / name[2:]

    def _note(self, note_id: str) -> Path:
        return self.folder / "notes" / note_id

    def _write(self, path: Path, data: bytes, sync: Callable[[int], None] = to_disk) -> None:
        """The whole file or none."""
        new = path.with_name(f"{secrets.token_hex(6)}.tmp")
        descriptor = os.open(new, NEW, 0o600)
        try:
            try:
                rest = memoryview(data)
                while rest:
                    rest = rest[os.write(descriptor, rest) :]
                sync(descriptor)
            finally:
                os.close(descriptor)
            new.replace(path)
            self._unflushed.add(path.parent)
        except OSError:
            new.unlink(missing_ok=True)
            raise

    def _flush_names(self) -> None:
        """The names of what was written are on the disk, where the system can do that."""
        for folder in self._unflushed:
            with suppress(OSError):  # Windows opens no folders
                descriptor = os.open(folder, os.O_RDONLY)
                try:
                    os.fsync(descriptor)
                finally:
                    os.close(descriptor)
        self._unflushed.clear()


def named(data: bytes) -> str:
    """The name of these bytes in every store."""
    return hashlib.blake2b(data, digest_size=32).hexdigest()


def _locked(descriptor: int, how: int) -> bool:
    try:
        fcntl.flock(descriptor, how)
    except OSError:  # another has it; or a file system without locks: ages still protect there
        return False
    return True


def new_id() -> str:
    """A name that no other note has."""
    return f"{time.time_ns() // 1_000_000:x}-{secrets.token_hex(4)}"
