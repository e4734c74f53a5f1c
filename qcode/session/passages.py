"""Ask the index for words. Which passages have them is found first, their text is fetched last:
making a snippet of each of a thousand matches would cost seconds."""

from collections.abc import Iterator
from sqlite3 import Connection

import msgspec

from qcode.protocol.text import plain
from qcode.session.summary import Hit, Summary
from qcode.session.tables import has_fts5

_HITS_PER_SESSION = 3
_MARGIN = 50
"""Characters of a snippet on each side of the first word."""

Match = tuple[int, str]
"""Id of a passage, path of its log."""

_ORDER = " ORDER BY logs.updated DESC, logs.path DESC, passages.n"
_WHERE = " JOIN logs ON logs.path = passages.path WHERE ? IN ('', logs.project) AND "


def find(connection: Connection, terms: list[str], project: str, limit: int) -> list[Hit]:
    """Passages with all `terms`: by whole words first, and if there are none, by parts."""
    found = _few_of_each(_matches(connection, terms, project), limit)
    found = found or _few_of_each(_contains(connection, terms, project), limit)
    return [_hit(connection, passage, terms[0]) for passage in found]


def _matches(connection: Connection, terms: list[str], project: str) -> Iterator[Match]:
    """By FTS5; the last word may go on, as in a search while typing."""
    if not has_fts5(connection):
        return
    quoted = ['"' + term.replace('"', '""') + '"' for term in terms]
    yield from connection.execute(
        "SELECT passages.id, passages.path FROM words JOIN passages ON passages.id = words.rowid"
        + _WHERE
        + "words MATCH ?"
        + _ORDER,
        (project, " ".join(quoted) + "*"),
    )


def _contains(connection: Connection, terms: list[str], project: str) -> Iterator[Match]:
    """By comparing every passage; capitals are ignored only in ASCII."""
    likes = [_like(term) for term in terms]
    yield from connection.execute(
        "SELECT passages.id, passages.path FROM passages"
        + _WHERE
        + " AND ".join([r"passages.text LIKE ? ESCAPE '\'"] * len(likes))
        + _ORDER,
        (project, *likes),
    )


def _like(term: str) -> str:
    for special in "\\%_":
        term = term.replace(special, "\\" + special)
    return f"%{term}%"


def _few_of_each(found: Iterator[Match], limit: int) -> list[int]:
    """Ids of the first passages (limit 0 = all), with no session crowding out the others."""
    kept: list[int] = []
    count: dict[str, int] = {}
    for passage, path in found:
        count[path] = count.get(path, 0) + 1
        if count[path] <= _HITS_PER_SESSION:
            kept.append(passage)
        if limit and len(kept) >= limit:
            break
    return kept


def _hit(connection: Connection, passage: int, term: str) -> Hit:
    summary, n, kind, text = connection.execute(
        "SELECT logs.summary, passages.n, passages.kind, passages.text"
        " FROM passages JOIN logs ON logs.path = passages.path WHERE passages.id = ?",
        (passage,),
    ).fetchone()
    session = msgspec.json.decode(summary, type=Summary)
    return Hit(session.id, session.title, session.updated, n, kind, _snippet(text, term))


def _snippet(text: str, term: str) -> str:
    """The surroundings of the first place that has `term`; else the beginning."""
    place = max(0, text.lower().find(term.lower()))
    start, end = max(0, place - _MARGIN), place + len(term) + _MARGIN
    line = " ".join(plain(text[start:end]).split())
    return ("…" if start else "") + line + ("…" if end < len(text) else "")
