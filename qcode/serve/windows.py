"""Memory and cores of a Windows machine. Its graphics processors are NVIDIA's alone (`nvml`)."""

import ctypes
import os
from ctypes import c_uint32, c_ulonglong
from typing import Any


class _Status(ctypes.Structure):
    """MEMORYSTATUSEX of sysinfoapi.h."""

    _fields_ = (
        ("size", c_uint32),
        ("load", c_uint32),
        ("total", c_ulonglong),
        ("free", c_ulonglong),
        ("rest", c_ulonglong * 5),
    )


def memory(kernel: Any) -> tuple[int, int]:
    """Bytes in all and free ones; 0 where kernel32 refuses."""
    status = _Status(size=ctypes.sizeof(_Status))
    if not kernel.GlobalMemoryStatusEx(ctypes.byref(status)):
        return 0, 0
    return status.total, status.free


def cores() -> int:
    """Half of the processors, which mostly are two threads a core; Windows tells it in no word."""
    return max(1, (os.cpu_count() or 2) // 2)
