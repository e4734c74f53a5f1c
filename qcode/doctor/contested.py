"""Where those who write about it contradict each other: named, and measured instead of believed.

The type of the cache, the other such question, is `probes/cache_type.py`'s.
"""

import re
from collections.abc import Iterator

from qcode.doctor.base import Finding
from qcode.server.base import ServerFacts

MEASURE = (
    "Measure it here: `qcode doctor --deep --json > before.json`, start the server with the other "
    "one, then `qcode doctor --deep --compare before.json`."
)
_QUANT = re.compile(r"(UD-Q4_K_XL|Q4_K_M)", re.IGNORECASE)


def remarks(facts: ServerFacts) -> Iterator[Finding]:
    """Notes that apply to this server; none is a fault."""
    if found := _QUANT.search(facts.model):
        yield Finding(
            id="contested.quant",
            weight="note",
            title=f"The model is {found[1]}. Whether UD-Q4_K_XL or Q4_K_M is best is disputed.",
            cost="The bad figures of UD-Q4_K_XL (9.7 % more perplexity, against 2.1 %) are those "
            "of its first files, which were replaced until 2026-03-05.",
            change=f"If the file is older than that, load it anew. {MEASURE}",
            source="Unsloth's notes of 2026-02-27 and 2026-03-05",
        )
