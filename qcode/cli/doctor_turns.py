"""Whether another qcode of this user is in the middle of a turn: between two of its requests the
server rests, and its cache is what the next one stands on."""

import os
import re
import sys
from contextlib import suppress
from pathlib import Path

_TURN = re.compile(
    rb'^\{"v":\d+,"n":\d+,"at":"[^"]*","type":"Turn(Started|Finished)"', re.MULTILINE
)
_SERVER = re.compile(
    rb'^\{"v":\d+,"n":\d+,"at":"[^"]*","type":"SessionStarted",.*?"server":"([^"\\]*)"',
    re.MULTILINE,
)


def in_turn(sessions: Path, kind: str) -> int:
    """The process that is in a turn with a server of this kind; 0 = none is, as far as one sees.

    Only a look at files: no lock is taken, so that nobody is kept from starting.
    """
    for lock in sessions.glob("*/*.lock"):
        with suppress(OSError, ValueError):  # it ended meanwhile; a lock without a name
            process = int(lock.read_bytes().strip() or b"0")
            if _is_alive(process) and _is_in_turn(lock.with_suffix(".jsonl"), kind):
                return process
    return 0


def _is_in_turn(log: Path, kind: str) -> bool:
    data = log.read_bytes()
    turns, servers = _TURN.findall(data), _SERVER.findall(data)
    if not turns or turns[-1] == b"Finished":
        return False
    told = servers[-1].decode() if servers else ""
    return not told or told.partition(" ")[0] == kind


def _is_alive(process: int) -> bool:
    if process <= 0 or process == os.getpid():
        return False
    if sys.platform == "win32":  # there signal 0 would end it
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # somebody else's
    return True
