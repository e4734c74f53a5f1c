"""Raises the fence around one command and runs it. Runs as `python -I -S`, outside of qcode.

qcode hands this file over compiled, and the plan behind it (`namespaces`), so that neither is read
from a place that a command can write. Only `os`, `ctypes`, `struct` and `marshal` are imported: a
start costs what these cost. The plan is data; what is protected is decided in `plan`.

Three processes: the first is qcode's child and leads its group; it hands on how the shell ended.
The second is the init of the PID namespace: it mounts, reaps, hands on signals, and ends when
nothing else is left. When it is killed the kernel ends everything inside, whatever its session.
"""

# What pathlib and contextlib cost, every command would pay:
# ruff: noqa: PTH102, PTH103, PTH110, PTH211, SIM105

from __future__ import annotations

import ctypes
import marshal
import os
import struct

TYPE_CHECKING = False  # `typing` is not imported: 5 ms a command
if TYPE_CHECKING:
    from typing import Any, BinaryIO

libc = ctypes.CDLL(None, use_errno=True)

FAILED = 126
"""Exit code when the fence could not be raised: the command was not run."""

NEWNS, NEWIPC, NEWUSER, NEWPID, NEWNET = 0x20000, 0x8000000, 0x10000000, 0x20000000, 0x40000000
RDONLY, NOSUID, NODEV, NOEXEC, BIND, REC, PRIVATE = 1, 2, 4, 8, 4096, 16384, 1 << 18
OPEN_TREE, MOVE_MOUNT, MOUNT_SETATTR = 428, 429, 442  # one number on every architecture
HERE = -100  # AT_FDCWD
EMPTY, RECURSIVE, CLOSE = 0x1000, 0x8000, os.O_CLOEXEC if hasattr(os, "O_CLOEXEC") else 0
KEYCTL = {"x86_64": 250, "aarch64": 219, "riscv64": 219, "ppc64le": 271, "s390x": 280}
SIGNALS = (1, 2, 3, 15, 17)  # HUP INT QUIT TERM CHLD
DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
PROC_READ = ("sys", "sysrq-trigger", "irq", "bus", "fs", "acpi", "scsi")
"""Below /proc; what root may write there by its number alone changes the whole system."""


def begin(told: BinaryIO) -> None:
    """Wait for the plan and run its command; where none comes, end. Never returns."""
    try:
        plan = marshal.load(told)
    except EOFError:
        os._exit(0)
    told.close()
    main(plan)


def main(plan: dict[str, Any]) -> None:
    """Run the command of `plan`; never returns."""
    try:
        os.chdir("/")  # from here on no folder is known by what it was before
        mask = _signals(SIGNALS)
        libc.sigprocmask(0, mask, None)
        _unshare()
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


def _fail(error: OSError) -> None:
    at = f" at {error.filename}" if error.filename else ""
    text = f"The fence could not be raised ({error.strerror}{at}), so the command was not run.\n"
    os.write(2, text.encode("utf-8", "replace"))
    os._exit(FAILED)


def _unshare() -> None:
    user, group = os.getuid(), os.getgid()
    _checked(libc.unshare(NEWUSER | NEWNS | NEWPID | NEWNET | NEWIPC), "namespaces")
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{user} {user} 1"),
        ("gid_map", f"{group} {group} 1"),
    ):
        _write(f"/proc/self/{name}", text)


# ------------------------------------------------------------------ inside: the namespace's init


def _init(plan: dict[str, Any], told: int) -> None:
    """Mount, start the shell, reap. Never returns."""
    try:
        _mounts(plan)
        _loopback_up()
        _write("/proc/sys/user/max_user_namespaces", "0")
        _proc_read_only()
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
        try:
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                if ended[0] == shell:
                    os.write(told, struct.pack("i", ended[1]))
                    os.close(told)
        except ChildProcessError:
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
        os.execve(words[0], words, plan["environment"])
    except OSError as error:
        _fail(error)


def _give_up_rights() -> None:
    """No capability is left, none comes back by exec, and the keys of the session are others."""
    _checked(libc.prctl(38, 1, 0, 0, 0), "no_new_privs")
    right = 0
    while libc.prctl(24, right, 0, 0, 0) == 0:  # PR_CAPBSET_DROP, until there is no such number
        right += 1
    libc.prctl(47, 4, 0, 0, 0)  # PR_CAP_AMBIENT_CLEAR_ALL
    header, none = struct.pack("Ii", 0x20080522, 0), bytes(24)
    _checked(libc.capset(header, none), "capset")
    if call := KEYCTL.get(os.uname().machine):
        libc.syscall(ctypes.c_long(call), ctypes.c_long(1), None)  # KEYCTL_JOIN_SESSION_KEYRING


def _loopback_up() -> None:
    wire = libc.socket(2, 2 | CLOSE, 0)
    _checked(wire, "loopback")
    _checked(libc.ioctl(wire, 0x8914, struct.pack("16sH22x", b"lo", 0x1 | 0x40)), "loopback")
    os.close(wire)


# ------------------------------------------------------------------------------- inside: mounts


def _mounts(plan: dict[str, Any]) -> None:
    """Everything read-only, then what `plan["places"]` says, in its order."""
    _mount(None, "/", None, REC | PRIVATE)
    taken = {}
    for kind, path, source in plan["places"]:
        if kind in ("write", "show", "tmp"):
            taken[path] = _take(source or path)
    devices = [(name, os.open(f"/dev/{name}", os.O_PATH)) for name in DEVICES if _is(name)]
    _all_read_only()
    _devices(devices)
    hollow = []
    for kind, path, _ in plan["places"]:
        if kind == "hollow":
            _make(path)
            _tmpfs(path, "mode=755")
            hollow.append(path)
        else:
            _place(kind, path, taken.get(path, -1))
    for path in ("/dev", *hollow):
        _remount_read_only(path)
    _mount("proc", "/proc", "proc", NOSUID | NODEV | NOEXEC)


def _place(kind: str, path: str, taken: int) -> None:
    if kind in ("write", "show", "tmp"):
        _make(path)
        if kind == "show":
            _read_only(taken)
        _put(taken, path)
    elif kind == "pin":
        _put(_take(path), path)
    elif kind == "fresh":
        _make(path)
        _tmpfs(path, "mode=700")
    elif kind == "read":
        tree = _take(path)
        _read_only(tree)
        _put(tree, path)
    elif kind == "hide":
        try:
            at = _locate(path)
        except FileNotFoundError:  # a socket that was given up meanwhile
            return
        folder = _is_folder(at)
        os.close(at)
        tree = _take("/dev/.empty/folder" if folder else "/dev/.empty/file")
        _read_only(tree)
        _put(tree, path)


def _devices(kept: list[tuple[str, int]]) -> None:
    """A /dev of its own: no disk, no terminal of another session."""
    _tmpfs("/dev", "mode=755")
    for name, source in kept:
        os.close(os.open(f"/dev/{name}", os.O_CREAT | os.O_WRONLY, 0o644))
        _mount(f"/proc/self/fd/{source}", f"/dev/{name}", None, BIND)
        os.close(source)
    for name, target in (
        ("fd", "/proc/self/fd"),
        ("stdin", "/proc/self/fd/0"),
        ("stdout", "/proc/self/fd/1"),
        ("stderr", "/proc/self/fd/2"),
        ("ptmx", "pts/ptmx"),
    ):
        os.symlink(target, f"/dev/{name}")
    for name in ("pts", "shm", ".empty", ".empty/folder"):
        os.mkdir(f"/dev/{name}", 0o755)
    os.close(os.open("/dev/.empty/file", os.O_CREAT | os.O_WRONLY, 0o444))
    _mount("devpts", "/dev/pts", "devpts", NOSUID | NOEXEC, "newinstance,ptmxmode=0666,mode=620")
    _tmpfs("/dev/shm", "mode=1777")


def _proc_read_only() -> None:
    for name in PROC_READ:
        path = f"/proc/{name}"
        if os.path.lexists(path):
            tree = _take(path)
            _read_only(tree)
            _put(tree, path)


def _take(path: str) -> int:
    """`path` with all that is mounted below it, as it is now, for a place of its own."""
    at = _locate(path)
    tree = _call(OPEN_TREE, at, b"", 1 | EMPTY | RECURSIVE | CLOSE)
    os.close(at)
    return _checked(tree, path)


def _put(tree: int, path: str) -> None:
    at = _locate(path)
    done = _call(MOVE_MOUNT, tree, b"", at, b"", 0x4 | 0x40)  # both ends are descriptors
    os.close(at)
    os.close(tree)
    _checked(done, path)


def _read_only(tree: int) -> None:
    attributes = struct.pack("QQQQ", 1, 0, 0, 0)
    _checked(_call(MOUNT_SETATTR, tree, b"", EMPTY | RECURSIVE, attributes, 32), "read-only")


def _all_read_only() -> None:
    attributes = struct.pack("QQQQ", RDONLY | NOSUID, 0, 0, 0)
    _checked(_call(MOUNT_SETATTR, HERE, b"/", RECURSIVE, attributes, 32), "/")


def _remount_read_only(path: str) -> None:
    attributes = struct.pack("QQQQ", RDONLY, 0, 0, 0)
    _checked(_call(MOUNT_SETATTR, HERE, os.fsencode(path), 0, attributes, 32), path)


def _locate(path: str) -> int:
    """The file of exactly this name: no link on the way is followed, the last one is it itself."""
    at = os.open("/", os.O_PATH)
    for name in path.split("/"):
        if name:
            below = os.open(name, os.O_PATH | os.O_NOFOLLOW, dir_fd=at)
            os.close(at)
            at = below
    return at


def _make(path: str) -> None:
    """A place for a mount, where what covers its surroundings has none."""
    if not os.path.lexists(path):
        os.makedirs(path, 0o755)


def _is_folder(descriptor: int) -> bool:
    return os.fstat(descriptor).st_mode & 0o170000 == 0o040000


def _is(device: str) -> bool:
    return os.path.exists(f"/dev/{device}")


def _tmpfs(path: str, options: str) -> None:
    _mount("tmpfs", path, "tmpfs", NOSUID | NODEV, options)


# -------------------------------------------------------------------------------- calls to libc


def _mount(source: str | None, path: str, kind: str | None, flags: int, options: str = "") -> None:
    words = [None if word is None else os.fsencode(word) for word in (source, path, kind)]
    done = libc.mount(words[0], words[1], words[2], ctypes.c_ulong(flags), options.encode() or None)
    _checked(done, path)


def _call(number: int, *arguments: Any) -> int:
    long = [ctypes.c_long(it) if isinstance(it, int) else it for it in arguments]
    return int(libc.syscall(ctypes.c_long(number), *long))


def _checked(result: int, what: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), what)
    return result


def _signals(numbers: tuple[int, ...]) -> Any:
    bits = sum(1 << (number - 1) for number in numbers)
    return struct.pack("Q120x", bits)


def _write(path: str, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY)
    os.write(descriptor, text.encode())
    os.close(descriptor)
