"""What fits, as text for a terminal of 80 columns, or as an object for scripts."""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from qcode.headless.talk import whole, wrapped
from qcode.serve.advice import Advice
from qcode.serve.base import Gpu, Machine
from qcode.serve.catalog import Catalog, CatalogModel, Claim
from qcode.serve.fits import Doubt, Fit, of_model
from qcode.serve.room import GIB

WIDTH = 80
_ROW = "  {:<12}{:>8}{:>10}{:>10}  {:<11}{}\n"
_PLACES = {
    "whole": "on the GPU",
    "experts": "GPU, experts beside",
    "layers": "GPU, layers beside",
    "processor": "processor alone",
}
_FOOT = (
    "file in 10^9 bytes, as the hub counts; needs in 2^30, as memory is sold. {} Experts beside "
    "the GPU cost some speed, layers beside it most."
)
_RATES = "tok/s are estimated from memory bandwidth; * = reported of this model on such a machine."
_NO_RATES = "tok/s are not told: they need a GPU that is known by name."
_ABLE = " All of it with a llama.cpp that uses the GPU: qcode serve says whether yours does."


class Shown(msgspec.Struct, frozen=True):
    """All that there is to say."""

    machine: Machine
    known: Catalog
    fits: Sequence[Fit]
    doubts: Sequence[Doubt]
    advice: Advice


def text(shown: Shown) -> str:
    """Ends in the recommendation."""
    blocks = [_machine(shown.machine), *(_model(shown, one) for one in shown.known.models)]
    rates = _RATES if any(_speed(fit) != "-" for fit in shown.fits) else _NO_RATES
    foot = _FOOT.format(rates) + (_ABLE if shown.machine.gpus else "")
    blocks += [_filled(foot), "".join(_doubts(shown)), "".join(_bad(shown.known))]
    return "\n".join((*blocks, "".join(_advice(shown))))


def _filled(said: str, indent: str = "") -> str:
    return wrapped(said.replace(" %", whole(" %")), WIDTH, indent).replace("\xa0", " ") + "\n"


def _machine(machine: Machine) -> str:
    gpus = ", ".join(map(_gpu, machine.gpus)) or "no GPU was found"
    memory = f"{machine.memory_bytes / GIB:.0f} GiB of memory, {machine.cores} cores"
    return _filled(f"{machine.processor or machine.system}: {gpus}; {memory}.", "  ")


def _gpu(gpu: Gpu) -> str:
    if gpu.memory_bytes == 0:
        return f"{gpu.name} without a driver"
    shares = ", of the system's" if gpu.is_unified else ""
    memory = f"{gpu.memory_bytes / GIB:.0f} GiB"
    return gpu.name if gpu.name.endswith(memory) else f"{gpu.name} ({memory}{shares})"


def _model(shown: Shown, model: CatalogModel) -> str:
    fits = of_model(shown.fits, model.name)
    rows = [_filled(f"{model.name}: {model.note}", "  ")]
    running = [fit for fit in fits if fit.how != "no"]
    if running:
        rows.append(_ROW.format("", "file", "needs", "context", "tok/s", "").rstrip() + "\n")
    rows += [_row(fit) for fit in running]
    if absent := [fit.file.quantisation for fit in fits if fit.how == "no"]:
        rows.append(_filled(f"  no room for {', '.join(absent)}", "    "))
    return "".join(rows)


def _row(fit: Fit) -> str:
    tight = ", tight" if fit.tight else ""
    cells = (
        fit.file.quantisation,
        f"{fit.file.gigabytes:.1f}",
        f"{fit.memory_bytes / GIB:.1f}",
        f"{fit.context_tokens:,}",
        _speed(fit),
        f"{_PLACES[fit.how]}{tight}",
    )
    return _ROW.format(*cells)


def _speed(fit: Fit) -> str:
    if fit.reported:
        seen = sorted(one.writes for one in fit.reported)
        return f"{_span(seen[0], seen[-1])}*"
    return _span(fit.rate.low, fit.rate.high) if fit.rate else "-"


def _span(low: float, high: float) -> str:
    if high < 2:
        return "1 or less"
    first, last = max(1, round(low)), round(high)
    return f"{first}-{last}" if first < last else f"{last}"


def _doubts(shown: Shown) -> Iterator[str]:
    yield "What sources say and cannot be:\n"
    for doubt in shown.doubts:
        yield _filled(f"  {_claim(doubt.claim)}: {doubt.why} [{doubt.claim.source}]", "    ")
    for key in sorted({doubt.claim.source for doubt in shown.doubts}):
        yield _filled(f"  [{key}] {shown.known.sources[key]}", "    ")


def _claim(claim: Claim) -> str:
    tokens = f" with {claim.context:,} tokens" if claim.context else ""
    return f"{claim.of} {claim.quantisation}{tokens} on {claim.on} ({claim.memory} GiB)"


def _bad(known: Catalog) -> Iterator[str]:
    yield "Files known to be bad:\n"
    for bad in known.bad:
        yield _filled(f"  {bad.files}: {bad.what}; {bad.then}", "    ")


def _advice(shown: Shown) -> Iterator[str]:
    advice = shown.advice
    if advice.take is None:
        yield _filled(f"{advice.why}.")
        return
    take = advice.take
    yield _filled(f"Take {_named(take)}: {advice.why}. {_terms(take)}")
    if advice.other:
        kind = {"depth": "depth", "loops": "speed in loops"}[advice.other.model.good_for]
        yield _filled(f"For {kind}: {_named(advice.other)}. {_terms(advice.other)}")
    if _drafts(shown.machine, take):
        yield _filled("With a head that drafts ahead (MTP), faster on NVIDIA's, a little larger:")
        yield f"  qcode models pull hf:{take.model.drafting}:{take.file.quantisation}\n"
        yield "Without it:\n"
    yield f"  qcode models pull {handle(take)}\n"


def _drafts(machine: Machine, fit: Fit) -> bool:
    """Where `qcode serve` would use the head: seen to help with CUDA alone."""
    is_nvidia = any(gpu.vendor == "nvidia" and gpu.driver for gpu in machine.gpus)
    return bool(fit.model.drafting) and is_nvidia and fit.how == "whole" and not fit.tight


def _named(fit: Fit) -> str:
    return f"{fit.model.name} at {fit.file.quantisation}"


def _terms(fit: Fit) -> str:
    speed = _speed(fit)
    said = f"{_PLACES[fit.how]}, {fit.context_tokens:,} tokens of context"
    if speed != "-":
        said += f", {speed.removesuffix('*')} tok/s {'reported' if fit.reported else 'estimated'}"
    return f"{said[0].upper()}{said[1:]}{'; it is tight' if fit.tight else ''}."


def handle(fit: Fit) -> str:
    """What `qcode models pull` and `qcode serve` take."""
    return f"hf:{fit.model.repository}:{fit.file.quantisation}"


def report(shown: Shown) -> dict[str, Any]:
    """The same for scripts."""
    take, other = shown.advice.take, shown.advice.other
    return {
        "machine": shown.machine,
        "checked": shown.known.checked,
        "models": [_fit_report(fit) for fit in shown.fits],
        "impossible": [{"claim": one.claim, "why": one.why} for one in shown.doubts],
        "bad": shown.known.bad,
        "sources": shown.known.sources,
        "recommendation": {
            "take": handle(take) if take else None,
            "why": shown.advice.why,
            "other": handle(other) if other else None,
        },
    }


def _fit_report(fit: Fit) -> dict[str, Any]:
    return {
        "model": fit.model.name,
        "quantisation": fit.file.quantisation,
        "handle": handle(fit),
        "good_for": fit.model.good_for,
        "file_gigabytes": fit.file.gigabytes,
        "source": fit.file.source,
        "how": fit.how,
        "needs_bytes": fit.memory_bytes,
        "context_tokens": fit.context_tokens if fit.how != "no" else None,
        "kv_type": fit.kv_type,
        "tight": fit.tight,
        "estimated": [fit.rate.low, fit.rate.high] if fit.rate else None,
        "reported": fit.reported,
    }
