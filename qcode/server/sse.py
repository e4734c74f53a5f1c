"""Server-sent events: bytes in, the data of each event out. No JSON, no I/O.

Lenient where servers are sloppy (line ends, a missing blank line at the end), strict about size:
the other end may be anything.
"""

from qcode.server.failures import Unusable

_MOST_STRAYS = 1000


class Events:
    """Cuts a stream of bytes into the payloads of its events, wherever the bytes were cut."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit = limit_bytes
        self._pieces: list[bytes] = []  # of a line whose end has not come
        self._data: list[bytes] = []  # lines of an event whose blank line has not come
        self._data_size = 0
        self._size = 0  # of both
        self._after_cr = False
        self._strays = 0
        self.stray = b""
        """The first line that belongs to no event stream: for the error message."""

    def feed(self, data: bytes) -> list[bytes]:
        """The payloads that `data` completes."""
        if self._after_cr and data:  # the line feed of a line end that was cut in two
            data, self._after_cr = data.removeprefix(b"\n"), False
        if b"\r" in data:
            self._after_cr = data.endswith(b"\r")
            data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        self._grow(len(data))
        if b"\n" not in data:
            self._pieces.append(data)
            return []
        lines = data.split(b"\n")
        lines[0] = b"".join((*self._pieces, lines[0]))
        self._pieces = [lines.pop()]
        return self._dispatch(lines)

    def close(self) -> list[bytes]:
        """What the last bytes hold although no blank line followed them."""
        rest = b"".join(self._pieces)
        self._pieces = []
        return self._dispatch([rest, b""])

    def _dispatch(self, lines: list[bytes]) -> list[bytes]:
        payloads = []
        for line in lines:
            if line.startswith(b"data:"):
                self._keep(line[6:] if line[5:6] == b" " else line[5:])
            elif not line:
                if self._data:
                    payloads.append(b"\n".join(self._data))
                    self._data, self._data_size = [], 0
            else:
                self._other(line)
        self._size = self._data_size + sum(map(len, self._pieces))  # of pieces there is one left
        return payloads

    def _keep(self, data: bytes) -> None:
        self._data.append(data)
        self._data_size += len(data) + 1  # an empty line is kept too, and costs

    def _other(self, line: bytes) -> None:
        if line.startswith(b"\xef\xbb\xbfdata:"):  # a byte order mark may head the stream
            self._keep(line[8:].strip())
        elif not line.startswith((b":", b"event:", b"id:", b"retry:")):
            self.stray = self.stray or line[:400]
            self._strays += 1
            if self._strays > _MOST_STRAYS:
                raise Unusable("it is no event stream")

    def _grow(self, size: int) -> None:
        self._size += size
        if self._size > self._limit and self._size > size:
            raise Unusable(f"a single event is larger than {self._limit:,} bytes")
