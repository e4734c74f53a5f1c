"""Runs one command under Landlock. Runs as `launcher` does, behind it and in the same names.

Three processes here as well: the first is qcode's child, leads its group, and hands on signals and
how the shell ended. The second is in a session of its own, so that what ends the group does not
end it: whatever the command starts and leaves is handed to it (PR_SET_CHILD_SUBREAPER), and it ends
all of that when the shell or the first one has ended. The third takes the rules upon itself and
becomes the shell; it can signal neither of the others.
"""

# What pathlib and contextlib cost, every command would pay:
# ruff: noqa: PTH208, SIM105

from __future__ import annotations

import ctypes
import marshal
import os
import struct

TYPE_CHECKING = False  # `typing` is not imported: 5 ms a command
if TYPE_CHECKING:
    from typing import Any, BinaryIO, NoReturn

    from qcode.sandbox.kernel import checked, libc
    from qcode.sandbox.launcher import (
        _command,
        _fail,
        _give_up_rights,
        _hand_on,
        _signals,
    )

HANDED_ON = (1, 2, 3, 15)  # HUP INT QUIT TERM
CHILD = 17
RESTRICT = 446
"""landlock_restrict_self; one number on every architecture."""


def confine(told: BinaryIO, rules: int) -> NoReturn:
    """Wait for the plan and run its command; where none comes, end."""
    try:
        plan = marshal.load(told)
    except EOFError:
        os._exit(0)
    told.close()
    try:
        os.chdir("/")
        libc.sigprocmask(0, _signals((*HANDED_ON, CHILD)), None)
        status, ended = os.pipe()
        control, asked = os.pipe()
        if os.fork() == 0:
            os.close(status)
            os.close(asked)
            _keep(plan, rules, ended, control)
        os.close(ended)
        os.close(control)
        os.close(rules)
        _lead(status, asked)
    except OSError as error:
        _fail(error)


def _lead(status: int, asked: int) -> NoReturn:
    """Hand signals on, until the shell has ended."""
    heard = checked(libc.signalfd(-1, _signals(HANDED_ON), 0), "signals")
    while True:
        ready = _ready(heard, status)
        if status in ready:
            _hand_on(os.read(status, 4))
        number = struct.unpack_from("I", os.read(heard, 128))[0]
        os.write(asked, bytes((number,)))


# ------------------------------------------------------------------ the second


def _keep(plan: dict[str, Any], rules: int, ended: int, control: int) -> NoReturn:
    """Start the shell, and end what it leaves."""
    try:
        os.setsid()
        checked(libc.prctl(36, 1, 0, 0, 0), "subreaper")
        _give_up_rights()
        libc.prctl(4, 0, 0, 0, 0)  # PR_SET_DUMPABLE: nobody looks at its descriptors
        heard = checked(libc.signalfd(-1, _signals((CHILD,)), 0), "signals")
        shell = os.fork()
        if shell == 0:
            for descriptor in (ended, control, heard):
                os.close(descriptor)
            _restrict(rules)
            _command(plan)
    except OSError as error:
        _fail(error)
    os.close(rules)
    null = os.open("/dev/null", os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)
    code = _until_the_end(shell, heard, control)
    _end_all()
    if code is not None:
        os.write(ended, struct.pack("i", code))
    os._exit(0)


def _until_the_end(shell: int, heard: int, control: int) -> int | None:
    """How the shell ended; None = the first process is gone."""
    while True:
        ready = _ready(heard, control)
        if control in ready:
            asked = os.read(control, 64)
            if not asked:
                return None
            for number in asked:
                _signal(number)
        if heard in ready:
            os.read(heard, 128)
            code = _reaped(shell)
            if code is not None:
                return code


def _reaped(shell: int) -> int | None:
    found = None
    while True:
        try:
            number, code = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return found
        if number == 0:
            return found
        if number == shell:
            found = code


def _end_all() -> None:
    """KILL until nobody is left. What a killed one had started is handed to this process."""
    while True:
        _signal(9)
        try:
            os.waitpid(-1, 0)
            _reaped(0)
        except ChildProcessError:
            return


def _signal(number: int) -> None:
    for process in _descendants():
        try:
            os.kill(process, number)
        except OSError:
            pass  # it has ended


def _descendants() -> list[int]:
    below: dict[int, list[int]] = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", "rb") as file:  # noqa: PTH123 - as above
                    parent = int(file.read().rpartition(b")")[2].split()[1])
            except OSError:
                continue
            below.setdefault(parent, []).append(int(name))
    found = list(below.get(os.getpid(), ()))
    for process in found:  # it grows on the way
        found += below.get(process, ())
    return found


# ------------------------------------------------------------------ the third


def _restrict(rules: int) -> None:
    number = ctypes.c_long(RESTRICT)
    checked(libc.syscall(number, ctypes.c_long(rules), ctypes.c_long(0)), "Landlock")
    os.close(rules)


def _ready(*descriptors: int) -> list[int]:
    """Those that can be read; waits for one."""
    asked = ctypes.create_string_buffer(
        b"".join(struct.pack("ihh", it, 1, 0) for it in descriptors), 8 * len(descriptors)
    )
    while libc.poll(asked, ctypes.c_ulong(len(descriptors)), -1) < 0:
        if ctypes.get_errno() != 4:  # EINTR
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), "poll")
    rows = struct.iter_unpack("ihh", asked.raw)
    return [descriptor for descriptor, _, found in rows if found]
