"""What this machine is: processor, memory, graphics processors. Starts nothing, changes nothing."""

import ctypes
import os
import platform
import sys
from collections.abc import Collection
from pathlib import Path
from typing import Any

from qcode.serve import apple, drm, linux, nvml, windows
from qcode.serve.base import Gpu, Machine


def look() -> Machine:
    """The machine that qcode runs on. Raises nothing: what cannot be found out is left out."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if sys.platform == "darwin":
        return apple.machine(apple.Sysctl(ctypes.CDLL(None)))
    if sys.platform == "win32":
        total, free = windows.memory(ctypes.windll.kernel32)
        gpus = nvml.gpus(nvml.library(), total, visible)
        return Machine("windows", platform.processor(), windows.cores(), total, free, gpus)
    return on_linux(Path("/"), nvml.library(), os.sched_getaffinity(0), visible)


def on_linux(
    root: Path, library: Any, usable: Collection[int], visible: str | None = None
) -> Machine:
    """A Linux machine as the files below `root` tell it, and NVIDIA's library if there is one.

    `usable` = the processors that this process may run on.
    """
    total, free = linux.memory(root)
    of_nvidia = nvml.gpus(library, total, visible)
    if not of_nvidia and linux.is_jetson(root):
        of_nvidia = (Gpu(linux.processor(root), "nvidia", total, None, is_unified=True),)
    others = drm.gpus(root, total)
    if library is not None:  # the driver is there, and what it does not show is not to be used
        others = tuple(one for one in others if one.vendor != "nvidia")
    return Machine(
        system="linux",
        processor=linux.processor(root) or platform.machine(),
        cores=linux.cores(root, usable),
        memory_bytes=total,
        free_bytes=free,
        gpus=(*of_nvidia, *others),
    )
