"""What a hostile endpoint sends: sizes and forms, never content."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from qcode.server.failures import Refusal, Unusable, read_body
from qcode.server.reader import Reader

Pieces = Callable[[], Iterable[bytes]]


@dataclass(frozen=True, slots=True)
class Streamed:
    """Bytes of an answer; succeeds when all of them are taken, or when reading them breaks down.

    Twins end well: what they hold must be read.
    """

    pieces: Pieces

    def succeeds(self, tmp: Path) -> bool:
        reader = Reader()
        try:
            for piece in self.pieces():
                reader.feed(piece)
        except (Unusable, Refusal):
            return False
        except (RecursionError, ValueError):  # nobody above would take it
            return True
        return True


@dataclass(frozen=True, slots=True)
class Body:
    """The body of an error; succeeds when reading it breaks down, or gives more than a line."""

    body: bytes

    def succeeds(self, tmp: Path) -> bool:
        try:
            return len(read_body(self.body).words) > 2_000
        except RecursionError:
            return True


def line_without_end(size: int) -> Pieces:
    """One event that goes on."""
    return lambda: (b"data: " + bytes(1 << 20) for _ in range(size >> 20))


def many_lines(size: int) -> Pieces:
    """One event of many lines."""
    return lambda: ((b"data: " + b"x" * 1000 + b"\n") * 1000 for _ in range(size // 1_000_000))


def nested(depth: int, where: str = "content") -> Pieces:
    """JSON nested so deep, in a place where text is expected."""
    value = b"[" * depth + b"]" * depth
    chunk = b'{"choices": [{"index": 0, "delta": {"%b": %b}}]}' % (where.encode(), value)
    return lambda: (b"data: " + chunk + b"\n\n",)


def text(size: int, field: str = "content") -> Pieces:
    """Text that goes on, in events of a megabyte."""
    return lambda: (_delta({field: "x" * (1 << 20)}) for _ in range(size >> 20))


def arguments(size: int) -> Pieces:
    """Arguments of one call that go on."""
    first = {"index": 0, "id": "1", "function": {"name": "read", "arguments": ""}}
    more = {"index": 0, "function": {"arguments": "x" * (1 << 20)}}
    return lambda: (_delta({"tool_calls": [each]}) for each in (first, *[more] * (size >> 20)))


def calls(count: int) -> Pieces:
    """Many calls in one answer."""
    return lambda: (
        _delta(
            {
                "tool_calls": [
                    {
                        "index": number,
                        "id": str(number),
                        "function": {"name": "read", "arguments": "{}"},
                    }
                ]
            }
        )
        for number in range(count)
    )


def strays(count: int) -> Pieces:
    """Lines that are no events."""
    return lambda: (b"<p>\n" * count,)


def _delta(delta: object) -> bytes:
    chunk = {"choices": [{"index": 0, "delta": delta}]}
    return b"data: " + json.dumps(chunk).encode() + b"\n\n"
