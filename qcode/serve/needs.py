"""What a model takes of memory when it runs, part by part. Estimates, on the safe side.

Checked against llama.cpp's own log of a 27B (64 layers, 16 with a cache, MTP): cache of 32,768
tokens 2,048 MiB, state 149.6 MiB and four times that with three drafted tokens, cache of the head
128 MiB, table of input tokens 682 MiB in the system's memory (builds of August 2026).
"""

from collections.abc import Iterator

import msgspec

from qcode.serve.base import KvType, ModelFile, Need, Place
from qcode.serve.room import BATCH, MIB, Room

KV_SHARE = {"f16": 1.0, "bf16": 1.0, "q8_0": 34 / 64}
"""Of the bytes at f16: q8_0 keeps 32 values in 34 bytes."""

DRAFTED = 2
"""Tokens that the head guesses ahead, at most."""

_DRIVER = 450 * MIB
"""Of a CUDA context with its libraries, on each GPU."""
_BASE = 64 * MIB
_VISION_BUFFER = 300 * MIB
_CHECKPOINT_SHARE = 1.5
"""Of a state's bytes: computed 62.8 MiB, reported 82 to 86 (35B-A3B, llama.cpp PR 24035); computed
149.6, reported 160 to 230 (27B with MTP, PR 25592)."""


class Layout(msgspec.Struct, frozen=True):
    """One way to run a model."""

    context_tokens: int
    slots: int
    kv_type: KvType
    is_on_gpu: bool
    """False = all in the system's memory."""
    expert_layers_off: int = 0
    """Layers whose experts stay in the system's memory."""
    layers_off: int = 0
    """Whole layers that do."""
    mtp: bool = False
    vision: bool = False


def needs(model: ModelFile, layout: Layout, room: Room) -> tuple[Need, ...]:
    """What must be there; what is kept beside it, while there is room, is in `extras`."""
    return tuple(one for one in _all(model, layout, room) if one.size_bytes > 0)


def totals(found: tuple[Need, ...]) -> tuple[int, int]:
    """Bytes on GPUs, bytes in the system's memory."""
    gpu = sum(one.size_bytes for one in found if one.where == "gpu")
    return gpu, sum(one.size_bytes for one in found) - gpu


def checkpoint_bytes(model: ModelFile) -> int:
    """Of one saved state, to which a prompt can go back; 0 = the cache itself can be cut."""
    return int(model.state_bytes * _CHECKPOINT_SHARE)


def cache_bytes(model: ModelFile, layout: Layout) -> int:
    """Of the cache at its longest."""
    per_token = model.kv_bytes_per_token + (model.mtp_kv_bytes_per_token if layout.mtp else 0)
    return int(layout.context_tokens * per_token * KV_SHARE[layout.kv_type])


def _all(model: ModelFile, layout: Layout, room: Room) -> Iterator[Need]:
    on_gpu, off = _weights(model, layout)
    yield Need("weights", on_gpu, "gpu")
    yield Need("weights", off, "system")
    tokens = f"cache of {layout.context_tokens:,} tokens"
    yield from _split(tokens, cache_bytes(model, layout), model, layout)
    yield from _split("state", _state(model, layout), model, layout)
    buffers = _buffers(model, layout, room.logits)
    place: Place = "gpu" if layout.is_on_gpu else "system"
    yield Need("buffers", buffers * max(1, len(room.gpus)), place)
    if layout.is_on_gpu:
        yield Need("driver", _DRIVER * len(room.gpus), "gpu")
        yield Need("buffers", buffers // 3, "system")
    if layout.vision:
        yield Need("eyes", model.projector_bytes + _VISION_BUFFER, place)


def _weights(model: ModelFile, layout: Layout) -> tuple[int, int]:
    """On the GPU and beside it. A head that is not used is not loaded."""
    whole = model.size_bytes - (0 if layout.mtp else model.mtp_bytes)
    if not layout.is_on_gpu:
        return 0, whole
    experts = _portion(model.expert_bytes, layout.expert_layers_off, model.expert_layers)
    rest = whole - model.input_bytes - model.expert_bytes
    # of a whole layer that stays off, its experts stay as well
    layers = _portion(rest + model.expert_bytes - experts, layout.layers_off, model.layers)
    off = min(whole, model.input_bytes + experts + layers)
    return whole - off, off


def _split(name: str, size: int, model: ModelFile, layout: Layout) -> Iterator[Need]:
    """The cache of a layer lies where the layer is."""
    off = size if not layout.is_on_gpu else _portion(size, layout.layers_off, model.layers)
    yield Need(name, size - off, "gpu")
    yield Need(name, off, "system")


def _state(model: ModelFile, layout: Layout) -> int:
    """One for each slot; drafting keeps one more for each token that it may take back."""
    return model.state_bytes * layout.slots * (1 + (DRAFTED if layout.mtp else 0))


def _buffers(model: ModelFile, layout: Layout, kept: int) -> int:
    """What a batch takes while it is computed: a log of a 27B at 32,768 tokens has 154 MiB.

    Logits, the mask, some sixteen vectors a token; and the keys and values of one layer at f16,
    which the GPU's kernels unpack from a quantised cache.
    """
    logits = kept * layout.slots * model.vocabulary * 4
    mask = BATCH * layout.context_tokens * 4
    vectors = BATCH * model.width * 4 * 16
    unpacked = 0
    if layout.kv_type == "q8_0":
        layers = max(1, model.attention_layers)
        unpacked = layout.context_tokens * model.kv_bytes_per_token // layers
    ahead = logits + vectors + mask // 2 if layout.mtp else 0
    return _BASE + min(logits, BATCH * model.vocabulary * 4) + mask + vectors + unpacked + ahead


def _portion(size: int, part: int, of: int) -> int:
    return size * min(part, of) // of if of > 0 else 0
