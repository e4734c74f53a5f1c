"""What comes through a pipe: the prompt itself, or data beside it. Never waits without a word."""

import os
import queue
import stat
import sys
import threading

from qcode.headless.talk import talk
from qcode.protocol.errors import InputError
from qcode.protocol.text import plain, well_formed
from qcode.workspace.encoding import binary_kind, decode

FIRST_BYTE_SECONDS = 2.0
"""A pipe that stays silent this long is spoken of."""

SILENT_SECONDS = 30.0
"""One that stays silent this long beside a prompt holds no data for us: some parents leave theirs
open for ever. `QCODE_STDIN_SECONDS` overrules it."""

QUIET_SECONDS = 5.0
"""Data that began to come may pause, since what makes it may work; from here on we say so."""

DATA_CHARACTERS = 200_000
"""More is cut in the middle: it would fill the context of most local models."""

MOST_BYTES = 16 * 1024 * 1024
"""Nothing more is read: a pipe may never end."""


def prompt_and_data(given: str | None) -> tuple[str, str]:
    """(prompt, data) from the command line's prompt and from stdin.

    Stdin alone is the prompt, `-` says so; beside a prompt it is data. Raises InputError when
    there is no prompt in either, or no text.
    """
    if given is None or given == "-":
        text = _read("prompt") if _holds_data() else ""
        if not text.strip():
            raise InputError("There is no prompt. Say it: qcode -p 'fix the failing test'.")
        return text.strip(), ""
    if not given.strip():
        raise InputError("The prompt is empty. Say what to do: qcode -p 'fix the failing test'.")
    return well_formed(given), _read("data") if _holds_data() else ""


def _holds_data() -> bool:
    """A pipe, a socket or a file; not a terminal, not /dev/null."""
    try:
        mode = os.fstat(sys.stdin.fileno()).st_mode
    except (OSError, ValueError, AttributeError):  # closed, or replaced by something without one
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISREG(mode) or stat.S_ISSOCK(mode)


def _read(what: str) -> str:
    """All of stdin as text; nothing when it is `data` and does not begin to come."""
    pieces: queue.Queue[bytes] = queue.Queue(maxsize=64)
    # A thread, because a pipe cannot be polled on Windows. It may outlive us: it is a daemon.
    threading.Thread(target=_pump, args=(sys.stdin.fileno(), pieces), daemon=True).start()
    try:
        piece = pieces.get(timeout=FIRST_BYTE_SECONDS)
    except queue.Empty:
        if what == "prompt":
            talk("waiting for the prompt on stdin.")
            piece = pieces.get()
        elif not (piece := _late(pieces)):
            return ""
    return _text(_rest(piece, pieces), what)


def _late(pieces: "queue.Queue[bytes]") -> bytes:
    """The first piece of data that takes long to come; empty = none does."""
    wait_seconds = _silent_seconds()
    talk(
        f"waiting up to {wait_seconds:g} s for what comes through the pipe; </dev/null says that "
        "there is nothing."
    )
    try:
        return pieces.get(timeout=max(0.0, wait_seconds - FIRST_BYTE_SECONDS))
    except queue.Empty:
        talk(f"nothing came through the pipe for {wait_seconds:g} s; going on without.")
        return b""


def _silent_seconds() -> float:
    said = os.environ.get("QCODE_STDIN_SECONDS", "")
    try:
        return float(said) if said else SILENT_SECONDS
    except ValueError:
        raise InputError(f"QCODE_STDIN_SECONDS is {said!r}. Write seconds, such as 30.") from None


def _rest(piece: bytes, pieces: "queue.Queue[bytes]") -> bytes:
    """What has come and what is still to come, up to `MOST_BYTES`."""
    whole = bytearray()
    wait: float | None = QUIET_SECONDS
    while piece:
        whole += piece
        if len(whole) > MOST_BYTES:
            talk(f"more than {MOST_BYTES // 2**20} MiB came through the pipe; the rest is left.")
            break
        try:
            piece = pieces.get(timeout=wait)
        except queue.Empty:
            talk(f"stdin is still open after {len(whole):,} bytes; waiting for its end.")
            wait = None
            piece = pieces.get()
    return bytes(whole)


def _pump(descriptor: int, pieces: "queue.Queue[bytes]") -> None:
    """Read until the end; an empty piece is the end."""
    piece = b"-"
    while piece:
        try:
            piece = os.read(descriptor, 65_536)
        except OSError:  # the other side is gone: what came is all there is
            piece = b""
        pieces.put(piece)


def _text(data: bytes, what: str) -> str:
    """Text in whatever encoding; too much of it is cut, and that is said."""
    if kind := binary_kind(data):
        raise InputError(
            f"The {what} on stdin is no text but {kind}. Turn it into text first, or save it to a "
            "file and name that in the prompt."
        )
    text = plain(well_formed(decode(data)[0]))
    if len(text) <= DATA_CHARACTERS:
        return text
    half = DATA_CHARACTERS // 2
    left_out = len(text) - 2 * half
    talk(f"the {what} on stdin is long: {left_out:,} characters of its middle are left out.")
    return f"{text[:half]}\n[… {left_out} characters left out …]\n{text[-half:]}"
