"""A request's wishes -> the fields of the body, in the words of one kind of server. Pure.

What a server honours and how it spells it is its row in `quirks`, how a model thinks its family's.
Nothing is sent that the row does not name: some servers refuse what they do not know. What could
not be said is told by `ignored`. Messages and tools are no business of this file, so that
switching never changes them.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from msgspec.structs import replace

from qcode.server.base import Request, ServerFacts
from qcode.server.closing import CLOSING
from qcode.server.families import family_of
from qcode.server.family import WORDS, Family, level
from qcode.server.quirk import Quirks
from qcode.server.quirks import of

SAMPLING = (
    "temperature",
    "top_p",
    "top_k",
    "min_p",
    "presence_penalty",
    "repeat_penalty",
    "penalty_window",
)
"""Our names of the sampling values. `penalty_window`: over how many tokens penalties look back."""

NEUTRAL: Mapping[str, float] = {"min_p": 0.0, "presence_penalty": 0.0, "repeat_penalty": 1.0}
"""Values that change nothing: a server that ignores them does what is wanted."""

WINDOW_TOKENS = 2_048
"""For a presence penalty: the makers' values look back at the whole answer, llama.cpp's own at 64
tokens and mlx_lm's at 20."""

PLAIN_WINDOW_TOKENS = 64
"""Without one. A repeat penalty that looks back further punishes identifiers (llama.cpp's own)."""

Group = Literal["server", "sampling", "answer", "thinking", "request"]
"""Where a field of the body comes from: the server's row, the model's family or what overrides it,
the answer's bound, the thinking budget, `Request.extra`."""


def fields(facts: ServerFacts, request: Request) -> dict[str, Any]:
    """All fields of the body but model, messages, tools and `stream`."""
    body: dict[str, Any] = {}
    for group in groups(facts, request).values():
        body |= group
    return body


def groups(facts: ServerFacts, request: Request) -> dict[Group, dict[str, Any]]:
    """The same by where they come from; of two that name a field the later one wins."""
    row = _row(facts)
    bound = {} if request.max_tokens is None else {row.max_tokens: request.max_tokens}
    found: dict[Group, dict[str, Any]] = {
        "server": {**row.extra, **_context(row, facts)},
        "sampling": _sampling(row, request),
        "answer": bound,
        "thinking": _thinking(row, facts, request),
        "request": dict(request.extra),
    }
    return {group: _without(sent, facts.refused) for group, sent in found.items()}


def _row(facts: ServerFacts) -> Quirks:
    """The row, less what the server was measured not to do."""
    row = of(facts.kind, facts.version)
    return replace(row, budget=()) if "budget" in facts.unheeded else row


def limits(facts: ServerFacts, request: Request) -> bool:
    """Whether the server is told to hold the thinking budget: else it is the client's to hold."""
    found: Any = groups(facts, request)["thinking"]
    path = _row(facts).budget
    for name in path:
        if not isinstance(found, Mapping) or name not in found:
            return False
        found = found[name]
    return bool(path)


def ignored(facts: ServerFacts, request: Request) -> tuple[str, ...]:
    """What is wished and cannot be said to this server, by our names; `thinking` = its switch."""
    row = of(facts.kind, facts.version)
    lost = [
        name
        for name, value in request.sampling.items()
        if value != NEUTRAL.get(name) and _is_lost(name, row, facts)
    ]
    if budget_asked(request) == 0 and not switches(facts, request):
        lost.append("thinking")
    return tuple(lost)


def switches(facts: ServerFacts, request: Request) -> bool:
    """Whether a request like this one, with a budget of 0, keeps the model from thinking."""
    row, model = of(facts.kind, facts.version), family_of(facts)
    if model.thinks == "never":
        return True
    if row.switch == "none" or "thinking" in facts.unheeded:
        return False
    if model.frozen and request.first_budget:
        return False
    can_be_said = not facts.refused.intersection(_switched(row, facts, 0))
    return model.thinks in ("switch", "unknown") and can_be_said


def _is_lost(name: str, row: Quirks, facts: ServerFacts) -> bool:
    return row.sampling.get(name, "") in ("", *facts.refused) or name in facts.unheeded


def unsaid(facts: ServerFacts, request: Request) -> str:
    """The same as a sentence for people; empty = all that is wished is said."""
    lost = ignored(facts, request)
    values = [name for name in lost if name != "thinking"]
    told = []
    if values:
        many = f"{', '.join(values[:-1])} and {values[-1]}" if values[1:] else values[0]
        told.append(f"{of(facts.kind, '').name} takes no {many}: its own values hold.")
    if "thinking" in lost:
        told.append(_why_it_thinks(family_of(facts)))
    return " ".join(told)


def refusal(facts: ServerFacts, request: Request, sentence: str) -> str:
    """The field of ours that a refusal (4xx) with these words is about: for `ServerFacts.refused`.

    Empty = it is about something else. `max_tokens` and `Request.extra` are never given up.
    """
    sent = groups(facts, request)
    if "does not support thinking" in sentence:  # Ollama of a model that it knows better than we do
        return next(iter(sent["thinking"]), "")
    named = [name for group in ("server", "sampling", "thinking") for name in sent[group]]
    plain = {name: name.rpartition(".")[2] for name in named}
    return next((name for name in named if re.search(rf"\b{plain[name]}\b", sentence)), "")


def _context(row: Quirks, facts: ServerFacts) -> dict[str, Any]:
    """The same in each request of a session: another one would have the model loaded anew."""
    return {row.context: facts.asked_context} if row.context and facts.asked_context else {}


def _sampling(row: Quirks, request: Request) -> dict[str, Any]:
    wished = dict(request.sampling)
    penalised = wished.get("presence_penalty")
    wished.setdefault("min_p", 0.0)
    wished.setdefault("penalty_window", WINDOW_TOKENS if penalised else PLAIN_WINDOW_TOKENS)
    return {row.sampling[name]: value for name, value in wished.items() if name in row.sampling}


def _thinking(row: Quirks, facts: ServerFacts, request: Request) -> dict[str, Any]:
    """Switch, effort and limit. Behind closed reasoning the prompt is as with thinking on, and
    there is nothing left to limit."""
    model, asked = family_of(facts), budget_asked(request)
    if asked is None or model.thinks == "never":
        return {}
    if request.closed:
        return _switched(row, facts, max(asked, 1))
    handle = {row.control: True} if row.control and (asked or model.thinks == "always") else {}
    return _limited(_switched(row, facts, asked), row, model, request) | handle


def is_another(facts: ServerFacts, budget: int, other: int) -> bool:
    """Whether switch and effort are others for the one budget than for the other."""
    row = of(facts.kind, facts.version)
    return _switched(row, facts, budget) != _switched(row, facts, other)


def budget_asked(request: Request) -> int | None:
    """The budget that the switch follows."""
    return request.thinking_budget if request.first_budget is None else request.first_budget


def _switched(row: Quirks, facts: ServerFacts, asked: int) -> dict[str, Any]:
    model = family_of(facts)
    match row.switch:
        case "kwargs":
            word = level(model.levels, asked) if model.thinks == "levels" and row.effort else ""
            kwargs = {"chat_template_kwargs": _kwargs(facts, model, asked)}
            return kwargs | ({row.effort: word} if word else {})
        case "effort":
            word = _effort(model, asked)
            return {"reasoning_effort": word} if word else {}
        case "top":
            keeps = {} if model.thinks == "unknown" else model.keeps
            return {"enable_thinking": asked > 0, **keeps}
        case "request":
            return {"enable_thinking": asked > 0}
        case "think":
            word = _effort(model, asked)
            return {"think": _think(word, model)} if word else {}
        case "reasoning":
            word = level(model.levels, asked) if model.thinks == "levels" else ""
            return {"reasoning": {"effort": word} if word else {"enabled": asked > 0}}
        case _:
            return {}


def _kwargs(facts: ServerFacts, model: Family, asked: int) -> dict[str, Any]:
    """For the template. JSON booleans: llama.cpp insists. `fold` was proved without the keeping."""
    kwargs: dict[str, Any] = {}
    if model.thinks in ("switch", "unknown"):
        kwargs[model.switch] = asked > 0
    if facts.strategy != "fold":
        kwargs |= {"preserve_thinking": True, **model.keeps}
    word = level(model.levels, asked)
    if word and (asked or model.thinks == "levels"):
        kwargs["reasoning_effort"] = word
    return kwargs


def _effort(model: Family, asked: int) -> str:
    """A word for servers that know thinking by words. An unknown model is never told to think:
    Ollama refuses that to one that cannot, and one that can does so unasked."""
    if model.thinks == "levels":
        return level(model.levels, asked)
    if asked == 0:
        return "" if model.thinks == "always" else "none"
    return "" if model.thinks == "unknown" else level(WORDS, asked)


def _think(word: str, model: Family) -> bool | str:
    """Ollama's own spelling of a word: a level only for who knows levels, the highest is `max`."""
    if word == "none" or not model.levels:
        return word != "none"
    return "max" if word == "xhigh" else word


def _limited(sent: dict[str, Any], row: Quirks, model: Family, request: Request) -> dict[str, Any]:
    """With the budget in tokens, where the server holds it and the model thinks at all.

    Not for levels: their thinking stands in no block that a server would know the end of.
    """
    most = request.thinking_budget
    thinks = model.thinks == "always" or bool(budget_asked(request))
    trusted = model.thinks != "unknown" or not row.budget_flag
    # 0 is known to be taken where the template takes its keywords; elsewhere it may be refused
    sayable = most is not None and (most > 0 or row.switch == "kwargs")
    if not (row.budget and thinks and trusted and sayable) or model.thinks == "levels":
        return sent
    # b11549 sets a newline and the end mark behind it: with one more the message would not render
    # as it was generated, and be read again
    words = {row.budget_message: f"\n\n{CLOSING}"} if row.budget_message else {}
    return _put(sent, row.budget, most) | words


def _put(sent: Mapping[str, Any], path: Sequence[str], value: object) -> dict[str, Any]:
    """`sent` with one value more, at a path of names."""
    name, *deeper = path
    return {**sent, name: _put(sent.get(name, {}), deeper, value) if deeper else value}


def _without(sent: Mapping[str, Any], refused: frozenset[str]) -> dict[str, Any]:
    return {name: value for name, value in sent.items() if name not in refused}


def _why_it_thinks(model: Family) -> str:
    if model.thinks in ("always", "levels"):
        return f"{model.name} always thinks: it cannot be turned off, only kept short."
    return "Thinking cannot be turned off there: what comes of it is kept short."
