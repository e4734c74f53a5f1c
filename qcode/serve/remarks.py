"""What a person should read before the flags: what is lost here, what is tight, what is risked."""

from collections.abc import Iterator

from qcode.serve import rates
from qcode.serve.backends import native, unused
from qcode.serve.base import ModelFile
from qcode.serve.builds import SINCE, surely_has
from qcode.serve.decided import Decided
from qcode.serve.needs import totals
from qcode.serve.placing import WANTED
from qcode.serve.room import GIB, MIB

_OTHERS = 2 * GIB
"""From here on it is told that other programs hold memory of a GPU."""
_TIGHT = GIB


def remarks(found: Decided) -> tuple[str, ...]:
    """The most important one first; an unused GPU before all else."""
    return (
        *unused(found.machine, found.model, found.engine),
        *_missing(found),
        *_beside(found),
        *_short(found),
        *_stretched(found),
        *_taken(found),
        *_tight(found),
        *found.model.flaws,
        *_generic(found),
        *_head(found),
        *_eyes(found),
    )


def gigabytes(size_bytes: int) -> str:
    """As people say it, in powers of two: `19.7 GiB`, `820 MiB`."""
    if size_bytes < GIB:
        return f"{-(-size_bytes // MIB):,} MiB"
    return f"{size_bytes / GIB:,.1f} GiB"


def _missing(found: Decided) -> Iterator[str]:
    if found.fits:
        return
    gpu, system = totals(found.needed)
    have = found.room.system_bytes + (0 if found.room.is_shared else found.room.gpu_bytes)
    yield (
        f"It does not fit: {gigabytes(gpu + system)} are needed at {found.layout.context_tokens:,} "
        f"tokens, and {gigabytes(have)} are free for it. A smaller quantisation or a smaller model "
        "fits: qcode models."
    )


def _beside(found: Decided) -> Iterator[str]:
    """A part of the model, or all of it, is computed by the processor although a GPU is used."""
    layout, model = found.layout, found.model
    if not found.room.gpus or not found.fits:
        return
    if not layout.is_on_gpu:
        yield (
            "The GPU has no room for any of it, so the processor computes alone: "
            f"{rates.on_processor(rates.read_bytes(model))}."
        )
    elif layout.layers_off:
        yield (
            f"{layout.layers_off} of {model.layers} layers do not fit on the GPU. Each costs a "
            f"part of the speed{_rate(found)}; a smaller quantisation that fits whole is several "
            "times as fast: qcode models."
        )
    elif layout.expert_layers_off:
        yield (
            f"The experts of {layout.expert_layers_off} of {model.expert_layers} layers stay in "
            f"the system's memory{_rate(found)}. llama.cpp finds the number itself; set by hand, "
            f"--n-cpu-moe {layout.expert_layers_off}, it was a little faster (70 to 65 tok/s on an "
            "RTX 5080)."
        )


def _rate(found: Decided) -> str:
    """`, about 20 to 40 tok/s in all`; empty where the GPU is not known."""
    model, layout = found.model, found.layout
    read = rates.read_bytes(model)
    whole = rates.on_gpu(found.room.gpus[0], read, has_experts=model.expert_bytes > 0)
    if whole is None:
        return ""
    return f", {rates.of_split(model, layout, whole)} in all"


def _short(found: Decided) -> Iterator[str]:
    tokens = found.layout.context_tokens
    if found.fits and tokens < min(WANTED, found.model.trained_tokens or WANTED):
        yield (
            f"A context of {tokens:,} tokens is short for an agent, which wants {WANTED:,}: "
            "old messages will be summarised often."
        )


def _stretched(found: Decided) -> Iterator[str]:
    if found.yarn_factor > 1:
        yield (
            f"{found.layout.context_tokens:,} tokens are more than the "
            f"{found.model.trained_tokens:,} of its training: positions are stretched "
            f"{found.yarn_factor:g} times (YaRN). The stretch is static, it holds for short texts, "
            "too, and can make answers to them worse (Qwen's model card)."
        )


def _taken(found: Decided) -> Iterator[str]:
    for gpu in found.room.gpus:
        used = gpu.memory_bytes - (gpu.free_bytes if gpu.free_bytes is not None else 0)
        if gpu.free_bytes is not None and not gpu.is_unified and used > _OTHERS:
            yield (
                f"Other programs hold {gigabytes(used)} of {gpu.name}'s "
                f"{gigabytes(gpu.memory_bytes)}; the plan is made for what is left."
            )


def _tight(found: Decided) -> Iterator[str]:
    room = found.room
    gpu, _ = totals(found.needed)
    if not found.fits or not found.layout.is_on_gpu or room.is_shared:
        return
    left = room.gpu_bytes - gpu
    if left < _TIGHT and not found.layout.expert_layers_off and not found.layout.layers_off:
        yield (
            f"It is tight: {gigabytes(max(left, 0))} of the GPU are left beside a margin of 1 GiB. "
            "A browser that takes 200 MB of it can cost three quarters of the speed."
        )


def _generic(found: Decided) -> Iterator[str]:
    engine = found.engine
    if engine.backend == "xllamacpp" and not engine.uses and found.machine.system != "macos":
        yield (
            "xllamacpp's wheel is built for every processor, without the newest instructions. A "
            "llama-server that was built here is faster, up to three times by reports: "
            f"{native()}; then name it as serve.binary. qcode bench server measures both."
        )


def _head(found: Decided) -> Iterator[str]:
    if not found.model.has_mtp or found.layout.mtp or not found.room.gpus:
        return
    if not surely_has(found.engine.build, "mtp"):
        yield (
            "The model has a head for speculative decoding, which a build from "
            f"b{SINCE['mtp']} on uses; this one {_build(found)}."
        )
    elif found.fits:
        yield (
            "The model has a head for speculative decoding (MTP). It is left off, since it was "
            "seen to be slower or to crash on some backends, or there is no room: "
            "qcode serve --mtp on tries it."
        )


def _build(found: Decided) -> str:
    return f"is b{found.engine.build}" if found.engine.build else "tells no number"


def _eyes(found: Decided) -> Iterator[str]:
    model: ModelFile = found.model
    if model.projector is not None and not found.layout.vision:
        yield (
            f"It could see images with {model.projector.name}, for "
            f"{gigabytes(model.projector_bytes)} more: qcode serve --vision."
        )
