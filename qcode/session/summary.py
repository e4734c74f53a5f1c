"""One session in short, and its words for the full-text search: both read from its log."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import msgspec

from qcode.protocol.errors import SessionError
from qcode.protocol.events import MessageCompleted, Steered, ToolCallStarted, TurnStarted
from qcode.protocol.text import one_line
from qcode.session.conversation import Conversation, fold
from qcode.session.envelope import Entry
from qcode.session.prompts import spoken
from qcode.session.reading import Opened, read

TITLE_WIDTH = 200

Kind = Literal["prompt", "answer", "command"]


class Summary(msgspec.Struct, frozen=True):
    """What a list of sessions shows. Part of the JSON output: fields are only ever added."""

    id: str
    title: str
    """Name or first prompt, one line; empty = nothing was said."""
    name: str
    folder: str
    """Empty = the log does not tell."""
    model: str
    started: str
    """UTC, ISO 8601, like `updated`."""
    updated: str
    turns: int
    """In the conversation as it stands."""
    generated_tokens: int
    edits: int
    """Calls that changed files."""
    bytes: int
    """Size of the log."""
    parent: str = ""
    """Id of the session that this one was forked from."""
    broken: str = ""
    """A sentence when the log is unusable or has lost something; empty = it is whole."""
    usable: bool = True
    """False = it cannot be resumed."""


class Hit(msgspec.Struct, frozen=True):
    """A passage that has the words. Part of the JSON output: fields are only ever added."""

    id: str
    """Of the session."""
    title: str
    updated: str
    n: int
    """Number of the event in the log."""
    kind: Kind
    snippet: str
    """One line, without control characters."""


class Passage(msgspec.Struct, frozen=True):
    """Words of a session that can be searched."""

    n: int
    """Number of the event."""
    kind: Kind
    text: str


class Digest(msgspec.Struct, frozen=True):
    """All that the index wants to know of a log."""

    summary: Summary
    passages: tuple[Passage, ...] = ()


def digest(path: Path) -> Digest:
    """Read the log at `path`. Never fails: a log that cannot be read is summed up as broken."""
    try:
        opened = read(path)
    except SessionError as error:
        return Digest(_unusable(path, str(error)))
    if opened.started is None:
        return Digest(_unusable(path, "Its log has no whole first line."))
    summary = _summary(path, opened, fold(opened.events))
    return Digest(summary, tuple(_passages(opened.entries)))


def _summary(path: Path, opened: Opened, talk: Conversation) -> Summary:
    return Summary(
        id=path.stem,
        title=one_line(talk.title, TITLE_WIDTH),
        name=one_line(talk.name, TITLE_WIDTH),
        folder=talk.folder,
        model=talk.model,
        started=opened.entries[0].at,
        updated=opened.entries[-1].at,
        turns=len(talk.live_turns),
        generated_tokens=talk.generated_tokens,
        edits=talk.edits,
        bytes=opened.end + opened.lost_bytes,
        parent=talk.parent.session_id if talk.parent else "",
        broken=opened.loss,
    )


def _unusable(path: Path, because: str) -> Summary:
    size, changed = _size_and_time(path)
    return Summary(
        id=path.stem,
        title="",
        name="",
        folder="",
        model="",
        started=changed,
        updated=changed,
        turns=0,
        generated_tokens=0,
        edits=0,
        bytes=size,
        broken=because,
        usable=False,
    )


def _size_and_time(path: Path) -> tuple[int, str]:
    try:
        found = path.stat()
    except OSError:  # it went away meanwhile, or its folder is closed
        return 0, ""
    moment = datetime.fromtimestamp(found.st_mtime, UTC)
    return found.st_size, moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _passages(entries: tuple[Entry, ...]) -> Iterator[Passage]:
    for entry in entries:
        match entry.event:
            case TurnStarted(message=message) | Steered(message=message):
                yield Passage(entry.n, "prompt", spoken(message))
            case MessageCompleted(message=answer) if answer.text:
                yield Passage(entry.n, "answer", answer.text)
            case ToolCallStarted(accesses=accesses):
                for access in accesses:
                    if access.kind == "shell":
                        yield Passage(entry.n, "command", access.target)
