"""Events in a few words for people: the sentences that all front ends share. Pure."""

import re

from qcode.protocol.display import Block, DiffBlock, FileBlock, MatchesBlock, OutputBlock
from qcode.protocol.events import (
    BudgetReached,
    Compacted,
    Elided,
    LoopSeen,
    PromptProgress,
    Repaired,
    Retried,
    Rewound,
    ServerState,
    Verified,
)
from qcode.protocol.text import one_line

STATES = {
    "loading": "the server loads its model",
    "waking": "the server wakes up its model",
    "busy": "the server is busy with others",
    "gone": "the server is gone",
    "back": "the server is back",
}
CLOSED = {
    "budget": "the budget is used up",
    "person": "you asked for the answer",
    "loop": "it repeated itself",
}


def model(name: str) -> str:
    """A model by its file's name where a server calls it by its whole path."""
    return re.split(r"[/\\]", name)[-1] if name.casefold().endswith(".gguf") else name


def state(event: ServerState) -> str:
    """What the server does, and how long it was away."""
    words = STATES[event.state]
    if event.state == "back" and event.seconds >= 1:
        return f"{words} after {event.seconds:.0f} s"
    return words


def budget(event: BudgetReached) -> str:
    """`thinking ended at 8,003 of 8,000 tokens: the budget is used up`."""
    of = f" of {event.budget:,}" if event.budget else ""
    return f"thinking ended at {event.used:,}{of} tokens: {CLOSED[event.why]}"


def loop(event: LoopSeen) -> tuple[str, str]:
    """What was repeated; what was done about it and what it cost."""
    cost = f"~{event.cost_tokens:,} tokens lost" if event.cost_tokens else ""
    done = " · ".join(part for part in (event.did.rstrip("."), cost) if part)
    return f"loop in {event.kind}: {one_line(event.detail)}", done


def repaired(event: Repaired) -> str:
    """`repaired: …`."""
    return f"repaired: {one_line(event.what, 300)}"


def retried(event: Retried) -> str:
    """`retry 2 in 1 s: connection refused`; of an answer that was of no use `asked again: …`."""
    if not event.wait_seconds:
        return f"asked again: {event.because}"
    return f"retry {event.attempt} in {event.wait_seconds:g} s: {event.because}"


def room(event: Elided | Compacted) -> str:
    """What the conversation took and takes, and that this is its price."""
    summed = isinstance(event, Compacted)
    what = "compacted" if summed else "dropped old results and reasoning"
    return f"{what}: ~{event.tokens_before:,} → ~{event.tokens_after:,} tokens, read again once"


def reading(event: PromptProgress) -> str:
    """`52 % of 8,200 tokens · 900/s · 4 s left`."""
    share = f"{100 * event.processed // max(event.total, 1)} % of {event.total:,} tokens"
    read = event.processed - event.cached
    if event.seconds <= 0 or read <= 0:
        return share
    rate = read / event.seconds
    left = (event.total - event.processed) / rate
    return f"{share} · {rate:,.0f}/s" + (f" · {left:.0f} s left" if left >= 1 else "")


def told(blocks: tuple[Block, ...]) -> str:
    """What stands behind a call that went well."""
    for block in blocks:
        match block:
            case DiffBlock():
                return f" · +{block.added} −{block.removed}"
            case OutputBlock():
                code = "running" if block.exit_code is None else f"exit {block.exit_code}"
                return f" · {code} · {block.seconds:.1f} s"
            case FileBlock():
                of = f" of {block.total_lines}" if block.total_lines else ""
                return f" · {block.first_line}-{block.last_line}{of}"
            case MatchesBlock():
                return f" · {block.total} found"
    return ""


def reread(count: int, why: str) -> str:
    """`read 60,392 tokens again: the tool list changed`."""
    return f"read {count:,} tokens again" + (f": {why}" if why else "")


def verified(event: Verified) -> str:
    """The outcome of the check: `check 2: pytest -q · failed (exit 1)`."""
    code = "it did not end" if event.exit_code is None else f"exit {event.exit_code}"
    said = "passed" if event.exit_code == 0 else f"failed ({code})"
    return f"check {event.attempt}: {one_line(event.command)} · {said}"


def rewound(event: Rewound) -> str:
    """Where the conversation goes on from."""
    count = len(event.files)
    files = f" · {count} file{'' if count == 1 else 's'} put back" if count else ""
    return f"went back to before turn {event.turn}{files}"
