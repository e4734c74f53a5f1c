"""SIGINT, SIGTERM and SIGHUP: the turn is cancelled and ends tidily, the session can go on.

A signal that our parent had us ignore (`nohup`, `&` in a script) stays ignored.
"""

import signal
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from qcode.headless.exits import ExitCode

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

BY_NAME = {
    "SIGINT": ExitCode.INTERRUPTED,
    "SIGTERM": ExitCode.TERMINATED,
    "SIGHUP": ExitCode.TERMINATED,  # the terminal was closed; Windows has none
}


def ends_before_a_turn() -> None:
    """Until `Caught` takes over, SIGTERM and SIGHUP raise SystemExit, so that what was begun is
    put back; SIGINT raises KeyboardInterrupt anyway."""
    for number in _heeded():
        if number is not signal.SIGINT:
            signal.signal(number, _leave)


def enough() -> None:
    """A process that was interrupted is about to end: one more Ctrl+C must not cost its code."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _leave(number: int, frame: Any) -> None:
    raise SystemExit(int(BY_NAME[signal.Signals(number).name]))


def _loop() -> "AbstractEventLoop":
    import asyncio  # noqa: PLC0415 - 50 ms, which nothing before a turn needs

    return asyncio.get_running_loop()


def _heeded() -> list[signal.Signals]:
    known = [getattr(signal, name) for name in BY_NAME if hasattr(signal, name)]
    return [number for number in known if signal.getsignal(number) is not signal.SIG_IGN]


class Caught:
    """While it is entered, a signal calls `cancel`; `code` says which came first."""

    def __init__(self, cancel: Callable[[], None] | None = None) -> None:
        self.code: ExitCode | None = None
        self.cancel = cancel
        """None = there is nothing to be cancelled yet."""
        self._before = {number: signal.getsignal(number) for number in _heeded()}

    def __enter__(self) -> "Caught":
        if sys.platform != "win32":  # its loops take no handlers: Ctrl+C is KeyboardInterrupt
            loop = _loop()
            for number in self._before:
                loop.add_signal_handler(number, self._take, number)
        return self

    def __exit__(self, *_: object) -> None:
        if sys.platform != "win32":
            loop = _loop()
            for number, handler in self._before.items():
                loop.remove_signal_handler(number)
                # The loop would leave the system's own, by which there is no exit code. For Ctrl+C
                # not that of `asyncio.run` either: it cancels the task, and one that is blocked
                # in a write, because nobody takes the answer, does not notice.
                interrupts = number is signal.SIGINT
                signal.signal(number, signal.default_int_handler if interrupts else handler)

    def _take(self, number: signal.Signals) -> None:
        self.code = self.code or BY_NAME[number.name]
        if self.cancel is not None:
            self.cancel()
