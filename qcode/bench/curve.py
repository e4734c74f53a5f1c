"""How fast a server reads and writes, over the length of the prompt: what was measured, as a file.

Every single figure is kept, so that a later comparison can tell a change from noise.
"""

from pathlib import Path
from typing import Literal

import msgspec

from qcode.protocol.errors import InputError

_MOST_BYTES = 16 << 20


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """One length of prompt. Each tuple has one figure a request, less those that were not told."""

    asked_tokens: int
    """What was aimed at; points of two curves are compared by it."""
    prompt_tokens: tuple[int, ...] = ()
    """As the server counted them."""
    cached_tokens: int = 0
    """The most that was remembered from an earlier request, though each is new; 0 = none, or not
    told."""
    reading: tuple[float, ...] = ()
    """Tokens of the prompt a second."""
    writing: tuple[float, ...] = ()
    """Tokens of the answer a second."""
    first_seconds: tuple[float, ...] = ()
    """From sending to the first token."""


class LeftOut(msgspec.Struct, frozen=True):
    """A length that was not measured."""

    asked_tokens: int
    because: str
    """A clause."""


class Curve(msgspec.Struct, frozen=True, kw_only=True):
    """One run of `qcode bench server`. Fields are only added."""

    format: Literal["qcode-bench-server-1"] = "qcode-bench-server-1"
    qcode: str
    """Version of what measured."""
    date: str
    """In UTC, such as `2026-11-21T20:15:00Z`."""
    kind: str
    """As in `ServerFacts`."""
    server: str
    """For people: `llama.cpp b11549`."""
    base_url: str
    """Without a password."""
    model: str
    context_tokens: int | None = None
    told: dict[str, str] = {}
    """How it was started, as far as it tells: `slots`, `file`."""
    note: str = ""
    """What the person says of it: the flags that no server tells."""
    generated_tokens: int
    """The most that each request had written."""
    points: tuple[Point, ...] = ()
    """By length."""
    left_out: tuple[LeftOut, ...] = ()

    @property
    def title(self) -> str:
        """One line for people."""
        return f"{self.server} · {self.model}" + (f" · {self.note}" if self.note else "")


def save(curve: Curve, path: Path) -> None:
    """Write the file anew. Raises InputError."""
    text = msgspec.json.format(msgspec.json.encode(curve), indent=2)
    try:
        path.write_bytes(text + b"\n")
    except OSError as error:
        raise InputError(f"{path} cannot be written ({error.strerror}). Name another.") from error


def load(path: Path) -> Curve:
    """What `save` wrote. Raises InputError."""
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES)
        return msgspec.json.decode(data, type=Curve)
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}).") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InputError(
            f"{path} is no curve ({error}). qcode bench server --save FILE writes one."
        ) from error
