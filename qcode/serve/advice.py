"""One recommendation for a machine, with its reason.

An agent works in loops of many short steps, so speed counts as long as the model is good enough:
35B-A3B. Where a machine is so fast that the dense 27B keeps up, depth wins. Where neither runs well
the smaller one is told, as what it is.
"""

from collections.abc import Sequence

import msgspec

from qcode.serve.fits import Fit, How

FLUENT = 40.0
"""Tokens a second from which nobody waits for the dense model."""
BEARABLE = 8.0
"""Below it an agent's turn takes the better part of an hour."""
_LONG = 65_536
_BEST_FIRST = (
    *("Q6_K", "Q5_K_M", "Q4_K_XL", "Q4_K_M", "Q4_K_S", "IQ4_XS"),
    *("Q3_K_M", "IQ3_S", "Q8_0"),
)
"""More than six bits cost speed for little; below four, models begin to err."""
_FEW = frozenset({"Q3_K_M", "IQ3_S"})
_USUAL_FIRST = ("Q4_K_M", "Q4_K_XL", "Q4_K_S", "IQ4_XS", "Q3_K_M", "IQ3_S")
"""Where a part of the model is beside the GPU: each bit more is read slowly."""


class Advice(msgspec.Struct, frozen=True):
    """What to take."""

    take: Fit | None
    """None = nothing of the catalogue runs here."""
    why: str
    other: Fit | None = None
    """For the other kind of work."""

    @property
    def why_file(self) -> str:
        """Why this file of the model and not another; a sentence, empty = nothing is taken."""
        return _why_file(self.take) if self.take else ""


def advice(found: Sequence[Fit]) -> Advice:
    """Of all that fits."""
    loops, depth, small = (_best(found, kind) for kind in ("loops", "depth", "small"))
    if depth and depth.how == "whole" and _writes(depth) >= FLUENT:
        why = "it thinks deepest of what fits, and this machine is fast enough for all its weights"
        return Advice(depth, why, loops)
    if loops and (loops.how == "whole" or _is_bearable(loops)):
        return Advice(loops, _why_loops(loops), depth if depth and depth.how == "whole" else None)
    if small and small.how == "whole":
        return Advice(small, "it is what fits whole here; expect small repairs of it, no more")
    if loops or small:
        why = "it runs here, slowly: a turn of an agent takes long. A GPU changes that most"
        return Advice(loops or small, why)
    return Advice(None, "There is not enough memory here for a model that can do an agent's work")


def _why_loops(fit: Fit) -> str:
    why = "an agent's work is many short steps, and few of its weights are read for each token"
    if fit.how == "experts":
        return f"{why}, so that experts may stay in the system's memory"
    return why


def _why_file(fit: Fit) -> str:
    name = fit.file.quantisation
    if fit.how != "whole":
        return (
            f"{name}: each bit more is read slowly beside the GPU, below four models begin to err."
            if fit.how != "processor"
            else f"{name}: each bit more is read slowly, below four models begin to err."
        )
    if name.removeprefix("UD-") in _FEW:
        return f"{name}: no larger file has room; below four bits models begin to err."
    return (
        f"{name}: the best file that is whole on the GPU with {_LONG:,} tokens or more. A smaller "
        "one is faster and errs more, below four bits above all; above six little is gained."
    )


def _best(found: Sequence[Fit], good_for: str) -> Fit | None:
    """The best file of the models that are good for something; the smallest model first."""
    of_kind = [one for one in found if one.model.good_for == good_for and one.how != "no"]
    if not of_kind:
        return None
    name = of_kind[0].model.name
    return min((one for one in of_kind if one.model.name == name), key=_rank)


_HOWS: Sequence[How] = ("whole", "experts", "layers", "processor")


def _rank(fit: Fit) -> tuple[int, int]:
    order = _BEST_FIRST if fit.how == "whole" else _USUAL_FIRST
    name = fit.file.quantisation.removeprefix("UD-")
    bits = order.index(name) if name in order else len(order)
    if fit.how == "whole" and name not in _FEW and fit.context_tokens >= _LONG:
        return (1 if fit.tight else 0), bits
    return 2 + _HOWS.index(fit.how) + (4 if name in _FEW else 0), bits


def _is_bearable(fit: Fit) -> bool:
    """Where the GPU is not known, experts beside it were bearable on all that are."""
    return _writes(fit) >= BEARABLE or (fit.how == "experts" and fit.rate is None)


def _writes(fit: Fit) -> float:
    """Tokens a second: the least that was reported, else the least that is estimated."""
    if fit.reported:
        return min(one.writes for one in fit.reported)
    return fit.rate.low if fit.rate else 0.0
