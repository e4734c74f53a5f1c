"""AMD's and Intel's graphics processors, read from `/sys/class/drm`; and NVIDIA's without a driver.

amdgpu tells its memory in files (Linux, Documentation/gpu/amdgpu/driver-misc.rst); for Intel's
cards it is the size of the large window on the bus.
"""

import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from qcode.serve.base import Gpu, Vendor

_VENDORS: dict[str, Vendor] = {"0x1002": "amd", "0x8086": "intel", "0x10de": "nvidia"}
_TITLES = {"amd": "AMD", "intel": "Intel", "nvidia": "NVIDIA"}
_NAMES = ("usr/share/misc/pci.ids", "usr/share/hwdata/pci.ids")
_INTEL_INSIDE = "0000:00:02.0"
"""Where Intel's processors have their own graphics, always."""
_GIB = 1 << 30
_CARVED_OUT = 4 * _GIB
"""AMD's processors with graphics set so much memory aside, as a rule less, and use more."""
_SHARING = frozenset({"0x1586", "0x150e"})
"""AMD's with as much set aside as a person likes: Strix Halo, Strix Point. What is set aside is no
longer the system's; the rest is shared."""


def gpus(root: Path, system_bytes: int) -> tuple[Gpu, ...]:
    """Those that a program can open. One of NVIDIA has no driver here, or NVML would know it."""
    cards = (root / "sys/class/drm").glob("card*")
    found = sorted(card for card in cards if re.fullmatch(r"card\d+", card.name))
    is_open = any((root / "dev/dri").glob("renderD*"))
    return tuple(_gpus(root, found, system_bytes)) if is_open else ()


def _gpus(root: Path, cards: list[Path], system_bytes: int) -> Iterator[Gpu]:
    for card in cards:
        device = card / "device"
        vendor = _VENDORS.get(_word(device / "vendor"))
        name = _name(root, device, vendor) if vendor else ""
        if vendor == "amd":
            yield from _amd(device, name)
        elif vendor == "intel":
            yield from _intel(device, name, system_bytes)
        elif vendor == "nvidia":
            yield Gpu(name, "nvidia", 0, None)


def _amd(device: Path, name: str) -> Iterator[Gpu]:
    total, used = _number(device / "mem_info_vram_total"), _number(device / "mem_info_vram_used")
    if total is None:
        return
    shared = _number(device / "mem_info_gtt_total") or 0
    is_inside = total < _CARVED_OUT or _word(device / "device") in _SHARING
    if not is_inside or total >= shared:
        yield Gpu(name, "amd", total, None if used is None else max(0, total - used))
        return
    taken = _number(device / "mem_info_gtt_used") or 0
    free = None if used is None else max(0, total + shared - used - taken)
    yield Gpu(name, "amd", total + shared, free, is_unified=True)


def _intel(device: Path, name: str, system_bytes: int) -> Iterator[Gpu]:
    """The processor's own shares the system's memory; of a card the memory is looked up."""
    if f"PCI_SLOT_NAME={_INTEL_INSIDE}" in _text(device / "uevent"):
        yield Gpu(name, "intel", system_bytes, None, is_unified=True)
        return
    told = _number(device / "lmem_total_bytes") or _window(device / "resource")
    if told >= _GIB:
        yield Gpu(name, "intel", told, None)


def _window(resource: Path) -> int:
    """Bytes of the largest window on the bus: all of the memory, with a resizable one."""
    sizes = [0]
    for line in _text(resource).splitlines()[:6]:
        with suppress(ValueError, IndexError):
            begin, end = (int(word, 16) for word in line.split()[:2])
            sizes.append(end - begin + 1)
    return max(sizes)


def _name(root: Path, device: Path, vendor: Vendor) -> str:
    told = _word(device / "product_name")
    if told:
        return f"{_TITLES[vendor]} {told}"
    number = _word(device / "device").removeprefix("0x")
    listed = _listed(root, _word(device / "vendor").removeprefix("0x"), number)
    return f"{_TITLES[vendor]} {listed or f'GPU {number}'}"


def _listed(root: Path, vendor: str, device: str) -> str:
    """Its name in the list of PCI devices that distributions ship; empty = not there."""
    for place in _NAMES:
        text = _text(root / place)
        start = re.search(rf"^{re.escape(vendor)}  ", text, re.M)
        if start is None:
            continue
        of_vendor = re.split(r"\n(?=[0-9a-f]{4}  )", text[start.start() :], maxsplit=1)[0]
        found = re.search(rf"^\t{re.escape(device)}  (.+)$", of_vendor, re.M)
        if found:
            in_brackets = re.search(r"\[(.+)\]", found[1])
            return in_brackets[1] if in_brackets else found[1]
    return ""


def _number(path: Path) -> int | None:
    word = _word(path)
    return int(word) if word.isdecimal() else None


def _word(path: Path) -> str:
    return _text(path).strip()


def _text(path: Path) -> str:
    """Empty where there is no such file, or none that can be read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
