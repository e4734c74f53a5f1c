"""Lines of stdin and signals, for an event loop that must not wait for either."""

import asyncio
import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator

SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")

READ_BYTES = 65_536


def read_lines(descriptor: int, heard: Callable[[str | None], None]) -> None:
    """Call `heard` in the running loop with each line, and with None at the end of the input.

    By descriptor, in a daemon thread: one that waits in `sys.stdin` would hold its lock at exit.
    """
    loop = asyncio.get_running_loop()

    def tell(line: str | None) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended
            loop.call_soon_threadsafe(heard, line)

    def work() -> None:
        for line in _lines(descriptor):
            tell(line)
        tell(None)

    threading.Thread(target=work, name="stdin", daemon=True).start()


def _lines(descriptor: int) -> Iterator[str]:
    left = b""
    while data := _read(descriptor):
        *whole, left = (left + data).split(b"\n")
        for line in whole:
            yield line.decode("utf-8", "replace").removesuffix("\r")
    if left:
        yield left.decode("utf-8", "replace")


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, READ_BYTES)
    except OSError:  # the terminal was closed
        return b""


@contextlib.contextmanager
def heeded(take: Callable[[signal.Signals], None]) -> Iterator[None]:
    """Signals go to `take`, in the loop. Those that our parent has us ignore stay ignored."""
    loop = asyncio.get_running_loop()
    known = [signal.Signals[name] for name in SIGNALS if hasattr(signal, name)]
    before = {one: signal.getsignal(one) for one in known}
    heard = [one for one in known if before[one] is not signal.SIG_IGN]
    for one in heard:
        if sys.platform == "win32":  # its loops take no handlers
            signal.signal(one, lambda number, frame: _from_thread(loop, take, number))
        else:
            loop.add_signal_handler(one, take, one)
    try:
        yield
    finally:
        for one in heard:
            if sys.platform != "win32":
                loop.remove_signal_handler(one)
            signal.signal(one, before[one])


def _from_thread(
    loop: asyncio.AbstractEventLoop, take: Callable[[signal.Signals], None], number: int
) -> None:
    loop.call_soon_threadsafe(take, signal.Signals(number))
