"""What fits, as text for a terminal of 80 columns, or as an object for scripts."""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from qcode.headless.talk import whole, wrapped
from qcode.serve.advice import Advice
from qcode.serve.base import Gpu, Machine
from qcode.serve.catalog import Catalog, CatalogModel, Claim
from qcode.serve.fits import Doubt, Fit, free_bytes, likely, of_model
from qcode.serve.rates import Rate, bandwidth_of
from qcode.serve.room import GIB

WIDTH = 80
_ROW = "  {:<12}{:>7}{:>8}{:>10} {:<5} {:<11}{}\n"
_PLACES = {
    "whole": "on the GPU",
    "experts": "GPU, experts beside",
    "layers": "GPU, layers beside",
    "processor": "processor alone",
}
_FOOT = (
    "file in 10^9 bytes, as the hub counts; needs in 2^30, as memory is sold: the file, the cache "
    "of so much context in the type that stands behind it, and what computing takes. {} Experts "
    "beside the GPU cost some speed, layers beside it most."
)
_RATES = (
    "tok/s are estimated from memory bandwidth; * = reported of this model on such a machine{}."
)
_CLASS_RATES = (
    "tok/s ~ are a guess: of this GPU the memory alone is known, and cards that are sold with so "
    "much go from a {} ({} GB/s) to a {} ({} GB/s), by their data sheets."
)
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
    foot = _FOOT.format(_about_rates(shown)) + (_ABLE if shown.machine.gpus else "")
    blocks += [_filled(foot), "".join(_doubts(shown)), "".join(_sources(shown))]
    blocks += ["".join(_bad(shown.known))]
    return "\n".join((*blocks, "".join(_advice(shown))))


def _about_rates(shown: Shown) -> str:
    """Where the rates come from."""
    between = next(filter(None, map(likely, shown.machine.gpus)), None)
    if between and any(fit.rate_by_class for fit in shown.fits):
        slow, fast = between
        return _CLASS_RATES.format(slow, _bandwidth(slow), fast, _bandwidth(fast))
    if all(_speed(fit) == "-" for fit in shown.fits):
        return _NO_RATES
    keys = sorted({one.source for fit in shown.fits for one in fit.reported})
    return _RATES.format(f" [{', '.join(keys)}]" if keys else "")


def _bandwidth(card: str) -> str:
    return f"{(bandwidth_of(card) or 0) / 1e9:,.0f}"


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
        head = _ROW.format("", "file", "needs", "context", "cache", "tok/s", "")
        rows.append(f"{head.rstrip()}\n")
    rows += [_row(fit) for fit in running]
    if absent := [fit for fit in fits if fit.how == "no"]:
        names = ", ".join(fit.file.quantisation for fit in absent)
        least = min(fit.memory_bytes for fit in absent) / GIB
        have = free_bytes(shown.machine) / GIB
        said = f"no room for {names}: from {least:.1f} GiB on are needed, {have:.1f} are there"
        rows.append(_filled(f"  {said}", "    "))
    return "".join(rows)


def _row(fit: Fit) -> str:
    tight = ", tight" if fit.tight else ""
    cells = (
        fit.file.quantisation,
        f"{fit.file.gigabytes:.1f}",
        f"{fit.memory_bytes / GIB:.1f}",
        f"{fit.context_tokens:,}",
        fit.kv_type,
        _speed(fit),
        f"{_PLACES[fit.how]}{tight}",
    )
    return _ROW.format(*cells)


def _speed(fit: Fit) -> str:
    if fit.reported:
        seen = sorted(one.writes for one in fit.reported)
        return f"{_span(seen[0], seen[-1])}*"
    if fit.rate:
        return _span(fit.rate.low, fit.rate.high)
    guess = fit.rate_by_class
    return f"~{_span(guess.low, guess.high)}" if guess else "-"


def _span(low: float, high: float) -> str:
    if high < 2:
        return "1 or less"
    first, last = max(1, round(low)), round(high)
    return f"{first}-{last}" if first < last else f"{last}"


def _doubts(shown: Shown) -> Iterator[str]:
    yield "What sources say and cannot be:\n"
    for doubt in shown.doubts:
        yield _filled(f"  {_claim(doubt.claim)}: {doubt.why} [{doubt.claim.source}]", "    ")


def _sources(shown: Shown) -> Iterator[str]:
    """Of all that is told above."""
    yield "Sources:\n"
    used = {doubt.claim.source for doubt in shown.doubts}
    used |= {one.source for fit in shown.fits for one in fit.reported}
    for key in sorted(used):
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
    yield _filled(advice.why_file)
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
        kind = "reported" if fit.reported else "estimated" if fit.rate else "guessed"
        said += f", {speed.strip('*~')} tok/s {kind}"
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
            "why_file": shown.advice.why_file,
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
        "estimated": _range(fit.rate),
        "guessed": _range(fit.rate_by_class),
        "reported": fit.reported,
    }


def _range(rate: Rate | None) -> list[float] | None:
    return [rate.low, rate.high] if rate else None
