"""What a build of llama.cpp knows, by its number. A build that tells no number counts as new.

Sampled builds: a feature is in the one named here and not in the one sampled before it, unless a
pull request is named.
"""

SINCE = {
    "flash_attn_value": 6325,  # PR 15434: `-fa` takes on, off or auto; before it is a switch
    "ctx_checkpoints": 6800,  # PR 16382 and 16391, October 2025: both with room to spare
    "fit": 8672,  # PR 16653 came earlier; the first sampled build that has it for certain
    "sleep": 8672,  # `--sleep-idle-seconds`: December 2025; that build has it with room to spare
    "mtp": 9294,  # PR 22673
    "reasoning_preserve": 10068,
    "few_logits": 10809,  # its log reserves a few MiB where older builds had logits of a batch
    "reasoning_preserved_by_default": 11063,
}


def has(build: int, feature: str) -> bool:
    """Whether a build has a feature of `SINCE`; 0 = a build that tells no number."""
    return build == 0 or build >= SINCE[feature]


def surely_has(build: int, feature: str) -> bool:
    """The same for what does harm where it is missing: no number is a no."""
    return build >= SINCE[feature]
