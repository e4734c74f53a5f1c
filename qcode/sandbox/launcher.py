"""Raises the fence around one command and runs it. Runs as `python -I -S`, outside of qcode.

qcode hands this file over compiled, and the plan behind it (`namespaces`), so that neither is read
from a place that a command can write. Only `os`, `ctypes`, `struct` and `marshal` are imported: a
start costs what these cost. The plan is data; what is protected is decided in `plan`. The mounts
are in `mounting`, which runs first and in the same names, behind `kernel`.

Three processes: the first is qcode's child and leads its group; it hands on how the shell ended.
The second is the init of the PID namespace: it mounts, reaps, hands on signals, and ends when
nothing else is left. When it is killed the kernel ends everything inside, whatever its session.
"""

# What pathlib and contextlib cost, every command would pay:
# ruff: noqa: SIM105

from __future__ import annotations

import ctypes
import marshal
import os
import struct

TYPE_CHECKING = False  # `typing` is not imported: 5 ms a command
if TYPE_CHECKING:
    from typing import Any, BinaryIO, NoReturn

    from qcode.sandbox.kernel import NEWIPC, NEWNS, NEWPID, checked, join, libc, unshare, write
    from qcode.sandbox.mounting import mount_all, proc_read_only


FAILED = 126
"""Exit code when the fence could not be raised: the command was not run."""

KEYCTL = {"x86_64": 250, "aarch64": 219, "riscv64": 219, "ppc64le": 271, "s390x": 280}
SIGNALS = (1, 2, 3, 15, 17)  # HUP INT QUIT TERM CHLD


def begin(told: BinaryIO, user: int, network: int) -> None:
    """Wait for the plan and run its command; where none comes, end. Never returns.

    `user`, `network`: the namespaces of the session. The command gets a user namespace below that
    one, so that in the network, too, it has no rights to lose.
    """
    try:
        join(user, network)
        plan = marshal.load(told)
    except EOFError:
        os._exit(0)
    except OSError as error:
        _fail(error)
    told.close()
    main(plan)


def main(plan: dict[str, Any]) -> None:
    """Run the command of `plan`; never returns."""
    try:
        os.chdir("/")  # from here on no folder is known by what it was before
        mask = _signals(SIGNALS)
        libc.sigprocmask(0, mask, None)
        unshare(NEWNS | NEWPID | NEWIPC)
        reading, writing = os.pipe()
        if os.fork() == 0:
            os.close(reading)
            _init(plan, writing)
    except OSError as error:
        _fail(error)
    os.close(writing)
    _hand_on(os.read(reading, 4))


def _hand_on(status: bytes) -> None:
    """End as the shell did."""
    if len(status) < 4:
        os._exit(FAILED)
    (code,) = struct.unpack("i", status)
    if os.WIFSIGNALED(code):
        number = os.WTERMSIG(code)
        limit = struct.pack("QQ", 0, 0)
        libc.setrlimit(4, limit)  # RLIMIT_CORE: the shell left one if one was wanted
        libc.signal(number, None)
        libc.sigprocmask(2, _signals(()), None)
        os.kill(os.getpid(), number)
    os._exit(os.WEXITSTATUS(code) if os.WIFEXITED(code) else FAILED)


def _fail(error: OSError) -> NoReturn:
    at = f" at {error.filename}" if error.filename else ""
    text = f"The fence could not be raised ({error.strerror}{at}), so the command was not run.\n"
    os.write(2, text.encode("utf-8", "replace"))
    os._exit(FAILED)


# ------------------------------------------------------------------ inside: the namespace's init


def _init(plan: dict[str, Any], told: int) -> None:
    """Mount, start the shell, reap. Never returns."""
    try:
        mount_all(plan)
        write("/proc/sys/user/max_user_namespaces", "0")
        proc_read_only()
        _give_up_rights()
        libc.prctl(4, 0, 0, 0, 0)  # PR_SET_DUMPABLE: nobody inside looks at its descriptors
        shell = os.fork()
        if shell == 0:
            _command(plan)
    except OSError as error:
        _fail(error)
    null = os.open("/dev/null", os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)
    _reap(shell, told)


def _reap(shell: int, told: int) -> None:
    mask, number = _signals(SIGNALS), ctypes.c_int()
    while True:
        libc.sigwait(mask, ctypes.byref(number))
        if number.value != 17:
            _signal_all(number.value)
            continue
        status = b""
        try:
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                if ended[0] == shell:
                    status = struct.pack("i", ended[1])
        except ChildProcessError:
            _end(told, status)
        if status:
            os.write(told, status)
            os.close(told)


def _end(told: int, status: bytes) -> NoReturn:
    """Nothing is left inside. The group counts as empty from here on: the kernel takes 3 to 10 ms
    for the mounts of the last process, and nobody should wait for that."""
    try:
        os.setpgid(0, 0)
    except OSError:
        pass
    if status:
        os.write(told, status)
    os._exit(0)


def _signal_all(number: int) -> None:
    try:
        os.kill(-1, number)  # everything inside but this process
    except OSError:
        pass  # all are gone, and CHLD says so next


def _command(plan: dict[str, Any]) -> None:
    """Become the command. Never returns."""
    os.setsid()
    for number in (13, 25):  # PIPE, XFSZ: Python ignores them, a command must not
        libc.signal(number, None)
    libc.sigprocmask(2, _signals(()), None)
    if plan["processes"]:
        limit = struct.pack("QQ", plan["processes"], plan["processes"])
        libc.setrlimit(6, limit)  # RLIMIT_NPROC, counted in this user namespace
    words = plan["words"]
    try:
        os.chdir(plan["folder"])
        _filter_calls(plan["filter"])
        os.execve(words[0], words, plan["environment"])
    except OSError as error:
        _fail(error)


def _filter_calls(program: bytes) -> None:
    """From here on the kernel asks `program` (`seccomp`) for every call; it takes no_new_privs."""
    if program:
        code = ctypes.create_string_buffer(program, len(program))
        told = struct.pack("H6xQ", len(program) // 8, ctypes.addressof(code))
        checked(libc.prctl(22, 2, told, 0, 0), "seccomp")


def _give_up_rights() -> None:
    """No capability is left, none comes back by exec, and the keys of the session are others."""
    checked(libc.prctl(38, 1, 0, 0, 0), "no_new_privs")
    right = 0
    while libc.prctl(24, right, 0, 0, 0) == 0:  # PR_CAPBSET_DROP, until there is no such number
        right += 1
    libc.prctl(47, 4, 0, 0, 0)  # PR_CAP_AMBIENT_CLEAR_ALL
    header, none = struct.pack("Ii", 0x20080522, 0), bytes(24)
    checked(libc.capset(header, none), "capset")
    if call := KEYCTL.get(os.uname().machine):
        libc.syscall(ctypes.c_long(call), ctypes.c_long(1), None)  # KEYCTL_JOIN_SESSION_KEYRING


def _signals(numbers: tuple[int, ...]) -> Any:
    bits = sum(1 << (number - 1) for number in numbers)
    return struct.pack("Q120x", bits)
