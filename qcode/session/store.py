"""Find, open, fork and delete sessions. They are files: `<root>/<project>/<id>.jsonl`."""

from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec import structs

from qcode.protocol.errors import InputError, SessionError
from qcode.protocol.events import Parent, Renamed, TurnStarted
from qcode.protocol.text import one_line, well_formed
from qcode.session.conversation import fold
from qcode.session.disk import private_folder, sync_folder, write_new
from qcode.session.envelope import Entry, encode
from qcode.session.failures import not_saved
from qcode.session.lock import Lock, sweep
from qcode.session.log import Clock, Log, now
from qcode.session.places import companions, logs, new_id, project
from qcode.session.reading import Opened, read
from qcode.session.summary import Hit, Summary, digest

if TYPE_CHECKING:
    from qcode.session.index import Index

NAME_LENGTH = 100


class Resumed(msgspec.Struct, frozen=True):
    """A session that goes on: where its events go, and those that it has."""

    log: Log
    opened: Opened


class Store:
    """All sessions below `root` (`<data>/sessions`); nothing is made there before it is needed."""

    def __init__(self, root: Path, clock: Clock = now) -> None:
        self.root = root
        self._clock = clock

    def create(self, folder: Path, session_id: str = "") -> Log:
        """A new session for the workspace `folder`; its file appears with its first event.

        `session_id`: empty = one is made. Raises SessionNotSaved, SessionError (it is taken).
        """
        place = self.root / project(folder)
        path = self._own_path(place, session_id) if session_id else self._free_path(place)
        return Log.create(path, self._clock)

    def open(self, session_id: str) -> Opened:
        """What a session holds, read without a lock. Raises SessionError."""
        return read(self.path(session_id))

    def resume(self, session_id: str) -> Resumed:
        """Go on with a session. Raises SessionError (also when it is in use), SessionNotSaved."""
        return Resumed(*Log.reopen(self.path(session_id), self._clock))

    def fork(self, session_id: str, *, event: int = 0, before_turn: int = 0) -> Resumed:
        """A copy that goes its own way: of all, up to event `event`, or to before a turn.

        The first line is the parent's with the new id and `parent`; what follows is copied as it
        stands, numbers included. So a fork needs its parent no more, and event n of the shared
        part is event n in both. Raises SessionError, SessionNotSaved.
        """
        source = self.path(session_id)
        opened = read(source)
        if opened.started is None:
            raise SessionError(f"The session {session_id} has no whole first line to fork from.")
        last = _shared(opened, session_id, event, before_turn)
        path = self._free_path(source.parent)
        first = structs.replace(
            opened.started, session_id=path.stem, parent=Parent(session_id, last.n)
        )
        at = datetime.fromisoformat(opened.entries[0].at)
        with source.open("rb") as file:
            file.seek(opened.entries[0].end)
            shared = file.read(last.end - opened.entries[0].end)
        _write(path, encode(first, opened.entries[0].n, at) + shared)
        return self.resume(path.stem)

    def rename(self, session_id: str, name: str) -> None:
        """Give a session a name, while nobody has it open."""
        name = one_line(well_formed(name), NAME_LENGTH)
        if not name:
            raise InputError("A session's name needs at least one visible character.")
        with self.resume(session_id).log as log:
            log.append(Renamed(name))

    def list(self, folder: Path | None = None) -> tuple[Summary, ...]:
        """Sessions of a folder, or of all folders (None), the newest first; broken ones too."""
        return self._summaries(project(folder) if folder else "")

    def latest(self, folder: Path) -> str:
        """Id of the newest session of `folder` in which something was said."""
        for found in self.list(folder):
            if found.usable and found.turns:
                return found.id
        raise SessionError(
            f"There is no session to continue in {folder}. `qcode sessions list --all` shows "
            "those of other folders."
        )

    def find(self, words: str, folder: Path | None = None) -> str:
        """The id that `words` mean: an id, its beginning, its last part, or a name.

        Of several the one in `folder` is meant. Raises SessionError: none, or still several.
        """
        ids = {path.stem for path in logs(self.root)}
        if words in ids:
            return words
        summaries = self.list()
        here = {path.stem for path in logs(self.root, project(folder))} if folder else set()
        for found in _candidates(words, summaries):
            nearer = [summary for summary in found if summary.id in here]
            if len(found) == 1 or len(nearer) == 1:
                return (nearer or found)[0].id
            if found:
                raise SessionError(_ambiguous(words, nearer or found))
        raise SessionError(_unknown(words, summaries))

    def search(self, words: str, folder: Path | None = None, limit: int = 50) -> tuple[Hit, ...]:
        """Passages that hold all `words`; see `Index.search`. Raises SessionError."""
        try:
            index = self._index()
        except ImportError as error:
            sentence = "This Python was built without sqlite3, which the search needs."
            raise SessionError(sentence) from error
        return tuple(index.search(words, project(folder) if folder else "", limit))

    def delete(self, session_id: str) -> None:
        """Remove a session, what was cut off it, and its words in the index.

        Raises SessionError, also when in use.
        """
        path = self._remove(session_id)
        self._forget_removed(path.parent.name)

    def _remove(self, session_id: str) -> Path:
        path = self.path(session_id)
        lock = Lock.acquire(path)
        try:
            for file in (path, *companions(path)):
                file.unlink()
        except OSError as error:
            raise SessionError(
                f"The session {session_id} cannot be deleted: {error.strerror} ({path})."
            ) from error
        finally:
            lock.release()
        with suppress(OSError):  # other sessions are in it, most likely
            path.parent.rmdir()
        return path

    def _forget_removed(self, project_name: str) -> None:
        with suppress(ImportError):  # without sqlite3 there is no index
            index = self._index()
            if index.path.exists():
                index.summaries(project_name)

    def old(self, days: float, keep: int = 0, folder: Path | None = None) -> tuple[Summary, ...]:
        """Sessions unchanged for `days`, without the `keep` newest: what `prune` would delete."""
        limit = (self._clock() - timedelta(days=days)).astimezone(UTC).isoformat()
        return tuple(summary for summary in self.list(folder)[keep:] if summary.updated < limit)

    def prune(self, days: float, keep: int = 0, folder: Path | None = None) -> tuple[Summary, ...]:
        """Delete `old` sessions; those in use stay. Returns what was deleted."""
        deleted = []
        for summary in self.old(days, keep, folder):
            with suppress(SessionError):  # in use, or not ours to delete
                self._remove(summary.id)
                deleted.append(summary)
        if deleted:
            self._forget_removed("")
        return tuple(deleted)

    def path(self, session_id: str) -> Path:
        """The log of a session, by its whole id. Raises SessionError."""
        for path in logs(self.root):
            if path.stem == session_id:
                return path
        raise SessionError(_unknown(session_id, self.list()))

    def _summaries(self, project_name: str) -> tuple[Summary, ...]:
        try:
            return tuple(self._index().summaries(project_name))
        except ImportError:  # a Python without sqlite3 reads the logs themselves
            found = [digest(path).summary for path in logs(self.root, project_name)]
            found.sort(key=lambda summary: (summary.updated, summary.id), reverse=True)
            return tuple(found)

    def _index(self) -> "Index":
        # Deferred: sqlite3 costs start-up time and only lists and searches need it.
        from qcode.session.index import Index  # noqa: PLC0415 - reason above

        return Index(self.root)

    def _own_path(self, folder: Path, session_id: str) -> Path:
        """A path for a log whose id somebody chose."""
        if session_id in self._taken(folder):
            raise SessionError(
                f"There is a session {session_id} already. Go on with it: --resume {session_id}"
            )
        return folder / f"{session_id}.jsonl"

    def _taken(self, folder: Path) -> set[str]:
        """All ids, over all projects; `folder` is made."""
        try:
            private_folder(folder)
        except OSError as error:
            raise not_saved(folder, error) from error
        return {path.stem for path in logs(self.root)}

    def _free_path(self, folder: Path) -> Path:
        """A path for a new log; ids are unique over all projects."""
        taken = self._taken(folder)
        sweep(folder)
        while (session_id := new_id(self._clock().astimezone(UTC))) in taken:
            pass
        return folder / f"{session_id}.jsonl"


def _shared(opened: Opened, session_id: str, event: int, before_turn: int) -> Entry:
    """The last entry that a fork shares."""
    if before_turn:
        return _last_before_turn(opened, session_id, before_turn)
    shared = [entry for entry in opened.entries if not event or entry.n <= event]
    if event and (not shared or shared[-1].n != event):
        raise SessionError(
            f"The session {session_id} has no event {event}; its last is {opened.last_n}."
        )
    return shared[-1]


def _last_before_turn(opened: Opened, session_id: str, turn: int) -> Entry:
    for before, entry in reversed(list(zip(opened.entries, opened.entries[1:], strict=False))):
        if isinstance(entry.event, TurnStarted) and entry.event.turn == turn:
            return before
    turns = ", ".join(map(str, fold(opened.events).live_turns)) or "none"
    raise SessionError(f"The session {session_id} has no turn {turn}; it has: {turns}.")


def _write(path: Path, data: bytes) -> None:
    try:
        write_new(path, data)
        sync_folder(path.parent)
    except OSError as error:
        raise not_saved(path, error) from error


def _candidates(words: str, summaries: tuple[Summary, ...]) -> Iterable[list[Summary]]:
    """What `words` may mean, the surest meaning first."""
    if not words:  # every id begins with nothing, and a session without name has this name
        return
    yield [summary for summary in summaries if summary.name == words]
    yield [summary for summary in summaries if summary.id.startswith(words)]
    yield [summary for summary in summaries if summary.id.rpartition("-")[2] == words]
    yield [summary for summary in summaries if summary.name.casefold() == words.casefold()]


def _ambiguous(words: str, found: list[Summary]) -> str:
    rows = "; ".join(f"{summary.id} ({summary.title or 'empty'})" for summary in found[:5])
    more = f"; and {len(found) - 5} more" if len(found) > 5 else ""
    return f"“{words}” means {len(found)} sessions: {rows}{more}. Give more of the id."


def _unknown(words: str, summaries: tuple[Summary, ...]) -> str:
    import difflib  # noqa: PLC0415 - only a mistyped id needs it

    known = [key for summary in summaries for key in (summary.id, summary.name) if key]
    near = difflib.get_close_matches(words, known, n=3, cutoff=0.6)
    hint = f"The nearest: {', '.join(near)}. " if near else ""
    return f"There is no session “{words}”. {hint}`qcode sessions list --all` shows all."
