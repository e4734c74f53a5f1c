"""The calls to the kernel that a command does not need, and that ways out have been built from.

A classic BPF program as bytes (seccomp(2)): the fence hands it over with its plan, and the kernel
asks it for every call. Numbers are those of Linux's tables for the machine; where they are not
known here (`program`), there is no filter, and the promises that rest on it do not hold.

What answers ENOSYS is missing for the program, which then takes the older way; EPERM is a no.
"""

import struct
from collections.abc import Iterable, Mapping

import msgspec

EPERM, ENOSYS, EAFNOSUPPORT = 1, 38, 97
ALLOW, ERRNO = 0x7FFF0000, 0x00050000

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _AND, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x54, 0x06
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16
"""Offsets into `struct seccomp_data`; arguments are 8 bytes each, the low half first."""

UNIX, INET, INET6, NETLINK = 1, 2, 10, 16
_NAMESPACES = 0x7E020080
"""Flags of clone and unshare: time, mount, cgroup, UTS, IPC, user, PID and network namespaces."""
_TERMINAL = (0x5412, 0x541C)
"""TIOCSTI and TIOCLINUX: to type for the person."""
_PERSONALITIES = (0, 0x8, 0x20000, 0x20008, 0x40000, 0xFFFFFFFF)
"""Of 64 and 32 bit, as of Linux 2.6, without random addresses (debuggers), and the question."""
_DATAGRAM = 2

Code = tuple[int, int, int, int]


class Machine(msgspec.Struct, frozen=True):
    """What differs between architectures."""

    audit: int
    """AUDIT_ARCH of it."""
    numbers: Mapping[str, int]


_REFUSED = (
    # other people's keys, programs in the kernel, counters of the machine
    *("bpf", "perf_event_open", "syslog", "lookup_dcookie"),
    # mounts, old and new
    *("mount", "umount2", "pivot_root", "chroot", "open_tree", "move_mount", "fsopen", "fsconfig"),
    *("fsmount", "fspick", "mount_setattr", "open_tree_attr", "setns", "open_by_handle_at"),
    # the machine itself
    *("kexec_load", "kexec_file_load", "init_module", "finit_module", "delete_module", "reboot"),
    *("swapon", "swapoff", "acct", "quotactl", "quotactl_fd", "sethostname", "setdomainname"),
    *("settimeofday", "clock_settime", "iopl", "ioperm", "vhangup"),
)
_MISSING = (
    # clone3 takes its flags from memory, where no filter sees them; the C library then takes clone
    *("clone3", "userfaultfd", "add_key", "request_key", "keyctl"),
    *("io_uring_setup", "io_uring_enter", "io_uring_register"),  # calls that no filter sees
)

_NEW = {  # one number on every architecture
    "io_uring_setup": 425, "io_uring_enter": 426, "io_uring_register": 427, "open_tree": 428,
    "move_mount": 429, "fsopen": 430, "fsconfig": 431, "fsmount": 432, "fspick": 433,
    "clone3": 435, "mount_setattr": 442, "quotactl_fd": 443, "open_tree_attr": 467,
}  # fmt: skip
MACHINES: Mapping[str, Machine] = {
    "x86_64": Machine(0xC000003E, _NEW | {
        "ioctl": 16, "shmget": 29, "shmat": 30, "shmctl": 31, "semget": 64, "semop": 65,
        "semctl": 66, "msgget": 68, "msgsnd": 69, "msgrcv": 70, "msgctl": 71, "semtimedop": 220,
        "mq_open": 240, "mq_unlink": 241, "prlimit64": 302, "socket": 41,
        "connect": 42, "bind": 49, "listen": 50, "socketpair": 53,
        "clone": 56, "syslog": 103, "personality": 135, "vhangup": 153, "pivot_root": 155,
        "chroot": 161, "acct": 163, "settimeofday": 164, "mount": 165, "umount2": 166,
        "swapon": 167, "swapoff": 168, "reboot": 169, "sethostname": 170, "setdomainname": 171,
        "iopl": 172, "ioperm": 173, "init_module": 175, "delete_module": 176, "quotactl": 179,
        "lookup_dcookie": 212, "clock_settime": 227, "kexec_load": 246, "add_key": 248,
        "request_key": 249, "keyctl": 250, "unshare": 272, "perf_event_open": 298,
        "open_by_handle_at": 304, "setns": 308, "finit_module": 313, "kexec_file_load": 320,
        "bpf": 321, "userfaultfd": 323,
    }),
    "aarch64": Machine(0xC00000B7, _NEW | {
        "mq_open": 180, "mq_unlink": 181, "msgget": 186, "msgctl": 187, "msgrcv": 188,
        "msgsnd": 189, "semget": 190, "semctl": 191, "semtimedop": 192, "semop": 193,
        "shmget": 194, "shmctl": 195, "shmat": 196, "prlimit64": 261, "lookup_dcookie": 18,
        "ioctl": 29, "umount2": 39, "mount": 40, "pivot_root": 41,
        "chroot": 51, "vhangup": 58, "quotactl": 60, "acct": 89, "personality": 92, "unshare": 97,
        "kexec_load": 104, "init_module": 105, "delete_module": 106, "clock_settime": 112,
        "syslog": 116, "reboot": 142, "sethostname": 161, "setdomainname": 162,
        "settimeofday": 170, "socket": 198, "socketpair": 199, "bind": 200, "listen": 201,
        "connect": 203, "add_key": 217, "request_key": 218, "keyctl": 219, "clone": 220,
        "swapon": 224, "swapoff": 225, "perf_event_open": 241, "open_by_handle_at": 265,
        "setns": 268, "finit_module": 273, "bpf": 280, "userfaultfd": 282,
        "kexec_file_load": 294,
    }),
}  # fmt: skip
"""include/uapi: arch/x86/entry/syscalls/syscall_64.tbl, include/uapi/asm-generic/unistd.h."""
X32 = 0x40000000
"""Bit in the numbers of x86_64's other table, which names the same calls differently."""


def program(machine: str) -> bytes:
    """Behind namespaces: sockets of the own network stay. Empty = `machine` is not known here."""
    return _assembled(machine, _FAMILIES)


def program_without_namespaces(machine: str) -> bytes:
    """Where none closes the network: pairs of connected sockets are all there is.

    No pair of datagrams: either end could be turned to a socket that lies in a folder. Memory and
    queues that programs share by number are the user's, so there are none; and limits are set for
    no other process.
    """
    return _assembled(machine, _ALONE)


Rules = Iterable[tuple[str, list[Code]]]
"""Name of a call -> what is done about it; each ends with a return."""


def _assembled(name: str, sockets: Rules) -> bytes:
    machine = MACHINES.get(name)
    if machine is None:
        return b""
    codes = [*_only_this(machine), (_LOAD, 0, 0, _NUMBER)]
    if name == "x86_64":
        codes += [(_AT_LEAST, 0, 1, X32), _no(ENOSYS)]
    for call, body in (*_NEVER, *sockets, *_BY_ARGUMENT):
        if call in machine.numbers:
            codes += [(_EQUAL, 0, len(body), machine.numbers[call]), *body]
    return b"".join(struct.pack("=HBBI", *code) for code in (*codes, _RETURNED))


def _only_this(machine: Machine) -> list[Code]:
    """Programs for another architecture have numbers of their own: all of them are refused."""
    return [(_LOAD, 0, 0, _ARCHITECTURE), (_EQUAL, 1, 0, machine.audit), _no(ENOSYS)]


def _no(error: int) -> Code:
    return (_RETURN, 0, 0, ERRNO | error)


def _argument(at: int) -> Code:
    return (_LOAD, 0, 0, _ARGUMENTS + 8 * at)


def _one_of(values: Iterable[int], found: Code, otherwise: Code) -> list[Code]:
    """On what is loaded."""
    tests = [code for value in values for code in ((_EQUAL, 0, 1, value), found)]
    return [*tests, otherwise]


_RETURNED: Code = (_RETURN, 0, 0, ALLOW)
_NO_NAMESPACES = [_argument(0), (_ANY_BIT, 0, 1, _NAMESPACES), _no(EPERM), _RETURNED]
_NEVER: Rules = (
    *((call, [_no(EPERM)]) for call in _REFUSED),
    *((call, [_no(ENOSYS)]) for call in _MISSING),
)
_BY_ARGUMENT: Rules = (
    ("clone", _NO_NAMESPACES),
    ("unshare", _NO_NAMESPACES),
    ("ioctl", [_argument(1), *_one_of(_TERMINAL, _no(EPERM), _RETURNED)]),
    ("personality", [_argument(0), *_one_of(_PERSONALITIES, _RETURNED, _no(EPERM))]),
)
_ROUTES = [_argument(2), (_EQUAL, 0, 1, 0), _RETURNED, _no(EAFNOSUPPORT)]
"""Of netlink: addresses and routes, which name look-ups read."""
_FAMILIES: Rules = (
    (
        "socket",
        [
            _argument(0),
            *_one_of((UNIX, INET, INET6), _RETURNED, (_EQUAL, 0, len(_ROUTES), NETLINK)),
            *_ROUTES,
            _no(EAFNOSUPPORT),
        ],
    ),
)
_SHARED = (
    *("shmget", "shmat", "shmctl", "semget", "semop", "semctl", "semtimedop"),
    *("msgget", "msgsnd", "msgrcv", "msgctl", "mq_open", "mq_unlink"),
)
_ALONE: Rules = (
    *((call, [_no(ENOSYS)]) for call in _SHARED),
    ("prlimit64", [_argument(0), *_one_of((0,), _RETURNED, _no(EPERM))]),
    *((call, [_no(EPERM)]) for call in ("socket", "connect", "bind", "listen")),
    (
        "socketpair",
        [_argument(1), (_AND, 0, 0, 0xF), *_one_of((_DATAGRAM,), _no(EPERM), _RETURNED)],
    ),
)
