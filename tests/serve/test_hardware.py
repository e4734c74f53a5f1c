"""What machine this is, read from trees of files and from libraries that answer as the real ones.

NVML and `sysctl` are shared libraries; the tests compile small ones with the same functions.
"""

import ctypes
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from qcode.serve import apple, nvml, windows
from qcode.serve.base import Gpu
from qcode.serve.hardware import look, on_linux

GIB = 1 << 30
COMPILER = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
compiled = pytest.mark.skipif(COMPILER is None, reason="no C compiler makes the stand-in library")

NVML = """
#include <string.h>
typedef struct { unsigned long long total, free, used; } memory;
static const char *names[] = {"NVIDIA GeForce RTX 4090", "NVIDIA GB10"};
int nvmlInit_v2(void) { return INIT; }
int nvmlShutdown(void) { return 0; }
int nvmlDeviceGetCount_v2(unsigned *count) { *count = 2; return 0; }
int nvmlDeviceGetHandleByIndex_v2(unsigned i, void **device) {
  *device = (void *)(unsigned long)(i + 1); return 0;
}
int nvmlDeviceGetName(void *d, char *text, unsigned size) {
  strncpy(text, names[(unsigned long)d - 1], size); return 0;
}
int nvmlDeviceGetUUID(void *d, char *text, unsigned size) {
  strncpy(text, (unsigned long)d == 1 ? "GPU-aaaa-1" : "GPU-bbbb-2", size); return 0;
}
int nvmlSystemGetDriverVersion(char *text, unsigned size) {
  strncpy(text, "580.95.05", size); return 0;
}
int nvmlDeviceGetMemoryInfo(void *d, memory *m) {
  if ((unsigned long)d == 2) return 3; /* not supported: it shares the system's */
  m->total = 24ull << 30; m->free = 20ull << 30; m->used = 4ull << 30; return 0;
}
"""

SYSCTL = """
#include <string.h>
int sysctlbyname(const char *name, void *old, unsigned long *size, void *new, unsigned long n) {
  struct { const char *name; unsigned long long value; int bytes; } numbers[] = {
    {"hw.memsize", MEMORY, 8}, {"hw.optional.arm64", ARM, 4}, {"hw.physicalcpu", 12, 4},
    {"hw.perflevel0.physicalcpu", FAST, 4}, {"kern.memorystatus_level", 50, 4},
    {"iogpu.wired_limit_mb", WIRED, 4},
  };
  if (!strcmp(name, "machdep.cpu.brand_string")) {
    strcpy(old, "Apple M4 Max"); *size = 13; return 0;
  }
  for (unsigned i = 0; i < 6; i++) if (!strcmp(name, numbers[i].name) && numbers[i].value) {
    memcpy(old, &numbers[i].value, numbers[i].bytes); *size = numbers[i].bytes; return 0;
  }
  return -1;
}
"""


def library(folder: Path, source: str, **words: str) -> Any:
    """A shared library of `source`, with words of it defined."""
    assert COMPILER is not None
    place = folder / f"lib{len(list(folder.iterdir()))}.so"
    defined = [f"-D{name}={value}" for name, value in words.items()]
    command = [COMPILER, "-w", "-shared", "-fPIC", *defined, "-x", "c", "-", "-o", str(place)]
    subprocess.run(command, input=source.encode(), check=True)
    return ctypes.CDLL(str(place))


def tree(root: Path, files: dict[str, str]) -> Path:
    """Files below `root`, as a kernel would show them."""
    for name, content in files.items():
        place = root / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(content, encoding="utf-8")
    return root


LINUX = {
    "proc/meminfo": "MemTotal:       67108864 kB\nMemAvailable:   50331648 kB\n",
    "proc/cpuinfo": "processor\t: 0\nmodel name\t: AMD  Ryzen 9\n",
    "proc/self/cgroup": "0::/user.slice/one\n",
    "dev/dri/renderD128": "",
    **{
        f"sys/devices/system/cpu/cpu{one}/topology/thread_siblings_list": f"{one % 4},{one % 4 + 4}"
        for one in range(8)
    },
}
"""Four cores with two threads each, 64 GiB."""


def test_two_threads_of_a_core_count_once_and_only_where_a_process_may_run(tmp_path: Path) -> None:
    root = tree(tmp_path, LINUX)
    found = on_linux(root, None, range(8))
    assert (found.cores, found.processor) == (4, "AMD Ryzen 9")
    assert (found.memory_bytes, found.free_bytes) == (64 * GIB, 48 * GIB)
    assert on_linux(root, None, {0, 4}).cores == 1
    assert on_linux(root, None, {0, 1, 5}).cores == 2


def test_of_fast_and_slow_cores_the_fast_ones_count(tmp_path: Path) -> None:
    root = tree(tmp_path, {**LINUX, "sys/devices/cpu_core/cpus": "0-1,4-5\n"})
    assert on_linux(root, None, range(8)).cores == 2
    assert on_linux(root, None, {2, 3}).cores == 2  # only slow ones are to be had


@pytest.mark.parametrize(
    ("group", "limit", "used"),
    [
        ("sys/fs/cgroup/user.slice/one", "memory.max", "memory.current"),
        ("sys/fs/cgroup/user.slice", "memory.max", "memory.current"),
        ("sys/fs/cgroup", "memory.max", "memory.current"),
        (
            "sys/fs/cgroup/memory",
            "memory.limit_in_bytes",
            "memory.usage_in_bytes",
        ),
    ],
)
def test_a_container_has_what_its_limit_leaves(
    tmp_path: Path, group: str, limit: str, used: str
) -> None:
    old = "total_inactive_file" if group.endswith("memory") else "inactive_file"
    files = {
        f"{group}/{limit}": f"{16 * GIB}\n",
        f"{group}/{used}": f"{6 * GIB}\n",
        f"{group}/memory.stat": f"anon 1\n{old} {2 * GIB}\n",
    }
    found = on_linux(tree(tmp_path, {**LINUX, **files}), None, range(8))
    assert (found.memory_bytes, found.free_bytes) == (16 * GIB, 12 * GIB)


def test_a_limit_that_is_none_and_a_share_of_processors_are_read(tmp_path: Path) -> None:
    files = {
        "sys/fs/cgroup/memory.max": "max\n",
        "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
        "sys/fs/cgroup/user.slice/cpu.max": "150000 100000\n",
        "sys/fs/cgroup/cpu.max": "max 100000\n",
    }
    found = on_linux(tree(tmp_path, {**LINUX, **files}), None, range(8))
    assert (found.memory_bytes, found.cores) == (64 * GIB, 2)


def test_a_machine_that_tells_nothing_is_a_machine_all_the_same(tmp_path: Path) -> None:
    found = on_linux(tmp_path, None, {0})
    assert (found.cores, found.memory_bytes, found.gpus) == (1, 0, ())


def card(number: int, **files: str) -> dict[str, str]:
    return {f"sys/class/drm/card{number}/device/{name}": text for name, text in files.items()}


AMD = {
    "vendor": "0x1002\n",
    "device": "0x744c\n",
    "mem_info_vram_total": f"{24 * GIB}\n",
    "mem_info_vram_used": f"{GIB}\n",
    "mem_info_gtt_total": f"{32 * GIB}\n",
    "mem_info_gtt_used": "0\n",
}


def test_a_card_of_amd_has_its_own_memory_and_its_name_of_the_list(tmp_path: Path) -> None:
    ids = (
        "1001  Other\n\t744c  Wrong\n1002  AMD/ATI\n"
        "\t744c  Navi 31 [Radeon RX 7900 XTX]\n\t\t1002 1 x\n"
    )
    files = {**LINUX, **card(0, **AMD), "usr/share/misc/pci.ids": ids}
    files["sys/class/drm/card0-DP-1/status"] = "connected"
    assert on_linux(tree(tmp_path, files), None, range(8)).gpus == (
        Gpu("AMD Radeon RX 7900 XTX", "amd", 24 * GIB, 23 * GIB),
    )


def test_amd_inside_a_processor_shares_the_systems_memory(tmp_path: Path) -> None:
    small = {**AMD, "mem_info_vram_total": f"{GIB // 2}\n", "mem_info_vram_used": "0\n"}
    large = {**AMD, "device": "0x1586\n", "product_name": "Radeon 8060S\n"}
    root = tree(tmp_path, {**LINUX, **card(0, **small), **card(1, **large)})
    first, second = on_linux(root, None, range(8)).gpus
    assert first == Gpu(
        "AMD GPU 744c", "amd", 32 * GIB + GIB // 2, 32 * GIB + GIB // 2, is_unified=True
    )
    assert (second.name, second.is_unified) == ("AMD Radeon 8060S", True)


def test_what_a_person_set_aside_for_amds_graphics_is_its_own(tmp_path: Path) -> None:
    aside = {**AMD, "device": "0x1586\n", "mem_info_vram_total": f"{96 * GIB}\n"}
    (found,) = on_linux(tree(tmp_path, {**LINUX, **card(0, **aside)}), None, range(8)).gpus
    assert found == Gpu("AMD GPU 1586", "amd", 96 * GIB, 95 * GIB)


def test_of_intel_the_processors_own_is_told_from_a_card(tmp_path: Path) -> None:
    inside = {
        "vendor": "0x8086",
        "device": "0x46a6",
        "uevent": "DRIVER=i915\nPCI_SLOT_NAME=0000:00:02.0\n",
    }
    window = "0x0000000000000000 0x0000000000ffffff 0x0\n0x4000000000 0x43ffffffff 0x14220c\n"
    arc = {
        "vendor": "0x8086",
        "device": "0x56a0",
        "uevent": "PCI_SLOT_NAME=0000:03:00.0\n",
        "resource": window,
    }
    found = on_linux(tree(tmp_path, {**LINUX, **card(0, **inside), **card(1, **arc)}), None, {0})
    assert [(one.is_unified, one.memory_bytes) for one in found.gpus] == [
        (True, 64 * GIB),
        (False, 16 * GIB),
    ]


def test_a_card_that_no_program_can_open_does_not_count(tmp_path: Path) -> None:
    files = {**LINUX, **card(0, **AMD)}
    files.pop("dev/dri/renderD128")
    assert on_linux(tree(tmp_path, files), None, {0}).gpus == ()


def test_a_card_of_nvidia_without_its_driver_is_named_with_no_memory(tmp_path: Path) -> None:
    root = tree(tmp_path, {**LINUX, **card(0, vendor="0x10de\n", device="0x2684\n")})
    assert on_linux(root, None, {0}).gpus == (Gpu("NVIDIA GPU 2684", "nvidia", 0, None),)


def test_a_jetson_without_nvml_shares_its_memory(tmp_path: Path) -> None:
    files = {**LINUX, "proc/device-tree/model": "NVIDIA Jetson AGX Orin\0", "proc/cpuinfo": ""}
    (found,) = on_linux(tree(tmp_path, files), None, {0}).gpus
    assert (found.name, found.is_unified) == ("NVIDIA Jetson AGX Orin", True)
    assert found.memory_bytes == 64 * GIB


@compiled
def test_nvml_tells_cards_and_one_that_shares_the_systems_memory(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    made = library(tmp_path, NVML, INIT="0")
    root = tree(tmp_path / "root", {**LINUX, **card(0, vendor="0x10de\n", device="0x2684\n")})
    found = on_linux(root, made, {0})
    own = Gpu("NVIDIA GeForce RTX 4090", "nvidia", 24 * GIB, 20 * GIB, driver="580.95.05")
    shared = Gpu("NVIDIA GB10", "nvidia", 64 * GIB, None, is_unified=True, driver="580.95.05")
    assert found.gpus == (own, shared)


@compiled
@pytest.mark.parametrize(
    ("visible", "names"),
    [
        (None, "4090 GB10"),
        ("", ""),
        ("-1", ""),
        ("1", "GB10"),
        ("0,-1,1", "4090"),
        ("1,0", "4090 GB10"),
        ("GPU-bbbb", "GB10"),
        ("nonsense", ""),
    ],
)
def test_what_the_environment_hides_is_not_there(
    tmp_path: Path, visible: str | None, names: str
) -> None:
    found = nvml.gpus(library(tmp_path, NVML, INIT="0"), GIB, visible)
    assert " ".join(gpu.name.split()[-1] for gpu in found) == names


@compiled
def test_a_driver_that_does_not_answer_has_no_cards(tmp_path: Path) -> None:
    assert nvml.gpus(library(tmp_path, NVML, INIT="9"), GIB) == ()
    assert nvml.gpus(library(tmp_path, "int other(void) { return 0; }"), GIB) == ()
    assert nvml.gpus(nvml.library(("no-such-library.so",)), GIB) == ()


def sysctl(folder: Path, **words: str) -> apple.Sysctl:
    usual = {"MEMORY": f"{64 * GIB}ull", "ARM": "1", "FAST": "8", "WIRED": "0"}
    return apple.Sysctl(library(folder, SYSCTL, **(usual | words)))


@compiled
def test_a_mac_gives_its_gpu_a_share_of_the_memory(tmp_path: Path) -> None:
    found = apple.machine(sysctl(tmp_path))
    assert (found.system, found.processor, found.cores) == ("macos", "Apple M4 Max", 8)
    assert (found.memory_bytes, found.free_bytes) == (64 * GIB, 32 * GIB)
    assert found.gpus == (Gpu("Apple M4 Max", "apple", 48 * GIB, None, is_unified=True),)
    small = apple.machine(sysctl(tmp_path, MEMORY=f"{24 * GIB}ull"))
    assert small.gpus[0].memory_bytes == 16 * GIB
    set_by_hand = apple.machine(sysctl(tmp_path, WIRED="57344"))
    assert set_by_hand.gpus[0].memory_bytes == 56 * GIB


@compiled
def test_a_mac_with_an_intel_processor_has_no_gpu_of_use(tmp_path: Path) -> None:
    found = apple.machine(sysctl(tmp_path, ARM="0", FAST="0"))
    assert (found.gpus, found.cores) == ((), 12)


def test_windows_tells_its_memory_by_the_call_of_its_kernel() -> None:
    class Kernel:
        """GlobalMemoryStatusEx alone."""

        def GlobalMemoryStatusEx(self, told: Any) -> int:
            status = told._obj
            assert status.size == 64
            status.total, status.free = 32 * GIB, 20 * GIB
            return 1

    assert windows.memory(Kernel()) == (32 * GIB, 20 * GIB)
    assert windows.cores() >= 1


@pytest.mark.skipif(sys.platform != "linux", reason="compares with what Linux tells")
def test_this_machine_is_seen_as_it_is() -> None:
    found = look()
    assert found.system == "linux"
    assert 1 <= found.cores <= len(os.sched_getaffinity(0))
    assert 0 < found.free_bytes <= found.memory_bytes
    assert replace(found, free_bytes=0) == replace(look(), free_bytes=0)
