"""Whether a model works out of memory that is not the card's: by its rates, and by the driver."""

from collections.abc import Sequence

from qcode.doctor.base import Finding, Measure
from qcode.doctor.probes import expected
from qcode.doctor.probes.advice import LLAMACPP
from qcode.doctor.probes.memory import Card
from qcode.doctor.probes.speeds import Speed
from qcode.server.base import ServerFacts

_LEAST_TOKENS = 4_000
"""Nearer to the start nothing falls."""
_SLACK = 0.6
_TIMES = 3.0
"""So many times the fall that others measured, and the slack, is an alarm."""
_STEEP = 2.5
_FAR_BELOW = 0.4
_SHARED_BYTES = 2 << 30


def findings(
    facts: ServerFacts, short: Speed, far: Speed | None, here: Sequence[Card]
) -> tuple[Finding, ...]:
    """At most one: what falls off is told before what is low."""
    known = expected.of(facts.model)
    if known is None or not short.is_steady or not short.middle:
        return ()
    if far and (found := _falls(facts, known, short, far, here)):
        return (found,)
    return tuple(
        found for card in here if (found := _low(facts, known, short.middle, card)) is not None
    )[:1]


def is_steep(short: Speed, far: Speed) -> bool:
    """Whether so much is lost that it should not be called well, whatever the model."""
    if not short.middle or not far.middle or far.prompt_tokens < _LEAST_TOKENS:
        return False
    return short.middle > _STEEP * far.middle


def counters(here: Sequence[Card]) -> dict[str, Measure]:
    """What the driver tells."""
    told: dict[str, Measure] = {}
    for number, card in enumerate(here):
        told |= {
            f"card_{number}": card.name,
            f"card_{number}_used_bytes": card.used_bytes,
            f"card_{number}_total_bytes": card.total_bytes,
            f"card_{number}_shared_bytes": card.shared_bytes,
        }
    return told


def _falls(
    facts: ServerFacts, known: expected.Model, short: Speed, far: Speed, here: Sequence[Card]
) -> Finding | None:
    near, later = short.middle, far.middle
    if not near or not later or not far.is_steady or far.prompt_tokens < _LEAST_TOKENS:
        return None
    usual = known.slowdown(far.prompt_tokens)
    if near / later <= 1.0 + _SLACK + _TIMES * (usual - 1.0):
        return None
    return Finding(
        id="rates.spill",
        weight="slow",
        title=f"Writing falls from {near:.0f} to {later:.0f} tokens a second at "
        f"{far.prompt_tokens:,} tokens: the model or its cache has left the card's memory.",
        cost=f"{near / later:.1f} times as slow; others lose {100 * (usual - 1):.0f} % by there.",
        change=_less_memory(facts),
        evidence={
            "short_written_per_second": near,
            "long_written_per_second": later,
            "long_tokens": far.prompt_tokens,
            "usual_slowdown": round(usual, 2),
            **counters(here),
        },
        source=known.source,
    )


def _low(facts: ServerFacts, known: expected.Model, written: float, card: Card) -> Finding | None:
    row = known.on(card.name)
    if row is None or written >= _FAR_BELOW * row.written:
        return None
    shared = card.shared_bytes > _SHARED_BYTES
    where = " and works in the system's" if shared else ""
    full = f" Its memory is full{where}." if card.is_full else ""
    return Finding(
        id="rates.low",
        weight="slow",
        title=f"{written:.0f} tokens a second is far below what this model writes on a "
        f"{card.name}: {row.written:.0f} and more.{full}",
        cost=f"Every answer takes {row.written / written:.1f} times as long.",
        change=_less_memory(facts),
        evidence={"written_per_second": written, **counters((card,))},
        source=known.source,
    )


def _less_memory(facts: ServerFacts) -> str:
    if facts.kind in LLAMACPP:
        return (
            "Give it less to hold: a smaller `-c`, `-ctk q8_0 -ctv q8_0`, `--no-mmproj`, fewer "
            "slots (`-np 1`), or a smaller quantisation; leave `-ngl` unset, so that `--fit` "
            "places what does not fit (of a mixture of experts, the experts)."
        )
    return "Give it less to hold: a smaller context, a quantised cache, a smaller quantisation."
