"""Several slots: whether they divide the context, and what an agent needs."""

from urllib.parse import quote

from qcode.doctor.base import Finding, Measure, Result, Subject
from qcode.doctor.probes.advice import GOOD_TOKENS, LLAMACPP
from qcode.doctor.probes.raw import KINDS, Raw
from qcode.server.ask import NoAnswer
from qcode.server.endpoint import root

DIVIDED = "slots.divided"
"""A note: True = each slot has a part of the context."""
_TOKENS = 48


class Slots:
    """Two conversations of a few tokens, each in a slot of its own."""

    name = "slots"
    label = "asking two slots"

    def absent(self, subject: Subject) -> str:
        """Where slots are not told of."""
        if subject.facts.kind not in LLAMACPP:
            return "only llama.cpp divides its context among slots"
        return "" if subject.facts.slots else "the server does not tell its slots"

    def estimate(self, subject: Subject) -> float:
        """A hundred tokens; of one slot nothing is asked."""
        if subject.facts.slots == 1:
            return 0.0
        return 0.5 + subject.rates.seconds(2 * _TOKENS, 8)

    async def run(self, subject: Subject) -> Result:
        """One slot is told as it is; of several, one is used and another watched."""
        slots, each = subject.facts.slots or 1, subject.facts.context_tokens
        measured: dict[str, Measure] = {"slots": slots, "slot_context_tokens": each}
        if slots == 1:
            said = "one slot, which is all that one conversation needs"
            return Result(probe=self.name, verdict="works", said=said, measured=measured)
        divided = await _are_apart(subject) if subject.facts.kind in KINDS else None
        subject.notes[DIVIDED] = divided
        measured |= {"divided": divided}
        if divided is None:
            said = f"{slots} slots; the server does not show whether they divide the context"
            return Result(probe=self.name, verdict="unclear", said=said, measured=measured)
        way = "divide the context" if divided else "share the whole context"
        said = f"{slots} slots {way}: {each or 0:,} tokens for one"
        if not divided or not each or each >= GOOD_TOKENS:
            return Result(probe=self.name, verdict="works", said=said, measured=measured)
        found = (_finding(slots, each),)
        return Result(
            probe=self.name, verdict="fails", said=said, findings=found, measured=measured
        )


def _finding(slots: int, each: int) -> Finding:
    whole = slots * each
    return Finding(
        id="slots.divided",
        weight="slow",
        title=f"{slots} slots divide the context: a conversation has {each:,} of {whole:,} tokens.",
        cost=f"It is compacted at {each:,} tokens, {slots} times as often as it need be; the other "
        "slots' memory lies idle while one conversation runs.",
        change=f"Start llama-server with `-np 1`, or with `--kv-unified` so that each of the "
        f"{slots} slots may use all {whole:,} tokens.",
        evidence={"slots": slots, "slot_context_tokens": each, "whole_context_tokens": whole},
        source="llama.cpp b11549, tools/server/server-context.cpp; /slots",
    )


async def _are_apart(subject: Subject) -> bool | None:
    """Whether the slots do not share. Where they do, an idle one is emptied for another's sake.

    None = the server does not show it (`--no-slots`).
    """
    raw = Raw(subject)
    try:
        prompt = await raw.prompt(_TOKENS, "slot")
        await raw.complete(prompt, {"id_slot": 0, "cache_prompt": True})
        if await _held(subject) == 0:
            return None
        other = await raw.prompt(_TOKENS, "another slot")
        await raw.complete(other, {"id_slot": 1, "cache_prompt": True})
        return await _held(subject) != 0
    except NoAnswer:
        return None


async def _held(subject: Subject) -> int:
    """Tokens in slot 0. Raises NoAnswer where that is not told."""
    at, model = root(subject.facts.base_url), quote(subject.facts.model, safe="")
    reply = await subject.asker.get(f"{at}/slots?model={model}")
    rows = reply.json
    if reply.status != 200 or not (isinstance(rows, list) and rows and isinstance(rows[0], dict)):
        raise NoAnswer("no slots are told")
    held = rows[0].get("n_prompt_tokens")
    if not isinstance(held, int):
        raise NoAnswer("slots do not tell what they hold")
    return held
