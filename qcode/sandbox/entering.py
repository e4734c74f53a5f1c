"""Enters the session's network and becomes another program. Runs as `python -I -S`, outside of
qcode, behind `kernel` and in its names; for bubblewrap, which cannot enter one itself."""

from __future__ import annotations

import marshal
import os

TYPE_CHECKING = False  # `typing` is not imported: 5 ms
if TYPE_CHECKING:
    from typing import BinaryIO

    from qcode.sandbox.kernel import join


def enter(told: BinaryIO, user: int, network: int, filtered: int) -> None:
    """Become bwrap. Never returns.

    `filtered`: the descriptor with its filter of calls; below 0 = there is none.
    """
    try:
        join(user, network)
        said, words = marshal.load(told)
        told.close()
        if said:  # not among its words: there everybody could read it
            words[1:1] = ["--args", str(_kept(said))]
        if filtered >= 0:
            words[1:1] = ["--seccomp", str(filtered)]
        os.execve(words[0], words, {})
    except OSError as error:
        text = f"The fence could not be raised ({error.strerror}), so the command was not run.\n"
        os.write(2, text.encode("utf-8", "replace"))
        os._exit(126)


def _kept(said: bytes) -> int:
    """In a file that only bwrap has. Raises OSError."""
    descriptor = os.memfd_create("arguments", 0)  # 0: inherited
    with open(descriptor, "wb", closefd=False) as file:
        file.write(said)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor
