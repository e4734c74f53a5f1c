"""An SQLite index over the logs: summaries and full text. Never the truth.

It is brought up to date before each use: a log counts as unchanged while its size and time of
change are. It may be deleted at any time; a broken one is thrown away and built again, and where
it cannot be written (read-only disk, another process that holds it too long) an index in memory
takes its place. The journal is SQLite's default, not WAL, which network file systems do not bear.
"""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from sqlite3 import Connection
from typing import TypeVar

import msgspec

from qcode.protocol.text import plain
from qcode.session.passages import find
from qcode.session.places import logs
from qcode.session.summary import Hit, Summary, digest
from qcode.session.tables import (
    SCHEMA,
    FullText,
    best,
    forget,
    leave_no_trace,
    make_tables,
    take_in,
    transaction,
)

T = TypeVar("T")

_WAIT_SECONDS = 10.0
_BATCH = 20
"""Logs that are taken in under one lock: others are not kept waiting, nor memory filled."""
_NOT_BROKEN = {3, 5, 6, 8, 10, 13, 14}
"""SQLite's codes PERM, BUSY, LOCKED, READONLY, IOERR, FULL, CANTOPEN: building anew would not
help."""


class Index:
    """The index of the sessions below `root`. Nothing stays open between two questions."""

    def __init__(self, root: Path, full_text: FullText | None = None) -> None:
        self.root = root
        self.path = root / "index.sqlite"
        self._wanted = full_text
        """None = FTS5 where this SQLite has it."""

    def summaries(self, project: str = "") -> list[Summary]:
        """All sessions of a project, or of all projects (empty), the newest first."""
        query = "SELECT summary FROM logs WHERE ? IN ('', project) ORDER BY updated DESC, path DESC"

        def question(connection: Connection) -> list[Summary]:
            rows = connection.execute(query, (project,))
            return [msgspec.json.decode(row[0], type=Summary) for row in rows]

        return self._ask(project, question) if self.root.exists() else []

    def search(self, words: str, project: str = "", limit: int = 50) -> list[Hit]:
        """Passages that hold all `words`, newest session first, at most three of each.

        Where the full text finds nothing, parts of words count too: Chinese has no blanks.
        """
        terms = plain(words).split()
        if not terms or not self.root.exists():
            return []

        def question(connection: Connection) -> list[Hit]:
            return find(connection, terms, project, limit)

        return self._ask(project, question)

    def _ask(self, project: str, question: Callable[[Connection], T]) -> T:
        for _ in ("as it is", "built anew"):
            try:
                with closing(self._open(str(self.path))) as connection:
                    self._refresh(connection, project)
                    # One moment of it: between two reads another process may renew the rows.
                    connection.execute("BEGIN")
                    return question(connection)
            except (sqlite3.Error, msgspec.MsgspecError) as error:
                if getattr(error, "sqlite_errorcode", 0) & 0xFF in _NOT_BROKEN:
                    break
                self._throw_away()
            except OSError:  # no permission to make the file
                break
        with closing(self._open(":memory:")) as connection:
            self._refresh(connection, project)
            return question(connection)

    def _open(self, where: str) -> Connection:
        if where != ":memory:":
            os.close(os.open(where, os.O_RDWR | os.O_CREAT, 0o600))
        connection = sqlite3.connect(where, timeout=_WAIT_SECONDS, isolation_level=None)
        try:
            connection.execute("PRAGMA secure_delete = ON")  # what is deleted is overwritten, too
            self._lay_out(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _lay_out(self, connection: Connection) -> None:
        full_text = self._wanted or best(connection)
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version == SCHEMA[full_text]:
            return
        with transaction(connection):
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            if version not in (0, SCHEMA[full_text]):
                raise sqlite3.DatabaseError("the index was made by another version")
            if version == 0:
                make_tables(connection, full_text)

    def _refresh(self, connection: Connection, project: str) -> None:
        known = dict(
            connection.execute(
                "SELECT path, mtime || ':' || size FROM logs WHERE ? IN ('', project)", (project,)
            ).fetchall()
        )
        present = dict(_stamps(self.root, project))
        stale = [path for path, stamp in present.items() if known.get(path) != stamp]
        gone = [path for path in known if path not in present]
        for start in range(0, len(stale), _BATCH):
            batch = [(path, digest(self.root / path)) for path in stale[start : start + _BATCH]]
            with transaction(connection):
                for path, made in batch:
                    forget(connection, path)
                    take_in(connection, path, present[path], made)
        if gone:
            with transaction(connection):
                for path in gone:
                    forget(connection, path)
                leave_no_trace(connection)

    def _throw_away(self) -> None:
        for path in (self.path, self.path.with_name(self.path.name + "-journal")):
            with suppress(OSError):  # then the index in memory serves
                path.unlink()


def _stamps(root: Path, project: str) -> Iterator[tuple[str, str]]:
    """Path from the root, and what tells whether it changed; taken before the log is read."""
    for path in logs(root, project):
        with suppress(FileNotFoundError):  # deleted this moment
            found = path.stat()
            yield path.relative_to(root).as_posix(), f"{found.st_mtime_ns}:{found.st_size}"
