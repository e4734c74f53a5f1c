"""The loaded context against what an agent needs and what the model can. Asks nothing."""

from qcode.doctor.base import Finding, Measure, Result, Subject
from qcode.doctor.probes.advice import GOOD_TOKENS, LEAST_TOKENS, context
from qcode.doctor.probes.slots import DIVIDED
from qcode.server.base import ServerFacts
from qcode.server.quirks import OLLAMA

_CUTS = " Ollama drops the oldest messages beyond that without a word."


class Context:
    """What the server told when it was met."""

    name = "context"
    label = "comparing the context"

    def absent(self, subject: Subject) -> str:
        """Never."""
        return ""

    def estimate(self, subject: Subject) -> float:
        """Nothing is sent."""
        return 0.0

    async def run(self, subject: Subject) -> Result:
        """At most one finding; a context that slots divide is theirs to tell."""
        facts = subject.facts
        loaded, trained = facts.context_tokens, facts.trained_tokens
        measured: dict[str, Measure] = {"context_tokens": loaded, "trained_tokens": trained}
        if loaded is None:
            said = "the server does not tell its context; qcode assumes one until it is set"
            return Result(probe=self.name, verdict="unclear", said=said, measured=measured)
        said = f"{loaded:,} tokens are loaded ({facts.context_from or 'as told'})"
        said += f"; the model was made for {trained:,}" if trained else ""
        found = _finding(subject, loaded)
        return Result(
            probe=self.name,
            verdict="fails" if found and found.weight != "note" else "works",
            said=said,
            findings=(found,) if found else (),
            measured=measured,
        )


def _finding(subject: Subject, loaded: int) -> Finding | None:
    facts = subject.facts
    divides = subject.notes.get(DIVIDED) is True
    slots = (facts.slots or 1) if divides else 1
    if facts.trained_tokens and loaded > facts.trained_tokens:
        return _beyond(facts, loaded, facts.trained_tokens)
    if loaded * slots >= GOOD_TOKENS:
        return None
    if facts.trained_tokens and facts.trained_tokens <= loaded:
        return _made_small(facts, loaded)
    return _small(facts, loaded, slots)


def _small(facts: ServerFacts, loaded: int, slots: int) -> Finding:
    wanted = min(2 * GOOD_TOKENS, facts.trained_tokens or GOOD_TOKENS)
    least = min(GOOD_TOKENS, wanted)
    is_least = loaded < LEAST_TOKENS
    cost = (
        "Instructions, tools and one file fill it: the conversation is compacted every few steps."
        if is_least
        else "A longer task is compacted on its way; each time all that is left is read anew."
    )
    cuts = _CUTS if facts.kind in OLLAMA else ""
    more = f" As many as {wanted:,} are better, where memory allows." if wanted > least else ""
    return Finding(
        id="context.small",
        weight="broken" if is_least else "note",
        title=f"The loaded context of {loaded:,} tokens is small for an agent.",
        cost=cost + cuts,
        change=context(facts, least, slots) + more,
        evidence={"context_tokens": loaded, "trained_tokens": facts.trained_tokens},
        source="Ollama's advice for agents, 64k; llama.cpp and Ollama, where the context is told",
    )


def _made_small(facts: ServerFacts, loaded: int) -> Finding:
    return Finding(
        id="context.model",
        weight="broken" if loaded < LEAST_TOKENS else "note",
        title=f"The model was made for {facts.trained_tokens:,} tokens, which is little.",
        cost="The conversation is compacted often, and no flag changes that.",
        change="Take a model that was made for 128k tokens or more: `qcode models` tells which "
        "fit here.",
        evidence={"context_tokens": loaded, "trained_tokens": facts.trained_tokens},
    )


def _beyond(facts: ServerFacts, loaded: int, trained: int) -> Finding:
    return Finding(
        id="context.beyond",
        weight="note",
        title=f"The loaded context of {loaded:,} tokens is more than the model was made for "
        f"({trained:,}).",
        cost="What stands beyond is read badly unless the positions are scaled (YaRN), and scaling "
        "makes short prompts a little worse.",
        change=context(facts, trained),
        evidence={"context_tokens": loaded, "trained_tokens": trained},
        source="model cards of Qwen3.5 and 3.6: 262,144, about a million with YaRN",
    )
