"""Where those who write about it contradict each other: named, and measured instead of believed."""

import re
from collections.abc import Iterable, Iterator

from qcode.doctor.base import Finding, Result
from qcode.server.base import ServerFacts

MEASURE = (
    "Measure it here: qcode doctor --deep --json > before.json, start the server with the other "
    "one, then qcode doctor --deep --compare before.json."
)
_CACHE = re.compile(r"(?:f16|bf16|q8_0|q5_[01]|q4_[01]|iq4_nl)")
_QUANT = re.compile(r"(UD-Q4_K_XL|Q4_K_M)", re.IGNORECASE)


def remarks(facts: ServerFacts, results: Iterable[Result]) -> Iterator[Finding]:
    """Notes that apply to this server; none is a fault."""
    if kind := _cache_type(results):
        yield Finding(
            id="contested.cache",
            weight="note",
            title=f"The KV cache is {kind}. Whether f16, bf16 or q8_0 is best is disputed.",
            cost="One source holds that bf16 is needed, two that q8_0 costs nothing; one "
            "measurement found 0.09 % more perplexity for q8_0.",
            change=MEASURE,
            source="llama.cpp PR #21038; LLMKube #601 (Qwen3.6-35B-A3B, 8k)",
        )
    if found := _QUANT.search(facts.model):
        yield Finding(
            id="contested.quant",
            weight="note",
            title=f"The model is {found[1]}. Whether UD-Q4_K_XL or Q4_K_M is best is disputed.",
            cost="The bad figures of UD-Q4_K_XL belong to files of before 2026-03-05.",
            change=f"If the file is older, load it anew. {MEASURE}",
            source="Unsloth's notes of 2026-02-27 and 2026-03-05",
        )


def _cache_type(results: Iterable[Result]) -> str:
    """As a probe read it; empty = the server does not tell."""
    values = (
        value for one in results if one.probe == "cache type" for value in one.measured.values()
    )
    return next((str(each) for each in values if _CACHE.fullmatch(str(each).lower())), "")
