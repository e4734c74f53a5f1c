"""NVIDIA's graphics processors, asked through the driver's own library. Needs no package.

NVIDIA, NVML API reference: nvmlInit_v2, nvmlDeviceGetMemoryInfo and so on. Parts that share the
system's memory (GB10, Jetson) answer "not supported" when they are asked for memory of their own.
"""

import ctypes
import os
from collections.abc import Iterator, Sequence
from ctypes import byref, c_char, c_char_p, c_uint, c_ulonglong, c_void_p
from typing import Any

from qcode.serve.base import Gpu

NAMES = ("libnvidia-ml.so.1", "/usr/lib/wsl/lib/libnvidia-ml.so.1")
NAMES_WINDOWS = ("nvml.dll", r"C:\Windows\System32\nvml.dll")
_TEXT = 96
_MOST = 64
"""Devices that are asked; a driver that tells more is broken."""


class _Memory(ctypes.Structure):
    _fields_ = (("total", c_ulonglong), ("free", c_ulonglong), ("used", c_ulonglong))


def library(names: Sequence[str] = NAMES_WINDOWS if os.name == "nt" else NAMES) -> Any:
    """The driver's library; None = there is none."""
    for name in names:
        try:
            return ctypes.CDLL(name)
        except OSError:
            continue
    return None


def gpus(nvml: Any, system_bytes: int, visible: str | None = None) -> tuple[Gpu, ...]:
    """Those that programs see; none where the driver does not answer.

    `visible` is the environment's CUDA_VISIBLE_DEVICES, None = all.
    """
    if nvml is None:
        return ()
    try:
        if nvml.nvmlInit_v2() != 0:
            return ()
    except AttributeError:  # a library of that name with other contents
        return ()
    try:
        return tuple(_gpus(nvml, system_bytes, visible))
    except AttributeError:
        return ()
    finally:
        nvml.nvmlShutdown()


def _gpus(nvml: Any, system_bytes: int, visible: str | None) -> Iterator[Gpu]:
    count = c_uint()
    if nvml.nvmlDeviceGetCount_v2(byref(count)) != 0:
        return
    driver = _text(nvml.nvmlSystemGetDriverVersion)
    for number in range(min(count.value, _MOST)):
        device = c_void_p()
        if nvml.nvmlDeviceGetHandleByIndex_v2(c_uint(number), byref(device)) != 0:
            continue
        if _is_visible(number, _text(nvml.nvmlDeviceGetUUID, device), visible):
            yield _gpu(nvml, device, driver, system_bytes)


def _gpu(nvml: Any, device: c_void_p, driver: str, system_bytes: int) -> Gpu:
    name = _text(nvml.nvmlDeviceGetName, device) or "NVIDIA GPU"
    memory = _Memory()
    told = nvml.nvmlDeviceGetMemoryInfo(device, byref(memory)) == 0 and memory.total > 0
    return Gpu(
        name=name,
        vendor="nvidia",
        memory_bytes=memory.total if told else system_bytes,
        free_bytes=memory.free if told else None,
        is_unified=not told,
        driver=driver,
    )


def _text(function: Any, *before: c_void_p) -> str:
    """What a function writes into a buffer; empty where it refuses."""
    buffer = (c_char * _TEXT)()
    if function(*before, ctypes.cast(buffer, c_char_p), c_uint(_TEXT)) != 0:
        return ""
    return buffer.value.decode("ascii", "replace").strip()


def _is_visible(number: int, uuid: str, visible: str | None) -> bool:
    """As CUDA reads it: numbers or beginnings of names; what stands behind a -1 does not count."""
    if visible is None:
        return True
    for word in (word.strip() for word in visible.split(",")):
        if word == "-1":
            return False
        if word == str(number) or (word.startswith("GPU-") and uuid.startswith(word)):
            return True
    return False
