"""How fast a model may run on something, before it was ever measured there.

Writing a token means to read all weights that it uses, so memory bandwidth sets the rate; how much
of it is reached was taken from reported rates (`data/models.toml`): of dense models a half to two
thirds, of models with experts a seventh to a third, less the longer the context.
"""

import re
from functools import cache
from importlib import resources

import msgspec

from qcode.serve.base import Gpu, ModelFile
from qcode.serve.needs import Layout

_DENSE = (0.5, 0.65)
_EXPERTS = (0.15, 0.35)
_PROCESSOR = (8e9, 25e9)
"""Bytes a second that two channels of DDR5 come to: 5 to 6 tok/s were reported of 35B-A3B at Q4,
which reads some 1.7 GB a token; up to three times as much where a build fits the processor."""


class Rate(msgspec.Struct, frozen=True):
    """Tokens a second that are written, from and to."""

    low: float
    high: float

    def __str__(self) -> str:
        if self.high < 2:
            return "about 1 tok/s or less"
        low, high = max(1, round(self.low)), round(self.high)
        return f"about {low} tok/s" if low >= high else f"about {low} to {high} tok/s"


def read_bytes(model: ModelFile) -> int:
    """That a token needs, of the weights."""
    table = model.input_bytes + model.mtp_bytes
    return max(1, model.size_bytes - table - model.expert_bytes + model.active_expert_bytes)


def on_gpu(gpu: Gpu, read: int, *, has_experts: bool) -> Rate | None:
    """All of the model on it; None = a GPU whose bandwidth is not known here."""
    bandwidth = bandwidth_of(gpu.name)
    if bandwidth is None:
        return None
    low, high = _EXPERTS if has_experts else _DENSE
    return Rate(low * bandwidth / read, high * bandwidth / read)


def on_processor(read: int) -> Rate:
    """All of the model in the system's memory."""
    return Rate(_PROCESSOR[0] / read, _PROCESSOR[1] / read)


def mixed(gpu: Rate, gpu_bytes: int, other_bytes: int) -> Rate:
    """A part of what a token reads lies beside the GPU: the times add up."""
    whole = max(1, gpu_bytes + other_bytes)
    slow = on_processor(whole)
    share = gpu_bytes / whole
    return Rate(
        1 / (share / gpu.low + (1 - share) / slow.low),
        1 / (share / gpu.high + (1 - share) / slow.high),
    )


def of_split(model: ModelFile, layout: Layout, whole: Rate) -> Rate:
    """Of a model that is partly beside the GPU, on which it would write at `whole`."""
    read = read_bytes(model)
    experts = model.active_expert_bytes * layout.expert_layers_off // max(1, model.expert_layers)
    layers = (read - experts) * layout.layers_off // max(1, model.layers)
    off = min(read, experts + layers)
    return mixed(whole, read - off, off)


def is_named(words: str, name: str) -> bool:
    """Whether a GPU's name has all these words; those of laptops are others."""
    said, has = set(_words(words)), set(_words(name))
    return said <= has and ("laptop" in said) == ("laptop" in has)


def bandwidth_of(name: str) -> float | None:
    """Bytes a second, by the maker's data sheet; None = not in the list."""
    words = set(_words(name))
    rows = (row for row in _bandwidths() if ("laptop" in row) == ("laptop" in words))
    best = max((row for row in rows if set(row) <= words), key=len, default=None)
    return _bandwidths()[best] * 1e9 if best else None


def _words(name: str) -> tuple[str, ...]:
    return tuple(re.findall(r"[a-z0-9]+", name.lower().replace("(tm)", "").replace("(r)", "")))


@cache
def _bandwidths() -> dict[tuple[str, ...], float]:
    text = (resources.files("qcode.serve") / "data/gpus.txt").read_text(encoding="utf-8")
    rows = (line.rsplit(maxsplit=1) for line in text.splitlines() if line and line[0] != "#")
    return {_words(name): float(figure) for name, figure in rows}
