"""Lines of JSON from stdin -> what they say. Bounded: nobody makes us hold an endless line."""

import asyncio
import codecs
import os
import select
import threading
from collections.abc import Iterator
from concurrent.futures import CancelledError
from typing import Any

import msgspec

from qcode.protocol.text import well_formed

MOST_BYTES = 16 * 1024 * 1024
"""Of one line: a prompt with some pictures. A longer one is thrown away up to its end."""
PIECE_BYTES = 65_536


class Broken(msgspec.Struct, frozen=True):
    """A line that says nothing, with the reason as a sentence."""

    why: str


Line = dict[str, Any] | Broken


class Lines:
    """Bytes in, lines out. No I/O."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most = most_bytes
        self._held = bytearray()
        self._too_long = 0
        """Bytes of the line that is being thrown away."""

    def feed(self, data: bytes) -> Iterator[Line]:
        """The lines that end in `data`."""
        *ended, rest = data.split(b"\n")
        for piece in ended:
            self._take(piece)
            yield from self._line()
        self._take(rest)

    def end(self) -> Iterator[Line]:
        """What stands behind the last line end."""
        yield from self._line()

    def _take(self, piece: bytes) -> None:
        if self._too_long or len(self._held) + len(piece) > self._most:
            self._too_long += len(self._held) + len(piece)
            self._held.clear()
        else:
            self._held += piece

    def _line(self) -> Iterator[Line]:
        data, size = bytes(self._held), self._too_long
        self._held.clear()
        self._too_long = 0
        if size:
            yield Broken(f"A line of {size:,} bytes is too long (at most {self._most:,}).")
        elif data.strip():
            yield _read(data)


def _read(data: bytes) -> Line:
    try:
        found = _decoded(data.removeprefix(codecs.BOM_UTF8))
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        shown = data[:80].decode(errors="replace")
        return Broken(f"A line is not JSON ({error}): {shown!r}")
    if not isinstance(found, dict):
        return Broken("A line is JSON but no object.")
    return found


def _decoded(data: bytes) -> Any:
    try:
        return msgspec.json.decode(data)
    except msgspec.DecodeError:
        if b"\\ud" not in data.lower():
            raise
        import json  # noqa: PLC0415 - few hosts need it, and each would wait for it

        # Half of a sign, where a host cut a text: it is replaced, and the rest is heard.
        return msgspec.json.decode(well_formed(json.dumps(json.loads(data), ensure_ascii=False)))


def pump(descriptor: int, into: "asyncio.Queue[bytes]") -> None:
    """Read `descriptor` in a thread until its end, told as an empty piece. The thread is a daemon:
    a read that nothing ends holds no process. It waits where nobody takes what it read."""
    loop = asyncio.get_running_loop()
    threading.Thread(target=_pump, args=(descriptor, into, loop), daemon=True).start()


def _pump(descriptor: int, into: "asyncio.Queue[bytes]", loop: asyncio.AbstractEventLoop) -> None:
    piece = b"-"
    while piece:
        try:
            piece = os.read(descriptor, PIECE_BYTES)
        except BlockingIOError:  # whoever shares the pipe made it so
            select.select([descriptor], [], [])
            continue
        except OSError:  # the other side is gone
            piece = b""
        put = into.put(piece)
        try:
            asyncio.run_coroutine_threadsafe(put, loop).result()
        except (RuntimeError, CancelledError):  # the run is over
            put.close()
            return
