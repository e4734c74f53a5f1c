"""One JSON value a line: bytes in, the lines out. No JSON, no I/O."""

from qcode.server.failures import Unusable


class Lines:
    """Cuts a stream of bytes into its lines, wherever the bytes were cut."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit = limit_bytes
        self._pieces: list[bytes] = []  # of a line whose end has not come
        self._size = 0
        self.stray = b""
        """Always empty: a line that is no JSON is told by who reads it."""

    def feed(self, data: bytes) -> list[bytes]:
        """The lines that `data` completes, empty ones left out."""
        self._size += len(data)
        if self._size > self._limit and self._size > len(data):
            raise Unusable(f"a single line is larger than {self._limit:,} bytes")
        if b"\n" not in data:
            self._pieces.append(data)
            return []
        lines = b"".join((*self._pieces, data)).split(b"\n")
        self._pieces = [lines.pop()]
        self._size = len(self._pieces[0])
        return [line for line in lines if line.strip()]

    def close(self) -> list[bytes]:
        """The last line, though no line end followed it."""
        rest, self._pieces = b"".join(self._pieces), []
        return [rest] if rest.strip() else []
