"""What serving a model is planned with: the machine, the model's file, the flags. Values alone."""

from pathlib import Path
from typing import Literal

import msgspec

Vendor = Literal["nvidia", "amd", "intel", "apple"]
Backend = Literal["llama-server", "xllamacpp"]
KvType = Literal["f16", "bf16", "q8_0"]
Place = Literal["gpu", "system"]


class Gpu(msgspec.Struct, frozen=True):
    """One graphics processor."""

    name: str
    vendor: Vendor
    memory_bytes: int
    free_bytes: int | None
    """None = the driver does not tell."""
    is_unified: bool = False
    """It shares the system's memory, which `memory_bytes` is then."""
    driver: str = ""
    """Version, where it is told."""


class Machine(msgspec.Struct, frozen=True):
    """What a model would run on."""

    system: Literal["linux", "macos", "windows"]
    processor: str
    cores: int
    """Physical ones, which is how many threads a model is given."""
    memory_bytes: int
    free_bytes: int
    gpus: tuple[Gpu, ...] = ()


class ModelFile(msgspec.Struct, frozen=True):
    """What a GGUF file tells of itself, all its parts together."""

    path: Path
    """The first part, where there are several."""
    architecture: str
    """As llama.cpp spells it: `qwen35moe`."""
    name: str
    quantisation: str
    """Such as `Q4_K_M`, from the file's own word or its name; empty = not told."""
    size_bytes: int
    layers: int
    trained_tokens: int
    kv_bytes_per_token: int
    """Of the cache at f16, all layers together: hybrids have one in some layers alone."""
    state_bytes: int
    """Of the recurrent state of one sequence; 0 = none."""
    expert_bytes: int
    """Of all weights that belong to single experts; 0 = a dense model."""
    has_mtp: bool
    """It holds a head for speculative decoding."""
    template: str
    projector: Path | None = None
    """Its eyes, a file beside it."""
    projector_bytes: int = 0
    vocabulary: int = 0
    """Tokens that it knows; 0 = not told."""
    width: int = 0
    """Of its embedding; 0 = not told."""
    attention_layers: int = 0
    """Layers that have a cache; 0 = not told."""
    input_bytes: int = 0
    """Of the table of input tokens, which llama.cpp keeps in the system's memory."""
    expert_layers: int = 0
    """Layers that have experts."""
    active_expert_bytes: int = 0
    """What a token uses of `expert_bytes`."""
    mtp_bytes: int = 0
    """Of the head's weights, which are part of `size_bytes`."""
    mtp_kv_bytes_per_token: int = 0
    """Of the head's own cache at f16."""
    origin: str = ""
    """The repository that it was converted from: `Qwen/Qwen3.6-27B`; empty = not told."""
    flaws: tuple[str, ...] = ()
    """What is known to be wrong with such a file, a sentence each."""
    hub: str = ""
    """`OWNER/REPOSITORY:QUANT` of a file that is not on this machine: what is told here is then of
    the table, and `path` is its name alone. Empty = it is here."""


class Engine(msgspec.Struct, frozen=True):
    """What would run it."""

    backend: Backend
    path: str
    """Of the binary; of a package, its version."""
    build: int
    """llama.cpp's; 0 = not told."""
    uses: tuple[str, ...]
    """What it can compute on beside the processor: `cuda`, `vulkan`, `rocm`, `metal`."""


class Flag(msgspec.Struct, frozen=True):
    """One flag and its reason."""

    name: str
    """As `llama-server` spells it: `--ctx-size`."""
    value: str
    """Empty = a switch."""
    why: str
    source: str = ""


class Wants(msgspec.Struct, frozen=True):
    """What a person asks for; None = as it fits."""

    context_tokens: int | None = None
    """Of one slot; more than the model was trained for stretches it."""
    slots: int | None = None
    kv_type: KvType | None = None
    vision: bool = False
    """With the projector beside the model."""
    slot_folder: str = ""
    """Where states of slots may be saved; empty = nowhere."""
    sleep_seconds: int = 0
    """Without a request for so long it lets go of the memory, until the next one; 0 = never."""
    mtp: Literal["auto", "on", "off"] = "auto"
    """auto = where the backend is known to be good at it."""


class Need(msgspec.Struct, frozen=True):
    """One thing that takes memory."""

    name: str
    """For people: `weights`, `cache of 65,536 tokens`."""
    size_bytes: int
    where: Place


class Plan(msgspec.Struct, frozen=True):
    """How a model would be served."""

    engine: Engine
    model: ModelFile
    flags: tuple[Flag, ...]
    context_tokens: int
    """Of one slot."""
    slots: int
    kv_type: KvType
    remarks: tuple[str, ...]
    """Sentences that a person should read first: a GPU that is not used, and what that costs."""
    needs: tuple[Need, ...] = ()
    """The memory that it will take, part by part; the whole of it at the longest context."""
    fits: bool = True
    """False = this machine has not the memory; the remarks say what is missing."""
