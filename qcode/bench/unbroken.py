"""What is made must be known before it can be left behind: signals wait for as long as that takes.

Python raises KeyboardInterrupt between any two of its steps, so also between a folder that was made
and the name that it is given here.
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_ENDING = ("SIGINT", "SIGTERM", "SIGHUP")


@contextmanager
def unbroken() -> Iterator[None]:
    """Whoever ends the process is heard behind it. Only the main thread hears signals at all."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[tuple[int, FrameType | None]] = []
    known = [getattr(signal, name) for name in _ENDING if hasattr(signal, name)]
    before = {number: signal.getsignal(number) for number in known}
    heard = {number: handler for number, handler in before.items() if callable(handler)}
    for number in heard:
        signal.signal(number, lambda number, frame: came.append((number, frame)))
    try:
        yield
    finally:
        for number, handler in heard.items():
            signal.signal(number, handler)
        for number, frame in came[:1]:
            heard[signal.Signals(number)](number, frame)
