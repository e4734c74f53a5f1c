"""What a command prints: its first and last bytes in memory, all of it in a file when it is long.

Memory stays flat whatever comes. Also here: bytes of a terminal -> text for the model.
"""

from collections.abc import Callable

import msgspec

from qcode.protocol.text import plain
from qcode.sandbox.spill import SpillFile

HEAD_BYTES = 4_000
TAIL_BYTES = 12_000
_KEPT_BYTES = HEAD_BYTES + TAIL_BYTES
LOST_NOTE = b"\n[%d bytes are missing here: no file could be made for them in time]\n"


class Excerpt(msgspec.Struct, frozen=True):
    """`head` and `tail` of an output; together they are all of it when `left_out` is 0."""

    head: str
    tail: str
    left_out: int
    """Bytes between them."""


class Capture:
    """Takes bytes as they come; gives excerpts at any time."""

    def __init__(self, make_spill: Callable[[], SpillFile]) -> None:
        self.total = 0
        self.spill: SpillFile | None = None
        self._make_spill = make_spill
        self._ended = False
        self._head = bytearray()
        self._tail = bytearray()
        self._read = 0

    def feed(self, data: bytes) -> None:
        """Take the next bytes."""
        if self.spill is None and self.total <= _KEPT_BYTES < self.total + len(data):
            self._try_spill()
        if self.spill is not None:
            self.spill.write(data)
        self.total += len(data)
        self._head += data[: HEAD_BYTES - len(self._head)]
        self._tail += data[-2 * _KEPT_BYTES :]
        if len(self._tail) > 2 * _KEPT_BYTES:  # seldom, so that each byte moves about once
            del self._tail[:-_KEPT_BYTES]

    def keep_all(self) -> SpillFile:
        """From here on everything is in a file, also what came before. Raises OSError.

        Where no file could be made earlier, what memory no longer has is replaced by a note.
        """
        if self.spill is None:
            self.spill = self._make_spill()
            self.spill.write(self._so_far())
            if self._ended:
                self.spill.close()
        return self.spill

    def end(self) -> None:
        """Nothing more comes: let go of the file."""
        self._ended = True
        if self.spill is not None:
            self.spill.close()

    def excerpt(self) -> Excerpt:
        """The output so far, for the model."""
        if self.total <= _KEPT_BYTES:
            return Excerpt(readable(self._tail), "", 0)
        head = _cut_end(self._head)
        tail = _cut_start(self._tail[-TAIL_BYTES:])
        return Excerpt(readable(head), readable(tail), self.total - len(head) - len(tail))

    def news(self) -> Excerpt:
        """The output since the last call (its `head` is empty): at most the last bytes of it."""
        fresh = self.total - self._read
        data = self._tail[-min(fresh, TAIL_BYTES) :] if fresh else bytearray()
        left_out = fresh - len(data)
        if left_out:
            data = _cut_start(data)
            left_out = fresh - len(data)
        data = _whole(data)
        self._read += left_out + len(data)
        return Excerpt("", readable(data), left_out)

    def _so_far(self) -> bytes:
        """Everything, or what memory still has of it around a note."""
        before = self.total - len(self._tail)
        head = bytes(self._head[:before])
        lost = before - len(head)
        return head + (LOST_NOTE % lost if lost else b"") + self._tail

    def _try_spill(self) -> None:
        try:
            self.keep_all()
        except OSError:  # no file, then: head and tail are still there, and the result says so
            self.spill = None


def readable(data: bytes | bytearray) -> str:
    """Text without control sequences; of a line that was overwritten (`\\r`) the last state."""
    text = data.decode("utf-8", "replace")
    if "\r" in text:
        text = "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in text.split("\n"))
    return plain(text)


def _cut_end(data: bytearray) -> bytearray:
    """Back to the last whole line, unless that costs half of it."""
    end = data.rfind(b"\n") + 1
    return data[:end] if end * 2 >= len(data) else _whole(data)


def _cut_start(data: bytearray) -> bytearray:
    """On to the next whole line, unless that costs half of it."""
    start = data.find(b"\n") + 1
    if 0 < start * 2 <= len(data):
        return data[start:]
    skip = next((i for i, byte in enumerate(data[:4]) if byte & 0xC0 != 0x80), 0)
    return data[skip:]


def _whole(data: bytearray) -> bytearray:
    """`data` without a UTF-8 sequence that is cut off at its end."""
    for back in range(1, min(4, len(data) + 1)):
        lead = data[-back]
        if lead & 0xC0 == 0x80:
            continue
        needed = 1 if lead < 0xC0 else 2 if lead < 0xE0 else 3 if lead < 0xF0 else 4
        return data[:-back] if needed > back else data
    return data
