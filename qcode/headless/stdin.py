"""What comes through a pipe: the prompt itself, or data beside it. Never waits without an end."""

import os
import queue
import stat
import sys
import threading

from qcode.protocol.errors import InputError
from qcode.protocol.text import plain, well_formed

FIRST_BYTE_SECONDS = 2.0
"""A pipe that stays silent this long beside a prompt holds no data for us: some parents leave
theirs open for ever."""

DATA_CHARACTERS = 200_000
"""More is cut in the middle: it would fill the context of most local models."""


def prompt_and_data(given: str | None) -> tuple[str, str]:
    """(prompt, data) from the command line's prompt and from stdin.

    Stdin alone is the prompt, `-` says so; beside a prompt it is data. Raises InputError when
    there is no prompt in either.
    """
    if given in (None, "-"):
        text = "" if sys.stdin is None or sys.stdin.isatty() else _read(wait=None)
        if not text.strip():
            raise InputError("There is no prompt. Say it: qcode -p 'fix the failing test'.")
        return text.strip(), ""
    assert given is not None
    if not given.strip():
        raise InputError("The prompt is empty. Say what to do: qcode -p 'fix the failing test'.")
    return well_formed(given), _data()


def _data() -> str:
    if sys.stdin is None or sys.stdin.closed or not _holds_data():
        return ""
    return _read(wait=FIRST_BYTE_SECONDS)


def _holds_data() -> bool:
    """A pipe, a socket or a file; not a terminal, not /dev/null."""
    try:
        mode = os.fstat(sys.stdin.fileno()).st_mode
    except (OSError, ValueError):  # closed, or replaced by something without a descriptor
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISREG(mode) or stat.S_ISSOCK(mode)


def _read(wait: float | None) -> str:
    """All of stdin; nothing when its first byte takes longer than `wait` seconds."""
    pieces: queue.Queue[bytes] = queue.Queue()
    # A thread, because a pipe cannot be polled on Windows. It may outlive us: it is a daemon.
    threading.Thread(target=_pump, args=(sys.stdin.fileno(), pieces), daemon=True).start()
    try:
        piece = pieces.get(timeout=wait)
    except queue.Empty:
        sys.stderr.write(
            f"qcode: nothing came through the pipe for {wait:g} s; going on without it.\n"
        )
        return ""
    whole = bytearray()
    while piece:
        whole += piece
        piece = pieces.get()
    return _cut(plain(whole.decode("utf-8", "replace")))


def _pump(descriptor: int, pieces: "queue.Queue[bytes]") -> None:
    """Read until the end; an empty piece is the end."""
    while True:
        try:
            piece = os.read(descriptor, 65_536)
        except OSError:  # the other side is gone: what came is all there is
            piece = b""
        pieces.put(piece)
        if not piece:
            return


def _cut(text: str) -> str:
    if len(text) <= DATA_CHARACTERS:
        return text
    half = DATA_CHARACTERS // 2
    left_out = len(text) - 2 * half
    return f"{text[:half]}\n[… {left_out} characters left out …]\n{text[-half:]}"
