"""The tables of the index: how they are made, and how one log is put into them."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from sqlite3 import Connection
from typing import Literal

import msgspec

from qcode.session.summary import Digest

FullText = Literal["fts5", "like"]

SCHEMA = {"fts5": 1, "like": 2}
"""`user_version` of the file: an index of another making is built anew."""
_UNSEEN = -1
"""As the time of an unusable log: it is looked at again each time, for its cause may go away."""


def best(connection: Connection) -> FullText:
    try:
        connection.execute("CREATE VIRTUAL TABLE temp.probe USING fts5(text)")
        connection.execute("DROP TABLE temp.probe")
    except sqlite3.OperationalError:
        return "like"
    return "fts5"


def has_fts5(connection: Connection) -> bool:
    return bool(connection.execute("PRAGMA user_version").fetchone()[0] == SCHEMA["fts5"])


@contextmanager
def transaction(connection: Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def make_tables(connection: Connection, full_text: FullText) -> None:
    connection.execute(
        "CREATE TABLE logs (path TEXT PRIMARY KEY, project TEXT, mtime INTEGER, size INTEGER,"
        " updated TEXT, summary BLOB)"
    )
    connection.execute(
        "CREATE TABLE passages (id INTEGER PRIMARY KEY, path TEXT, n INTEGER, kind TEXT, text TEXT)"
    )
    connection.execute("CREATE INDEX passages_of_log ON passages (path)")
    if full_text == "fts5":
        connection.execute(
            "CREATE VIRTUAL TABLE words USING"
            " fts5(text, content='passages', content_rowid='id', tokenize='unicode61')"
        )
    connection.execute(f"PRAGMA user_version = {SCHEMA[full_text]}")


def forget(connection: Connection, path: str) -> None:
    if has_fts5(connection):
        connection.execute(
            "INSERT INTO words (words, rowid, text)"
            " SELECT 'delete', id, text FROM passages WHERE path = ?",
            (path,),
        )
    connection.execute("DELETE FROM passages WHERE path = ?", (path,))
    connection.execute("DELETE FROM logs WHERE path = ?", (path,))


def leave_no_trace(connection: Connection) -> None:
    """FTS5 only marks the words of deleted passages: merging all of it drops them."""
    if has_fts5(connection):
        connection.execute("INSERT INTO words (words) VALUES ('optimize')")


def take_in(connection: Connection, path: str, stamp: str, made: Digest) -> None:
    mtime, size = map(int, stamp.split(":"))
    summary = made.summary
    row = (path, path.split("/")[0], mtime if summary.usable else _UNSEEN, size)
    connection.execute(
        "INSERT INTO logs VALUES (?, ?, ?, ?, ?, ?)",
        (*row, summary.updated, msgspec.json.encode(summary)),
    )
    for passage in made.passages:
        text = passage.text.replace("\0", " ")  # SQLite would end the text there
        cursor = connection.execute(
            "INSERT INTO passages (path, n, kind, text) VALUES (?, ?, ?, ?)",
            (path, passage.n, passage.kind, text),
        )
        if has_fts5(connection):
            connection.execute(
                "INSERT INTO words (rowid, text) VALUES (?, ?)", (cursor.lastrowid, text)
            )
