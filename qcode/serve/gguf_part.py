"""One GGUF file as it stands on disk: its keys and where its tensors lie. No weights are read.

The file may come from anywhere, so every count and length is checked against bounds before it is
believed, and what is too big to be of use to a plan (the vocabulary) is counted and left out.
Format: ggml, docs/gguf.md, versions 2 and 3.
"""

import struct
from collections.abc import Iterator
from math import prod
from pathlib import Path
from typing import BinaryIO

import msgspec

from qcode.protocol.errors import InputError

Scalar = int | float | bool | str

_MAGIC = b"GGUF"
_VERSIONS = (2, 3)
_STRING, _ARRAY = 8, 9
_SCALARS = {
    **{0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?"},
    **{10: "<Q", 11: "<q", 12: "<d"},
}
BLOCKS = {
    **{0: (1, 4), 1: (1, 2), 2: (32, 18), 3: (32, 20), 6: (32, 22), 7: (32, 24), 8: (32, 34)},
    **{10: (256, 84), 11: (256, 110), 12: (256, 144), 13: (256, 176)},
    **{14: (256, 210), 15: (256, 292), 16: (256, 66), 17: (256, 74), 18: (256, 98)},
    **{19: (256, 50), 20: (32, 18), 21: (256, 110), 22: (256, 82), 23: (256, 136), 24: (1, 1)},
    **{25: (1, 2), 26: (1, 4), 27: (1, 8), 28: (1, 8), 29: (256, 56), 30: (1, 2)},
    **{34: (256, 54), 35: (256, 66), 39: (32, 17), 40: (64, 36), 41: (128, 18)},
}
"""Number of a tensor's type -> elements of a block, and its bytes (ggml.c, `type_traits`)."""
_MOST_KEYS = 65_536
_MOST_TENSORS = 1 << 20
_MOST_TEXT = 8 << 20
"""Bytes of one string; the longest honest one is a chat template."""
_MOST_NAME = 1024
_MOST_KEPT = 256 << 20
"""Bytes of all strings and lists together: of honest files they are a few million."""
_MOST_ELEMENTS = 1 << 24
_KEPT_ELEMENTS = 4096
"""A list for each layer is kept, a vocabulary is not."""
_MOST_DIMENSIONS = 8
_GULP = 1 << 16
_LENGTH = struct.Struct("<Q").unpack_from


class Tensor(msgspec.Struct, frozen=True):
    """One matrix of weights, less its contents."""

    name: str
    kind: int
    """ggml's number of its type."""
    size_bytes: int
    """0 = its type is not known here."""


class Part(msgspec.Struct, frozen=True):
    """One file."""

    path: Path
    size_bytes: int
    values: dict[str, Scalar]
    lists: dict[str, tuple[Scalar, ...]]
    """Those of at most 4,096 elements."""
    lengths: dict[str, int]
    """Of every list."""
    tensors: tuple[Tensor, ...]

    def number(self, key: str, default: int = 0) -> int:
        """A whole number from 0 on; the largest one where the file has a list of them."""
        value = self.values.get(key)
        if value is None and (found := self.lists.get(key)):
            value = max(_whole(one) for one in found)
        return _whole(value) if value is not None else default

    def text(self, key: str) -> str:
        """A string; empty = there is none."""
        value = self.values.get(key, "")
        return value if isinstance(value, str) else ""


def read_part(path: Path) -> Part:
    """Raises InputError for what is no GGUF file, or one that is cut off."""
    try:
        with path.open("rb") as file:
            return _Reader(path, file).part()
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror or error}).") from error


def _whole(value: Scalar) -> int:
    return max(0, value) if isinstance(value, int) else 0


class _Reader:
    """Reads forward and never beyond the end."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self._path = path
        self._file = file
        self._size = file.seek(0, 2)
        file.seek(0)
        self._values: dict[str, Scalar] = {}
        self._lists: dict[str, tuple[Scalar, ...]] = {}
        self._lengths: dict[str, int] = {}
        self._kept = 0

    def part(self) -> Part:
        """The whole of it."""
        if self._size < 24 or self._bytes(4) != _MAGIC:
            raise InputError(f"{self._path} is no GGUF file. qcode serve runs GGUF models only.")
        version = self._unsigned("<I")
        if version not in _VERSIONS:
            raise InputError(
                f"{self._path} is GGUF of version {version:,}, and 2 and 3 can be read. "
                "Download it again, or a newer conversion."
            )
        tensors = self._count(_MOST_TENSORS)
        for _ in range(self._count(_MOST_KEYS)):
            self._key()
        return Part(
            self._path,
            self._size,
            self._values,
            self._lists,
            self._lengths,
            tuple(self._tensors(tensors)),
        )

    def _key(self) -> None:
        name = self._text(_MOST_TEXT)
        kind = self._unsigned("<I")
        if kind != _ARRAY:
            self._values[name] = self._value(kind)
            return
        kind = self._unsigned("<I")
        count = self._count(_MOST_ELEMENTS)
        self._lengths[name] = count
        if count <= _KEPT_ELEMENTS:
            self._keep(8 * count)
            self._lists[name] = tuple(self._value(kind) for _ in range(count))
        else:
            self._skip(kind, count)

    def _value(self, kind: int) -> Scalar:
        if kind == _STRING:
            return self._text(_MOST_TEXT)
        return self._scalar(self._form(kind))

    def _form(self, kind: int) -> str:
        form = _SCALARS.get(kind)
        if form is None:
            raise self._broken(f"a value of kind {kind}")
        return form

    def _scalar(self, form: str) -> Scalar:
        found: Scalar = struct.unpack(form, self._bytes(struct.calcsize(form)))[0]
        return found

    def _skip(self, kind: int, count: int) -> None:
        if kind != _STRING:
            self._forward(struct.calcsize(self._form(kind)) * count)
            return
        while count:
            count -= self._skip_some(count)

    def _skip_some(self, most: int) -> int:
        """Skip strings as far as one gulp tells their lengths; how many. A vocabulary has 250,000,
        its merges as many: one by one they took 0.3 s of each start, so they take 0.06 s."""
        begin = self._file.tell()
        data = self._file.read(_GULP)
        at = count = 0
        last = len(data) - 8
        while count < most and at <= last:
            length: int = _LENGTH(data, at)[0]
            if length > _MOST_TEXT:
                raise self._broken(f"a count of {length:,}")
            at += 8 + length
            count += 1
        if not count or begin + at > self._size:
            raise self._broken("an end in the middle of its head")
        self._file.seek(begin + at)
        return count

    def _tensors(self, count: int) -> Iterator[Tensor]:
        """All of them must lie within the file: an interrupted download is found here."""
        found = [self._tensor() for _ in range(count)]
        align = self._values.get("general.alignment", 32)
        step = align if isinstance(align, int) and 1 <= align <= 1 << 20 else 32
        begin = -(-self._file.tell() // step) * step
        data = max(0, self._size - begin)
        for start, tensor in found:
            if start + tensor.size_bytes > data:
                raise self._broken("fewer weights than it lists: the download is not complete")
            yield tensor

    def _tensor(self) -> tuple[int, Tensor]:
        """And where it begins, counted from the first."""
        name = self._text(_MOST_NAME)
        dimensions = self._unsigned("<I")
        if dimensions > _MOST_DIMENSIONS:
            raise self._broken(f"a tensor of {dimensions:,} dimensions")
        elements = prod(self._unsigned("<Q") for _ in range(dimensions))
        kind = self._unsigned("<I")
        block, size = BLOCKS.get(kind, (1, 0))
        return self._unsigned("<Q"), Tensor(name, kind, -(-elements // block) * size)

    def _count(self, most: int) -> int:
        number = self._unsigned("<Q")
        if number > most or number > self._size:
            raise self._broken(f"a count of {number:,}")
        return number

    def _unsigned(self, form: str) -> int:
        found: int = struct.unpack(form, self._bytes(struct.calcsize(form)))[0]
        return found

    def _text(self, most: int) -> str:
        count = self._count(most)
        self._keep(count)
        return self._bytes(count).decode("utf-8", "replace")

    def _keep(self, size: int) -> None:
        self._kept += size
        if self._kept > _MOST_KEPT:
            raise self._broken("more of text and lists than any model")

    def _bytes(self, count: int) -> bytes:
        found = self._file.read(count)
        if len(found) < count:
            raise self._broken("an end in the middle of its head")
        return found

    def _forward(self, count: int) -> None:
        if self._file.seek(count, 1) > self._size:
            raise self._broken("an end in the middle of its head")

    def _broken(self, what: str) -> InputError:
        return InputError(f"{self._path} is broken: it has {what}. Download it again.")
