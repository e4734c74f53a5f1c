"""Apple's machines, asked through `sysctl`. On a Mac with an Intel processor no GPU is of use."""

import ctypes
from ctypes import byref, c_size_t
from typing import Any

from qcode.serve.base import Gpu, Machine

_MIB = 1 << 20
_SMALL_BYTES = 36 << 30
_MOST_BYTES = 4096


class Sysctl:
    """Values by name, from the C library that is given."""

    def __init__(self, library: Any) -> None:
        self._library = library

    def _bytes(self, name: str) -> bytes:
        size = c_size_t(_MOST_BYTES)
        buffer = ctypes.create_string_buffer(_MOST_BYTES)
        called = self._library.sysctlbyname
        if called(name.encode(), buffer, byref(size), None, c_size_t(0)) != 0:
            return b""
        return buffer.raw[: size.value]

    def number(self, name: str) -> int:
        """0 where there is none."""
        return int.from_bytes(self._bytes(name)[:8], "little")

    def text(self, name: str) -> str:
        """Empty where there is none."""
        return self._bytes(name).split(b"\0")[0].decode("utf-8", "replace").strip()


def machine(sysctl: Sysctl) -> Machine:
    """The whole machine."""
    memory = sysctl.number("hw.memsize")
    # a share in percent, as `memory_pressure` tells it
    free = memory * min(100, sysctl.number("kern.memorystatus_level")) // 100
    name = sysctl.text("machdep.cpu.brand_string")
    fast = sysctl.number("hw.perflevel0.physicalcpu")
    gpus = (_gpu(sysctl, name, memory),) if sysctl.number("hw.optional.arm64") == 1 else ()
    return Machine(
        system="macos",
        processor=name,
        cores=fast or sysctl.number("hw.physicalcpu") or 1,
        memory_bytes=memory,
        free_bytes=free or memory,
        gpus=gpus,
    )


def _gpu(sysctl: Sysctl, name: str, memory: int) -> Gpu:
    """With what it may take for its work.

    Unless a person has set `iogpu.wired_limit_mb`, Metal's recommendedMaxWorkingSetSize is two
    thirds of the memory, on larger machines three quarters: 10.7 of 16 GB, 48 of 64 (llama.cpp's
    log, as reported for such machines).
    """
    limit = sysctl.number("iogpu.wired_limit_mb") * _MIB
    usual = memory * 2 // 3 if memory <= _SMALL_BYTES else memory * 3 // 4
    return Gpu(name, "apple", min(limit or usual, memory), None, is_unified=True)
