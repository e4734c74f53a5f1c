"""Machines, engines and model files as values, for tests of what is planned."""

from pathlib import Path

from msgspec.structs import replace

from qcode.serve.base import Engine, Gpu, Machine, ModelFile, Vendor

GIB = 1 << 30

CUDA = Engine("llama-server", "/usr/bin/llama-server", 11549, ("cuda",))
PROCESSOR = Engine("xllamacpp", "2026.10.11549", 11549, ())

EXPERTS = ModelFile(
    path=Path("/models/Qwen3.6-35B-A3B-Q4_K_M.gguf"),
    architecture="qwen35moe",
    name="Qwen3.6 35B A3B",
    quantisation="Q4_K_M",
    size_bytes=21_200_000_000,
    layers=40,
    trained_tokens=262_144,
    kv_bytes_per_token=20_480,
    state_bytes=65_863_680,
    expert_bytes=19_700_000_000,
    has_mtp=False,
    template="{% if preserve_thinking %}",
    vocabulary=248_320,
    width=2048,
    attention_layers=10,
    input_bytes=310_000_000,
    expert_layers=40,
    active_expert_bytes=19_700_000_000 // 32,
    origin="Qwen/Qwen3.6-35B-A3B",
)
"""As the file of the 35B with 3B active is."""

DENSE = replace(
    EXPERTS,
    path=Path("/models/Qwen3.6-27B-Q4_K_M.gguf"),
    architecture="qwen35",
    name="Qwen3.6 27B",
    size_bytes=16_500_000_000,
    layers=64,
    kv_bytes_per_token=65_536,
    state_bytes=156_893_184,
    expert_bytes=0,
    width=5120,
    attention_layers=16,
    input_bytes=715_000_000,
    expert_layers=0,
    active_expert_bytes=0,
    has_mtp=True,
    mtp_bytes=250_000_000,
    mtp_kv_bytes_per_token=4096,
    origin="Qwen/Qwen3.6-27B",
)
"""As the file of the 27B with its head for drafting is."""


def gpu(gigabytes: float, name: str = "NVIDIA GeForce RTX 4090", vendor: Vendor = "nvidia") -> Gpu:
    """A card with memory of its own, all of it free."""
    size = int(gigabytes * GIB)
    return Gpu(name, vendor, size, size, driver="580.1")


def machine(*gpus: Gpu, gigabytes: float = 64) -> Machine:
    """A Linux machine with eight cores."""
    size = int(gigabytes * GIB)
    return Machine("linux", "a processor", 8, size, size * 9 // 10, gpus)
