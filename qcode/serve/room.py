"""How much memory a model may take here, and on what it computes."""

import msgspec

from qcode.serve.base import Engine, Gpu, Machine, Vendor
from qcode.serve.builds import surely_has

GIB = 1 << 30
MIB = 1 << 20

BATCH = 512
"""llama.cpp's `--ubatch-size`."""

_SPEAKS: dict[Vendor, frozenset[str]] = {
    "nvidia": frozenset({"cuda", "vulkan"}),
    "amd": frozenset({"rocm", "vulkan"}),
    "intel": frozenset({"vulkan", "sycl"}),
    "apple": frozenset({"metal"}),
}

_FEW_LOGITS = 8
"""Of each slot one, and those of drafted tokens."""

GPU_MARGIN = GIB
"""Left free on each: what llama.cpp's own `--fit-target` leaves (common/common.h, b11549). To
overcommit by 200 MB was seen to cost three quarters of the speed."""


class Room(msgspec.Struct, frozen=True):
    """Memory for a model, margins taken off."""

    gpu_bytes: int
    """Of all GPUs together; 0 = the processor computes alone."""
    system_bytes: int
    is_shared: bool
    """`gpu_bytes` is a part of `system_bytes`, not beside it."""
    gpus: tuple[Gpu, ...]
    """Those that are used."""
    logits: int = BATCH
    """Tokens of a batch for which the build keeps room for logits: all of them, or a few."""

    def holds(self, gpu_bytes: int, system_bytes: int) -> bool:
        """Whether so much fits."""
        if gpu_bytes > self.gpu_bytes:
            return False
        return system_bytes + (gpu_bytes if self.is_shared else 0) <= self.system_bytes


def is_used(gpu: Gpu, engine: Engine) -> bool:
    """Whether this build can compute on it."""
    return gpu.memory_bytes > 0 and not _SPEAKS[gpu.vendor].isdisjoint(engine.uses)


def room(machine: Machine, engine: Engine) -> Room:
    """What there is. Cards with memory of their own count before those that share it."""
    few = _FEW_LOGITS if surely_has(engine.build, "few_logits") else BATCH
    usable = [gpu for gpu in machine.gpus if is_used(gpu, engine)]
    own = tuple(gpu for gpu in usable if not gpu.is_unified)
    system = max(0, machine.free_bytes - system_margin(machine))
    if own:
        return Room(sum(map(_own_bytes, own)), system, is_shared=False, gpus=own, logits=few)
    if usable:
        best = max(usable, key=lambda gpu: gpu.memory_bytes)
        return Room(
            min(best.memory_bytes, system), system, is_shared=True, gpus=(best,), logits=few
        )
    return Room(0, system, is_shared=False, gpus=(), logits=few)


def system_margin(machine: Machine) -> int:
    """Left to all other programs: a sixteenth, from 1 to 4 GiB."""
    return min(4 * GIB, max(GIB, machine.memory_bytes // 16))


def _own_bytes(gpu: Gpu) -> int:
    free = gpu.memory_bytes if gpu.free_bytes is None else min(gpu.free_bytes, gpu.memory_bytes)
    return max(0, free - GPU_MARGIN)
