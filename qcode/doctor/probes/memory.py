"""What the graphics driver tells of its memory, on this machine. Nothing is installed for it:
NVIDIA's own library where the driver brought it, AMD's files of the kernel."""

import ctypes
import sys
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

DRM = Path("/sys/class/drm")
NVML = "nvml.dll" if sys.platform == "win32" else "libnvidia-ml.so.1"
_NAME_BYTES = 96


class Card(msgspec.Struct, frozen=True):
    """One graphics processor."""

    name: str
    total_bytes: int
    used_bytes: int
    shared_bytes: int = 0
    """Of the system's memory that it works in beside its own (AMD); 0 where that is not told."""

    @property
    def is_full(self) -> bool:
        """Whether the next layer would not fit."""
        return self.total_bytes - self.used_bytes < max(self.total_bytes // 50, 200 << 20)


class _Memory(ctypes.Structure):
    _fields_ = (
        ("total", ctypes.c_ulonglong),
        ("free", ctypes.c_ulonglong),
        ("used", ctypes.c_ulonglong),
    )


def cards(base_url: str, drm: Path = DRM, nvml: str = NVML) -> tuple[Card, ...]:
    """Those of this machine, where the server runs on it; none where nobody tells."""
    return (*_nvidia(nvml), *_amd(drm)) if is_here(base_url) else ()


def is_here(base_url: str) -> bool:
    """Whether the address is this machine's own."""
    host = urlsplit(base_url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _nvidia(name: str) -> tuple[Card, ...]:
    try:
        library = ctypes.CDLL(name)
    except OSError:
        return ()
    if library.nvmlInit_v2() != 0:
        return ()
    try:
        number = ctypes.c_uint()
        library.nvmlDeviceGetCount_v2(ctypes.byref(number))
        found = [_nvidia_card(library, index) for index in range(number.value)]
    finally:
        library.nvmlShutdown()
    return tuple(card for card in found if card)


def _nvidia_card(library: ctypes.CDLL, index: int) -> Card | None:
    device = ctypes.c_void_p()
    if library.nvmlDeviceGetHandleByIndex_v2(index, ctypes.byref(device)) != 0:
        return None
    name, memory = ctypes.create_string_buffer(_NAME_BYTES), _Memory()
    if library.nvmlDeviceGetName(device, name, _NAME_BYTES) != 0:
        return None
    if library.nvmlDeviceGetMemoryInfo(device, ctypes.byref(memory)) != 0:
        return None  # parts that share the system's memory tell none
    return Card(name.value.decode(errors="replace"), memory.total, memory.used)


def _amd(drm: Path) -> tuple[Card, ...]:
    folders = sorted(drm.glob("card*/device")) if drm.is_dir() else ()
    return tuple(card for folder in folders if (card := _amd_card(folder)))


def _amd_card(folder: Path) -> Card | None:
    total, used = _number(folder / "mem_info_vram_total"), _number(folder / "mem_info_vram_used")
    if not total or used is None:
        return None
    name = _text(folder / "product_name") or "AMD"
    return Card(name, total, used, _number(folder / "mem_info_gtt_used") or 0)


def _number(path: Path) -> int | None:
    text = _text(path)
    return int(text) if text.isdecimal() else None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""
