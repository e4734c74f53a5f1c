"""Ask the index for words."""

from collections.abc import Iterator
from sqlite3 import Connection

import msgspec

from qcode.protocol.text import plain
from qcode.session.summary import Hit, Kind, Summary

_HITS_PER_SESSION = 3


_FOUND = (
    "JOIN logs ON logs.path = passages.path WHERE ? IN ('', logs.project) AND {match}"
    " ORDER BY logs.updated DESC, logs.path DESC, passages.n"
)


def matches(connection: Connection, terms: list[str], project: str) -> Iterator[Hit]:
    """By FTS5; the last word may go on, as in a search while typing."""
    quoted = ['"' + term.replace('"', '""') + '"' for term in terms]
    rows = connection.execute(
        "SELECT logs.summary, passages.n, passages.kind, snippet(words, 0, '', '', '…', 16)"
        " FROM words JOIN passages ON passages.id = words.rowid "
        + _FOUND.format(match="words MATCH ?"),
        (project, " ".join(quoted) + "*"),
    )
    for summary, n, kind, snippet in rows:
        yield _hit(summary, n, kind, snippet)


def contains(connection: Connection, terms: list[str], project: str) -> Iterator[Hit]:
    """By comparing every passage: parts of words, capitals ignored only in ASCII."""
    likes = [_like(term) for term in terms]
    match = " AND ".join([r"passages.text LIKE ? ESCAPE '\'"] * len(likes))
    rows = connection.execute(
        "SELECT logs.summary, passages.n, passages.kind, passages.text FROM passages "
        + _FOUND.format(match=match),
        (project, *likes),
    )
    for summary, n, kind, text in rows:
        yield _hit(summary, n, kind, _around(text, terms[0]))


def _like(term: str) -> str:
    for special in "\\%_":
        term = term.replace(special, "\\" + special)
    return f"%{term}%"


def _around(text: str, term: str, margin: int = 50) -> str:
    """The surroundings of the first place that has `term`."""
    place = max(0, text.lower().find(term.lower()))
    start, end = max(0, place - margin), place + len(term) + margin
    return ("…" if start else "") + text[start:end] + ("…" if end < len(text) else "")


def _hit(summary: bytes, n: int, kind: Kind, snippet: str) -> Hit:
    session = msgspec.json.decode(summary, type=Summary)
    line = " ".join(plain(snippet).split())
    return Hit(session.id, session.title, session.updated, n, kind, line)


def few_of_each(found: Iterator[Hit], limit: int) -> list[Hit]:
    hits: list[Hit] = []
    count: dict[str, int] = {}
    for hit in found:
        count[hit.id] = count.get(hit.id, 0) + 1
        if count[hit.id] <= _HITS_PER_SESSION:
            hits.append(hit)
        if len(hits) == limit:
            break
    return hits
