"""Which checkpoints the sessions of a project name: a fork names those of its parent, too."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import msgspec

from qcode.session.envelope import UNREADABLE

_MARK = b'"type":"CheckpointTaken"'


class _Taken(msgspec.Struct, tag="CheckpointTaken"):
    """What of the event matters here, whichever version wrote it."""

    checkpoint_id: str


_TAKEN = msgspec.json.Decoder(_Taken)


def checkpoints(folder: Path) -> frozenset[str]:
    """Ids, by all logs in `folder`. Raises OSError where one cannot be read: then nobody knows."""
    return frozenset(found for log in folder.glob("*.jsonl") for found in _in(log))


def _in(log: Path) -> Iterator[str]:
    with log.open("rb") as file:
        for line in file:
            if _MARK in line:
                with suppress(*UNREADABLE):
                    yield _TAKEN.decode(line).checkpoint_id
