"""SIGTERM and SIGHUP: the session is closed as if the person had left."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Callable
from types import FrameType

NAMES = ("SIGTERM", "SIGHUP")
TERMINATED = 143


def heed(leave: Callable[[signal.Signals], None]) -> None:
    """From here on each of them calls `leave`. Those that our parent has us ignore stay so."""
    if sys.platform == "win32":  # its loops take no handlers
        return
    loop = asyncio.get_running_loop()
    for name in NAMES:
        number = signal.Signals[name]
        if signal.getsignal(number) is not signal.SIG_IGN:
            loop.add_signal_handler(number, leave, number)


def come_back_only_from_suspension(driver: object) -> None:
    """A terminal that is closed sends SIGCONT behind SIGHUP, and Textual would take that for the
    way back from Ctrl+Z: it would start to read a terminal that is gone, and never end. The
    driver's flag is private; without it, all is as Textual has it."""
    if sys.platform == "win32":
        return
    textual = signal.getsignal(signal.SIGCONT)

    def come_back(number: int, frame: FrameType | None) -> None:
        if callable(textual) and getattr(driver, "_must_signal_resume", True):
            textual(number, frame)

    signal.signal(signal.SIGCONT, come_back)


def let_go_of_terminal() -> None:
    """It is gone: what is still written goes nowhere, instead of failing half-way out."""
    with contextlib.suppress(OSError):
        nowhere = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(nowhere, descriptor)
