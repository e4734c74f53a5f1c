"""The request that the settings lead to, field by field with its source. No server is asked."""

from collections.abc import Iterator, Mapping

import msgspec

from qcode.answering import overrides, settings_of
from qcode.config.load import Loaded
from qcode.config.profiles import fits, tuned
from qcode.engine.history import History
from qcode.engine.settings import Settings
from qcode.server.adapters import ollama
from qcode.server.base import Request, ServerFacts, Strategy
from qcode.server.families import family
from qcode.server.fields import NEUTRAL, Group, groups
from qcode.server.quirks import QUIRKS
from qcode.session.conversation import Conversation

OWN = "qcode: so that no server falls back to its own"


class Field(msgspec.Struct, frozen=True):
    """One field of the body."""

    name: str
    value: object
    source: str
    """For people: `model card of Qwen3.6-35B-A3B`, `user /home/…/config.toml:3`."""


class Wish(msgspec.Struct, frozen=True):
    """What would be sent, messages and tools left out."""

    model: str
    """Empty = none is named."""
    family: str
    kind: str
    fields: tuple[Field, ...]
    unsaid: str
    """A sentence on what this server would ignore; empty = nothing."""


def wish(loaded: Loaded, kind: str) -> Wish:
    """The first request of a session with the configured model, to a server of `kind`."""
    model = loaded.config.server.model
    facts = _facts(loaded, kind)
    history = History(Conversation(), facts, _settings(loaded))
    found = _fields(loaded, facts, history.request())
    return Wish(model, family(model).name, facts.kind, tuple(found), history.unsaid())


def _facts(loaded: Loaded, kind: str) -> ServerFacts:
    """A server that nobody has seen: the newest version, history as it is configured.

    Of a kind that takes a context with the request: as it is asked for that."""
    server = loaded.config.server
    usual: Strategy = "native" if QUIRKS[kind].counting else "plain"
    context = tuned(loaded.config, server.model, loaded.said).server.context_tokens or None
    facts = ServerFacts(
        kind=kind,
        version="",
        base_url=server.base_url,
        model=server.model,
        models=(),
        context_tokens=context,
        strategy=usual if server.history == "auto" else server.history,
        strategy_why="configuration",
        reasoning_field=QUIRKS[kind].reasoning_field,
        asked_context=context if QUIRKS[kind].context else None,
    )
    return ollama.asking(facts, context or 0)


def _settings(loaded: Loaded) -> Settings:
    config = tuned(loaded.config, loaded.config.server.model, loaded.said)
    settings = settings_of(config, "ask")
    settings.overrides = overrides(loaded.config, {})
    return settings


def _fields(loaded: Loaded, facts: ServerFacts, request: Request) -> Iterator[Field]:
    sources = _sources(loaded, facts, request)
    row = QUIRKS[facts.kind]
    of_group: Mapping[Group, str] = {
        "server": f"server row: {row.source.partition(':')[0]}",
        "answer": _set_by(loaded, "agent.max_tokens"),
        "thinking": _set_by(loaded, "agent.thinking"),
    }
    yield Field("model", facts.model, _origin(loaded, "server.model"))
    for group, sent in groups(facts, request).items():
        for name, value in sent.items():
            yield Field(name, value, sources.get(name) or of_group.get(group, OWN))


def _sources(loaded: Loaded, facts: ServerFacts, request: Request) -> dict[str, str]:
    """Of sampling and of the context, by the server's names."""
    row = QUIRKS[facts.kind].sampling
    card = family(facts.model).source
    found = {}
    for name, spelled in row.items():
        off = request.sampling.get(name) == NEUTRAL.get(name, object())
        maker = f"{card}; 0 = off where it names none" if off else card
        usual = maker if name in request.sampling else OWN
        found[spelled] = _said_of_model(loaded, name) or usual
    if facts.asked_context:
        found[QUIRKS[facts.kind].context] = _set_by(loaded, "server.context_tokens")
    return found


def _set_by(loaded: Loaded, key: str) -> str:
    of_model = "" if key in loaded.said else _said_of_model(loaded, key.rpartition(".")[2])
    return of_model or _origin(loaded, key)


def _said_of_model(loaded: Loaded, name: str) -> str:
    """Where `[models]` sets `name` for the model, the last pattern first; empty = nowhere."""
    model = loaded.config.server.model
    for pattern, values in reversed(loaded.config.models.items()):
        if fits(pattern, model) and getattr(values, name, None) is not None:
            return _origin(loaded, f"models.{pattern}.{name}")
    return ""


def _origin(loaded: Loaded, key: str) -> str:
    return f"{key}, {loaded.origins[key]}"
