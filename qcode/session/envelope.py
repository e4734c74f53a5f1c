"""One line of a log: an envelope and, flat beside it, the fields of the event.

    {"v":1,"n":17,"at":"2026-11-21T09:00:00.123Z","type":"Renamed","name":"bug 7"}

The envelope is read first: the version says how the rest is to be read, the type whether we know
the event at all. A change that old readers would get wrong raises `VERSION` and adds a migration;
a new event or a new field with a default does not.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from types import UnionType
from typing import Any, get_args

import msgspec

from qcode.protocol.events import LoggedEvent
from qcode.protocol.text import escaped, well_formed

VERSION = 1

Migration = Callable[[dict[str, Any]], dict[str, Any]]
"""A whole line as JSON of one version -> of the next; `v` itself is set for it."""


class Format(msgspec.Struct, frozen=True):
    """The version that is written, and the steps that lead to it from older ones."""

    version: int
    migrations: Mapping[int, Migration] = msgspec.field(default_factory=dict)
    """Keyed by the version that a step starts from."""


CURRENT = Format(VERSION)
UNREADABLE = (ValueError, RecursionError)
"""What decoding raises for bytes that are no line of a log; msgspec's errors are ValueErrors."""


class NewerVersion(Exception):
    """The line was written by a later qcode; it must not be guessed at, nor be written after."""


class UnknownEvent(msgspec.Struct, frozen=True):
    """A whole line whose event this qcode does not know. It is kept as it is."""

    type: str
    raw: bytes
    because: str = ""
    """Empty = the type is new; else why an event of a known type could not be read."""


class Entry(msgspec.Struct, frozen=True):
    """One event of a log."""

    n: int
    """From 1, in the order of the log."""
    at: str
    """UTC, ISO 8601."""
    event: LoggedEvent | UnknownEvent
    end: int = 0
    """Offset in the file behind the line."""


class _Envelope(msgspec.Struct):
    v: int
    n: int
    type: str
    at: str = ""


def _members(union: UnionType) -> tuple[type, ...]:
    return get_args(union)


KNOWN = frozenset(event.__name__ for event in _members(LoggedEvent))
_ENVELOPE = msgspec.json.Decoder(_Envelope)
_EVENT: msgspec.json.Decoder[LoggedEvent] = msgspec.json.Decoder(LoggedEvent)


def encode(event: LoggedEvent, n: int, at: datetime) -> bytes:
    """The line for `event`, newline included."""
    try:
        body = msgspec.json.encode(event)
    except UnicodeEncodeError:  # a lone surrogate slipped in: the log must go on all the same
        body = msgspec.json.encode(_mended(msgspec.to_builtins(event)))
    body = escaped(body.decode()).encode()
    stamp = at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return b'{"v":%d,"n":%d,"at":"%s",%s\n' % (VERSION, n, stamp.encode(), body[1:])


def decode(line: bytes, end: int = 0, reading: Format = CURRENT) -> Entry:
    """The entry that `line` holds. Raises NewerVersion, or one of `UNREADABLE`."""
    envelope = _ENVELOPE.decode(line)
    if envelope.v > reading.version:
        raise NewerVersion(envelope.v)
    if envelope.v < reading.version:
        line = msgspec.json.encode(_migrated(msgspec.json.decode(line), reading))
        envelope = _ENVELOPE.decode(line)
    return Entry(envelope.n, envelope.at, _event(envelope.type, line), end)


def _event(kind: str, line: bytes) -> LoggedEvent | UnknownEvent:
    if kind not in KNOWN:
        return UnknownEvent(kind, line)
    try:
        return _EVENT.decode(line)
    except msgspec.ValidationError as error:  # such as a part that a later qcode has added
        return UnknownEvent(kind, line, str(error))


def _migrated(line: dict[str, Any], reading: Format) -> dict[str, Any]:
    while line["v"] < reading.version:
        step = reading.migrations.get(line["v"])
        if step is None:
            raise ValueError(f"no way leads from version {line['v']} to {reading.version}")
        line = {**step(line), "v": line["v"] + 1}
    return line


def _mended(value: Any) -> Any:
    if isinstance(value, str):
        return well_formed(value)
    if isinstance(value, dict):
        return {key: _mended(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_mended(item) for item in value]
    return value
