"""Reads and writes of the prompt's own files, one after another in a thread of their own."""

import hashlib
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


class Scribe:
    """Keeps the order of what it is given; the thread starts with the first of it."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="prompt-files")

    def do(self, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> "Future[R]":
        """Never blocks. A failure is the future's: a full disk must not end the prompt."""
        return self._thread.submit(work, *args, **kwargs)

    def close(self) -> None:
        """Waits for what is still to be written."""
        self._thread.shutdown(wait=True)


def project_key(folder: Path) -> str:
    """A file name for a project: readable, and one for each path. Looks at no file, so links in
    `folder` are to be resolved before."""
    digest = hashlib.sha256(str(folder).encode("utf-8", "surrogateescape")).hexdigest()[:12]
    name = "".join(sign if sign.isalnum() or sign in "-_" else "-" for sign in folder.name)
    return f"{name[:40]}-{digest}"
