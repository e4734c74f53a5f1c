"""Events of a stream, made for the tests of the reader."""

import json
from typing import Any

from qcode.server.reader import Finished, Reader
from qcode.server.shown import Item

DONE = b"data: [DONE]\n\n"


def event(value: Any) -> bytes:
    """One event."""
    return b"data: " + json.dumps(value).encode() + b"\n\n"


def delta(finish: str | None = None, **fields: Any) -> bytes:
    """A chunk with a delta of `fields`."""
    return event({"choices": [{"index": 0, "delta": fields, "finish_reason": finish}]})


def call(index: int | None = 0, **fields: Any) -> bytes:
    """A piece of a tool call; `name` and `arguments` go into its function."""
    function = {key: fields.pop(key) for key in ("name", "arguments") if key in fields}
    piece = {"index": index, "function": function, **fields}
    return delta(tool_calls=[{key: value for key, value in piece.items() if value is not None}])


def end(finish: str = "stop") -> bytes:
    """The finish chunk and the end."""
    return delta(finish) + DONE


def read(data: bytes, reader: Reader | None = None) -> Finished:
    """What a stream that comes in one piece amounts to."""
    reader = reader or Reader()
    reader.feed(data)
    return reader.finish()


def shown(*pieces: bytes) -> list[Item]:
    """What is shown while the pieces come."""
    reader = Reader()
    return [item for piece in pieces for item in reader.feed(piece)]
