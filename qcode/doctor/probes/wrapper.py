"""What a wrapper costs: the clock, against what the engine within it says that it took.

Measured and not assumed: LM Studio and Ollama hold a llama.cpp (or MLX) and tell its figures in
their own APIs. What the clock shows beyond them went to the wrapper.
"""

import time
from collections.abc import Mapping
from typing import Any

import msgspec

from qcode.doctor.base import Finding, Result, Subject
from qcode.doctor.probes.asking import excerpt, fails, unclear, works
from qcode.server.ask import NoAnswer, Reply
from qcode.server.endpoint import root
from qcode.server.quirks import OLLAMA, QUIRKS

_TOKENS = 96
_TRIES = 2
_LIMIT_SECONDS = 60.0
_SHARE = 0.25
_SECONDS = 0.4
"""Less is noise on a busy machine."""
_NANOSECONDS = 1e9


class Told(msgspec.Struct, frozen=True):
    """One answer, by the clock and by the engine."""

    wall_seconds: float
    engine_seconds: float
    """Reading and writing; loading the model is no tax, and is in neither."""
    tokens_per_second: float

    @property
    def tax_seconds(self) -> float:
        """What the engine knows nothing of."""
        return max(self.wall_seconds - self.engine_seconds, 0.0)

    @property
    def share(self) -> float:
        """Of the clock."""
        return self.tax_seconds / self.wall_seconds if self.wall_seconds else 0.0


class WrapperProbe:
    """One answer by the wrapper's own API, twice; the better one counts."""

    name = "wrapper"
    label = "the wrapper against its engine"

    def absent(self, subject: Subject) -> str:
        """Only wrappers that tell what their engine does."""
        kind = subject.facts.kind
        if kind == "lmstudio" or kind in OLLAMA:
            return ""
        return f"{QUIRKS[kind].name} wraps no engine that tells its own figures"

    def estimate(self, subject: Subject) -> float:
        """Two answers."""
        return _TRIES * subject.rates.seconds(60, _TOKENS)

    async def run(self, subject: Subject) -> Result:
        """The figures of both."""
        found: list[Told] = []
        for at in range(_TRIES):
            told = await _asked(subject, at)
            if isinstance(told, str):
                return unclear(self.name, told)
            found.append(told)
        best = min(found, key=lambda told: told.tax_seconds)
        if best.share >= _SHARE and best.tax_seconds >= _SECONDS:
            return fails(self.name, _taxed(subject, best))
        return works(
            self.name,
            f"the engine writes {best.tokens_per_second:.1f} tokens a second; beside it "
            f"{best.share:.0%} of the time is lost",
            tax_share=round(best.share, 3),
            tokens_per_second=round(best.tokens_per_second, 1),
        )


async def _asked(subject: Subject, at: int) -> Told | str:
    """One answer; a text = why there are no figures."""
    url, body = _request(subject, at)
    began = time.monotonic()
    try:
        reply = await subject.asker.post(url, body, _LIMIT_SECONDS)
    except NoAnswer as error:
        return str(error)
    wall = time.monotonic() - began
    if reply.status != 200:
        return f"its own API answered with status {reply.status}"
    read = _of_lmstudio if subject.facts.kind == "lmstudio" else _of_ollama
    return read(reply, wall) or "its own API tells no figures"


def _request(subject: Subject, at: int) -> tuple[str, Mapping[str, Any]]:
    """As the agent asks where that makes a difference: the same context, or it is loaded anew."""
    facts = subject.facts
    words = f"{subject.salt} {at}. Count from 1 to 200, one number a line."
    body: dict[str, Any] = {
        "model": facts.model,
        "messages": [{"role": "user", "content": words}],
        "stream": False,
    }
    if facts.kind == "lmstudio":
        told = {"max_tokens": _TOKENS, "temperature": 0, "reasoning_effort": "none"}
        return f"{root(facts.base_url)}/api/v0/chat/completions", body | told
    options: dict[str, Any] = {"num_predict": _TOKENS, "temperature": 0}
    if facts.asked_context:
        options["num_ctx"] = facts.asked_context
    return f"{root(facts.base_url)}/api/chat", body | {"think": False, "options": options}


def _of_ollama(reply: Reply, wall: float) -> Told | None:
    """Its last line has the figures, in nanoseconds. `load_duration` is not the engine's time, and
    is taken off the clock."""
    line = _last_line(reply)
    read, wrote = _number(line.get("prompt_eval_duration")), _number(line.get("eval_duration"))
    count, load = _number(line.get("eval_count")), _number(line.get("load_duration"))
    if not wrote or not count:
        return None
    clock = max(wall - load / _NANOSECONDS, 0.0)
    return Told(clock, (read + wrote) / _NANOSECONDS, count / (wrote / _NANOSECONDS))


def _last_line(reply: Reply) -> Mapping[str, Any]:
    lines = reply.body.strip().splitlines()
    try:
        found = msgspec.json.decode(lines[-1]) if lines else {}
    except (msgspec.DecodeError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _of_lmstudio(reply: Reply, wall: float) -> Told | None:
    """`stats` of `/api/v0` (lmstudio-ai/docs 2026-04-29)."""
    stats = reply.fields.get("stats")
    if not isinstance(stats, dict):
        return None
    first, rest = _number(stats.get("time_to_first_token")), _number(stats.get("generation_time"))
    rate = _number(stats.get("tokens_per_second"))
    return Told(wall, first + rest, rate) if rest and rate else None


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def _taxed(subject: Subject, told: Told) -> Finding:
    server = QUIRKS[subject.facts.kind].name
    return Finding(
        id="wrapper.tax",
        weight="slow",
        title=f"{server} takes {told.share:.0%} of the time for itself.",
        cost=f"{told.tax_seconds:.1f} s of {told.wall_seconds:.1f} s an answer: its engine was at "
        f"work for {told.engine_seconds:.1f} s.",
        change=_change(subject),
        evidence={
            "wall_seconds": round(told.wall_seconds, 3),
            "engine_seconds": round(told.engine_seconds, 3),
            "tax_share": round(told.share, 3),
            "tokens_per_second": round(told.tokens_per_second, 1),
        },
    )


def _change(subject: Subject) -> str:
    if subject.facts.kind == "lmstudio":
        return (
            "Serve the same GGUF (LM Studio keeps them under ~/.lmstudio/models) with `qcode serve "
            "MODEL.gguf`, or llama-server, and compare with `qcode bench server`."
        )
    model = excerpt(subject.facts.model)
    return (
        f"Serve the same GGUF (`ollama show --modelfile {model}` names the file behind FROM) with "
        "`qcode serve FILE`, or llama-server, and compare with `qcode bench server`."
    )
