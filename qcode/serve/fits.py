"""What fits on a machine, how fast it may be, and which of it to take.

Counted as if nothing else ran: a model that runs now would otherwise hide all others. Placing and
memory are those of `plan`, so that nothing is recommended that it would refuse.
"""

from collections.abc import Iterator, Sequence
from typing import Literal

import msgspec
from msgspec.structs import replace

from qcode.serve import rates
from qcode.serve.base import Engine, Gpu, KvType, Machine, ModelFile
from qcode.serve.catalog import Catalog, CatalogFile, CatalogModel, Claim, Report, as_file
from qcode.serve.needs import Layout, needs, totals
from qcode.serve.placing import COMFORT, Wish, place
from qcode.serve.rates import Rate
from qcode.serve.room import GIB, Room, room

How = Literal["whole", "experts", "layers", "processor", "no"]

ABLE = Engine("llama-server", "", 11_549, ("cuda", "rocm", "vulkan", "metal"))
"""A new one that uses whatever GPU there is."""
_LEFT_OVER = 0.9
"""Of the system's memory, what is there beside the system."""


class Fit(msgspec.Struct, frozen=True):
    """One file on one machine."""

    model: CatalogModel
    file: CatalogFile
    how: How
    context_tokens: int
    kv_type: KvType
    memory_bytes: int
    """All that it takes, wherever."""
    tight: bool
    """It is all on the GPU, with less context than is comfortable."""
    rate: Rate | None
    """As estimated; None = the GPU is not known."""
    rate_by_class: Rate | None
    """Where it is not known: from the slower to the faster of `likely`'s; else None."""
    reported: tuple[Report, ...]
    """Of this model on this GPU, at a quantisation of as many bits."""


def idle(machine: Machine) -> Machine:
    """The machine as it is when nothing else runs."""
    gpus = tuple(replace(gpu, free_bytes=None) for gpu in machine.gpus)
    return replace(machine, free_bytes=int(machine.memory_bytes * _LEFT_OVER), gpus=gpus)


def fits(machine: Machine, known: Catalog) -> tuple[Fit, ...]:
    """Every file of the catalogue, in its order."""
    here = room(idle(machine), ABLE)
    return tuple(_fit(here, model, file, known) for model in known.models for file in model.files)


def _fit(here: Room, model: CatalogModel, file: CatalogFile, known: Catalog) -> Fit:
    would = as_file(model, file)
    found = place(would, here, Wish(None, 1, None, mtp=False, vision=False))
    gpu, system = totals(needs(would, found.layout, here))
    how = _how(found.layout, here) if found.fits else "no"
    return Fit(
        model=model,
        file=file,
        how=how,
        context_tokens=found.layout.context_tokens,
        kv_type=found.layout.kv_type,
        memory_bytes=gpu + system,
        tight=how == "whole" and found.layout.context_tokens < COMFORT,
        rate=_rate(would, found.layout, here) if found.fits else None,
        rate_by_class=_rate_by_class(would, found.layout, here) if found.fits else None,
        reported=tuple(_reported(model, file, here, known)),
    )


def _how(layout: Layout, here: Room) -> How:
    if not layout.is_on_gpu or not here.gpus:
        return "processor"
    if layout.layers_off:
        return "layers"
    return "experts" if layout.expert_layers_off else "whole"


def _rate(model: ModelFile, layout: Layout, here: Room) -> Rate | None:
    read = rates.read_bytes(model)
    if not layout.is_on_gpu:
        return rates.on_processor(read)
    whole = rates.on_gpu(here.gpus[0], read, has_experts=model.expert_bytes > 0)
    return rates.of_split(model, layout, whole) if whole else None


_CLASSES = (
    (8, "GeForce RTX 3050", "GeForce RTX 5060"),
    (12, "GeForce RTX 3060", "GeForce RTX 3080 Ti"),
    (16, "GeForce RTX 4060 Ti", "GeForce RTX 5080"),
    (24, "RTX A5000", "GeForce RTX 4090"),
    (32, "RTX 5000 Ada", "GeForce RTX 5090"),
    (48, "A40", "RTX 6000 Ada"),
    (80, "A100 80GB", "H100"),
    (96, "RTX PRO 6000 Blackwell", "H100"),
)
"""GiB -> the slowest and the fastest card by its bandwidth that is sold with about as much."""


def likely(gpu: Gpu) -> tuple[str, str] | None:
    """Between which cards one lies of which the memory alone is known; None = it is known by name,
    or none are sold with as much, or it shares the system's memory."""
    if rates.bandwidth_of(gpu.name) is not None or gpu.is_unified or not gpu.memory_bytes:
        return None
    size = gpu.memory_bytes / GIB
    return next(((slow, fast) for most, slow, fast in _CLASSES if size <= most), None)


def _rate_by_class(model: ModelFile, layout: Layout, here: Room) -> Rate | None:
    between = likely(here.gpus[0]) if here.gpus and layout.is_on_gpu else None
    if between is None:
        return None
    slow, fast = (_rate(model, layout, _with(name, here)) for name in between)
    return Rate(slow.low, fast.high) if slow and fast else None


def _with(name: str, here: Room) -> Room:
    return replace(here, gpus=(replace(here.gpus[0], name=name),))


def free_bytes(machine: Machine) -> int:
    """What there is for a model, on the GPU and beside it, margins taken off."""
    here = room(idle(machine), ABLE)
    return here.system_bytes + (0 if here.is_shared else here.gpu_bytes)


def _reported(
    model: CatalogModel, file: CatalogFile, here: Room, known: Catalog
) -> Iterator[Report]:
    name = here.gpus[0].name if here.gpus else "processor"
    for report in known.report:
        is_here = rates.is_named(report.on, name)
        same = _bits(report.quantisation) == _bits(file.quantisation)
        if is_here and same and model.name.endswith(report.of):
            yield report


def _bits(quantisation: str) -> str:
    """`Q4` of `UD-Q4_K_XL`."""
    return quantisation.removeprefix("UD-").split("_")[0].removeprefix("I")


class Doubt(msgspec.Struct, frozen=True):
    """A claim that cannot be, and why."""

    claim: Claim
    why: str


def impossible(known: Catalog) -> tuple[Doubt, ...]:
    """The claims of the sources that the sizes contradict."""
    return tuple(_doubts(known))


def _doubts(known: Catalog) -> Iterator[Doubt]:
    for claim in known.claim:
        model = next(one for one in known.models if one.name == claim.of)
        file = CatalogFile(claim.quantisation, claim.gigabytes, claim.source)
        if why := _against(claim, model, file):
            yield Doubt(claim, why)


_SHORTEST = 4096
_STRETCHED = "more than it was trained for: only with YaRN, which costs short texts"


def _against(claim: Claim, model: CatalogModel, file: CatalogFile) -> str:
    """Why not; empty = it may be. Cards count whole, without any margin: to be fair."""
    would = as_file(model, file)
    memory = claim.memory * GIB
    limit = _of_a_mac(memory) if claim.unified else memory
    tokens = claim.context or _SHORTEST
    layout = Layout(tokens, 1, "q8_0", is_on_gpu=True)
    # without what llama.cpp needs to compute: less than this it cannot be
    least = sum(
        one.size_bytes
        for one in needs(would, layout, Room(limit, memory, is_shared=False, gpus=()))
        if one.where == "gpu" and one.name != "buffers"
    )
    if least <= limit:
        return _STRETCHED if tokens > would.trained_tokens else ""
    have = f"of {claim.memory} GiB its GPU may use {limit / GIB:.0f}" if claim.unified else ""
    return f"{least / GIB:.1f} GiB are needed at the least" + (f", and {have}" if have else "")


def _of_a_mac(memory: int) -> int:
    return memory * 2 // 3 if memory <= 36 * GIB else memory * 3 // 4


def supposed(machine: Machine, gigabytes: int) -> Machine:
    """The same machine with one GPU of so much memory, of which no more is known."""
    gpu = Gpu(f"a GPU of {gigabytes} GiB", "nvidia", gigabytes * GIB, None)
    return replace(machine, gpus=(gpu,))


def of_model(found: Sequence[Fit], name: str) -> tuple[Fit, ...]:
    """Those of one model."""
    return tuple(one for one in found if one.model.name == name)
