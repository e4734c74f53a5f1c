"""The filter of calls: what the kernel would answer, by a small machine that runs its program."""

import re
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qcode.sandbox.seccomp import (
    ALLOW,
    EAFNOSUPPORT,
    ENOSYS,
    EPERM,
    ERRNO,
    MACHINES,
    program,
    program_without_namespaces,
)

X86 = MACHINES["x86_64"]
Made = Callable[[str], bytes]
NEWUSER, VFORK, SIGCHLD = 0x10000000, 0x4000, 17
EVERY = pytest.mark.parametrize("machine", sorted(MACHINES))
BOTH = pytest.mark.parametrize("made", [program, program_without_namespaces])


def answer(code: bytes, audit: int, number: int, *arguments: int) -> int:
    """What the program returns for a call; it raises when it is not one that the kernel takes."""
    filled = (*arguments, *(0,) * 6)[:6]
    data = struct.pack("=IIQ6Q", number, audit, 0, *filled)
    rows = list(struct.iter_unpack("=HBBI", code))
    taken, at = 0, 0
    while True:
        kind, then, otherwise, value = rows[at]
        at += 1
        match kind:
            case 0x20:
                (taken,) = struct.unpack_from("=I", data, value)
            case 0x54:
                taken &= value
            case 0x15:
                at += then if taken == value else otherwise
            case 0x35:
                at += then if taken >= value else otherwise
            case 0x45:
                at += then if taken & value else otherwise
            case 0x06:
                return int(value)
            case _:
                raise AssertionError(f"no such instruction: {kind:#x}")


def refused(error: int) -> int:
    return ERRNO | error


@EVERY
@BOTH
def test_ordinary_calls_pass_and_the_others_do_not(machine: str, made: Made) -> None:
    code, known = made(machine), MACHINES[machine]
    reading = {"x86_64": 0, "aarch64": 63}[machine]
    assert answer(code, known.audit, reading) == ALLOW
    for name in ("mount", "bpf", "setns", "open_by_handle_at", "kexec_load", "chroot", "reboot"):
        assert answer(code, known.audit, known.numbers[name]) == refused(EPERM), name
    for name in ("clone3", "keyctl", "io_uring_setup", "userfaultfd"):
        assert answer(code, known.audit, known.numbers[name]) == refused(ENOSYS), name


@EVERY
def test_processes_are_made_and_namespaces_are_not(machine: str) -> None:
    code, known = program(machine), MACHINES[machine]
    clone, unshare = known.numbers["clone"], known.numbers["unshare"]
    threads, files = 0x3D0F00, 0x400
    for flags in (SIGCHLD, VFORK | SIGCHLD, threads):
        assert answer(code, known.audit, clone, flags) == ALLOW
    assert answer(code, known.audit, clone, NEWUSER | SIGCHLD) == refused(EPERM)
    assert answer(code, known.audit, unshare, files) == ALLOW
    for kind in (0x80, 0x20000, 0x2000000, 0x4000000, 0x8000000, NEWUSER, 0x20000000, 0x40000000):
        assert answer(code, known.audit, unshare, kind | files) == refused(EPERM)


@EVERY
def test_sockets_are_of_the_families_that_programs_use(machine: str) -> None:
    code, known = program(machine), MACHINES[machine]
    call = known.numbers["socket"]
    for family in (1, 2, 10):
        assert answer(code, known.audit, call, family, 1, 6) == ALLOW
    assert answer(code, known.audit, call, 16, 3, 0) == ALLOW  # routes
    assert answer(code, known.audit, call, 16, 3, 15) == refused(EAFNOSUPPORT)  # devices
    for family in (17, 30, 38, 40):
        assert answer(code, known.audit, call, family, 1) == refused(EAFNOSUPPORT)


@EVERY
def test_without_a_network_of_its_own_only_connected_pairs_are_made(machine: str) -> None:
    code, known = program_without_namespaces(machine), MACHINES[machine]
    for family in (1, 2, 10, 16, 40):
        assert answer(code, known.audit, known.numbers["socket"], family, 1) == refused(EPERM)
    pair, close_on_exec = known.numbers["socketpair"], 0x80000
    for kind in (1, 5):
        assert answer(code, known.audit, pair, 1, kind | close_on_exec) == ALLOW
    assert answer(code, known.audit, pair, 1, 2 | close_on_exec) == refused(EPERM)
    assert answer(code, known.audit, known.numbers["connect"], 3) == refused(EPERM)


@EVERY
def test_what_the_users_programs_share_by_number_is_not_there(machine: str) -> None:
    inside, alone = program(machine), program_without_namespaces(machine)
    known = MACHINES[machine]
    for name in ("shmget", "shmat", "msgget", "msgrcv", "semget", "mq_open"):
        call = known.numbers[name]
        assert answer(inside, known.audit, call, 1) == ALLOW  # there it is the namespace's own
        assert answer(alone, known.audit, call, 1) == refused(ENOSYS)
    limits = known.numbers["prlimit64"]
    assert answer(alone, known.audit, limits, 0, 7) == ALLOW
    assert answer(alone, known.audit, limits, 4711, 7) == refused(EPERM)


@EVERY
def test_a_terminal_is_not_typed_into_whatever_the_upper_half_says(machine: str) -> None:
    code, known = program(machine), MACHINES[machine]
    call = known.numbers["ioctl"]
    assert answer(code, known.audit, call, 0, 0x5401) == ALLOW
    for said in (0x5412, 0x541C, 0xFFFFFFFF00005412):  # the kernel looks at the lower half alone
        assert answer(code, known.audit, call, 0, said) == refused(EPERM)


@EVERY
def test_a_debugger_may_switch_random_addresses_off(machine: str) -> None:
    code, known = program(machine), MACHINES[machine]
    call = known.numbers["personality"]
    for said in (0, 0x40000, 0xFFFFFFFF):
        assert answer(code, known.audit, call, said) == ALLOW
    assert answer(code, known.audit, call, 0x400000) == refused(EPERM)


@given(number=st.integers(0, 2**32 - 1), audit=st.integers(0, 2**32 - 1))
def test_calls_of_another_architecture_are_not_there(number: int, audit: int) -> None:
    for name, known in MACHINES.items():
        if audit != known.audit:
            assert answer(program(name), audit, number) == refused(ENOSYS)


@given(number=st.integers(0, 1000))
def test_a_call_has_no_second_number(number: int) -> None:
    assert answer(program("x86_64"), X86.audit, 0x40000000 | number) == refused(ENOSYS)


@given(
    machine=st.sampled_from(sorted(MACHINES)),
    number=st.integers(0, 2**32 - 1),
    arguments=st.lists(st.integers(0, 2**64 - 1), max_size=6),
)
def test_fewer_sockets_never_allow_more(machine: str, number: int, arguments: list[int]) -> None:
    audit = MACHINES[machine].audit
    if answer(program(machine), audit, number, *arguments) != ALLOW:
        assert answer(program_without_namespaces(machine), audit, number, *arguments) != ALLOW


def test_a_machine_that_is_not_known_has_no_filter() -> None:
    assert program("riscv64") == program_without_namespaces("m68k") == b""


@pytest.mark.parametrize(
    ("machine", "header"),
    [
        ("x86_64", "/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
        ("aarch64", "/usr/include/asm-generic/unistd.h"),
    ],
)
def test_the_numbers_are_those_of_the_kernels_headers(machine: str, header: str) -> None:
    if not Path(header).exists():
        pytest.skip("the kernel's headers are not installed here")
    rows = re.findall(r"^#define __NR_(\w+)\s+(\d+)$", Path(header).read_text(), re.MULTILINE)
    told = {name: int(number) for name, number in rows}
    known = {name: it for name, it in MACHINES[machine].numbers.items() if name in told}
    assert known == {name: told[name] for name in known}
    assert len(known) > 40
