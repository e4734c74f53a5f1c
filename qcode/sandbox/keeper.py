"""Ends what commands have running when qcode itself is killed and cannot do it any more.

A small shell in a session of its own reads from a pipe which process groups run. The pipe ends when
this process does, however it ends; what still runs then is killed. Each command tells its group
itself before it begins, so there is no moment at which it runs unseen. What has left its group
(`setsid`) is not reached: that takes a fence.
"""

import os
import subprocess
from collections.abc import Callable
from contextlib import suppress

from qcode.sandbox.cells import Cell

_KEEPS = """
running=' '
while read -r deed group; do
  case $deed$running in
    +*) running="$running$group " ;;
    -*" $group "*) running="${running%% "$group" *} ${running#* "$group" }" ;;
  esac
done
for group in $running; do kill -s KILL -- "-$group"; done
"""
_TELLS = """trap '' PIPE; { echo "+ $$" >&0; } 2>/dev/null; trap - PIPE; exec "$@" </dev/null"""
_LAST_SECONDS = 1.0
"""How long its end is waited for; it has nothing left to do by then."""


class Keeper:
    """Knows which groups run. Where it cannot be started, commands run without one."""

    def __init__(self) -> None:
        self._shell: subprocess.Popen[bytes] | None = None
        self._pipe = -1
        self._cells: dict[int, Cell] = {}
        self._said: dict[int, str] = {}
        self.cell: Callable[[], Cell | None] = lambda: None
        """Makes a control group for a command; None = there is none."""

    def began(self, group: int, cell: Cell | None) -> None:
        """It runs in this one, which is closed when the group has ended."""
        if cell is not None:
            self._cells[group] = cell

    def said(self, group: int) -> str:
        """What the kernel did about the limits of a group that has ended; told once."""
        return self._said.pop(group, "")

    def around(self, words: tuple[str, ...]) -> tuple[tuple[str, ...], int]:
        """A command that tells its group and then becomes `words`; and what its stdin must be.

        `words` itself gets an empty stdin. The process must be started as a group of its own.
        """
        if self._shell is None or self._shell.poll() is not None:
            self.close()
            with suppress(OSError):  # no process or file to be had: go without
                self._open()
        if self._pipe < 0:
            return words, subprocess.DEVNULL
        return ("/bin/sh", "-c", _TELLS, "sh", *words), self._pipe

    def ended(self, group: int) -> None:
        """A group is empty: its number may belong to others from now on."""
        cell = self._cells.pop(group, None)
        if cell is not None:
            self._said[group] = cell.close()
        if self._pipe >= 0:
            with suppress(OSError):  # somebody ended the shell
                os.write(self._pipe, b"- %d\n" % group)

    def close(self) -> None:
        """Let the shell end; it kills what was not told to have ended."""
        for group in tuple(self._cells):
            self._cells.pop(group).close()
        if self._shell is None:
            return
        os.close(self._pipe)
        with suppress(subprocess.TimeoutExpired):
            self._shell.wait(_LAST_SECONDS)
        self._shell, self._pipe = None, -1

    def _open(self) -> None:
        reading, writing = os.pipe()
        try:
            self._shell = subprocess.Popen(
                ("/bin/sh", "-c", _KEEPS),
                stdin=reading,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd="/",
                start_new_session=True,
            )
        except OSError:
            os.close(writing)
            raise
        finally:
            os.close(reading)
        self._pipe = writing
