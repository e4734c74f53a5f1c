"""What servers tell of their own prefix cache."""

import msgspec

from qcode.doctor.base import Subject
from qcode.doctor.probes import started


class Declared(msgspec.Struct, frozen=True):
    """As told; None = not told."""

    is_on: bool | None = None
    block_tokens: int | None = None
    """What is kept, is kept in blocks of so many."""


async def declared(subject: Subject) -> Declared:
    """vLLM: labels of a metric (0.33, and years before). SGLang: its settings."""
    match subject.facts.kind:
        case "vllm" | "nim":
            labels, _ = await started.metrics(subject, "vllm:cache_config_info")
            told = labels.get("enable_prefix_caching", "").lower()
            names = ("block_size", "mamba_block_size")
            sizes = [int(size) for name in names if (size := labels.get(name, "")).isdecimal()]
            is_on = {"true": True, "false": False}.get(told)
            return Declared(is_on, max(sizes, default=None))
        case "sglang":
            disabled = (await started.settings(subject)).get("disable_radix_cache")
            return Declared(not disabled if isinstance(disabled, bool) else None)
    return Declared()
