"""Config -> who may answer: servers, what is asked of them, and which of them takes whose place.

The half of `assemble` that knows about servers; see `engine.routing` for what is done with it.
"""

import os
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import PurePath

import msgspec
from msgspec.structs import replace

from qcode.config.model import Config, Profile
from qcode.config.paths import paths
from qcode.config.profiles import said_by, tuned, with_profile
from qcode.config.secrets import own_key
from qcode.doctor import kept
from qcode.engine.choices import Choice, Plan
from qcode.engine.routing import Routes
from qcode.engine.say import Say
from qcode.engine.settings import Settings, thinking_tokens
from qcode.permission.modes import Mode
from qcode.protocol.events import Notice
from qcode.protocol.inputs import SetModel, SetSampling
from qcode.server.adapters import ollama
from qcode.server.base import Server, ServerFacts
from qcode.server.client import connect
from qcode.server.endpoint import Patience, normalise
from qcode.server.known import Wishes


def settings_of(config: Config, mode: Mode) -> Settings:
    """What the configuration says of requests, less what it says of single models."""
    agent = config.agent
    budget = thinking_tokens(agent.thinking, agent.max_tokens)
    preset = "coding" if agent.sampling == "auto" else agent.sampling
    return Settings(mode, config.server.model, budget, preset, agent.max_tokens, loops=agent.loops)


def overrides(config: Config, flags: Mapping[str, float]) -> tuple[tuple[str, SetSampling], ...]:
    """What `[models]` says of sampling, and over it what the flags say of any model."""
    names = SetSampling.__struct_fields__
    rows = {
        pattern: {name: getattr(values, name) for name in names}
        for pattern, values in config.models.items()
    }
    pairs = (*rows.items(), ("*", dict(flags)))
    return tuple((pattern, msgspec.convert(values, SetSampling)) for pattern, values in pairs)


def remarks(facts: ServerFacts) -> Iterator[Notice]:
    """What a person should know of the server that was found: what was picked where there was
    something to pick, a name that it does not go by, what `qcode doctor` found broken."""
    why, model = facts.picked_why, facts.model
    is_choice = why not in ("", "named", "the only one")
    if is_choice and (why != "loaded" or len(facts.models) > 1):
        flags = "--base-url names another server" if "before" in why else "--model names another"
        yield Notice("info", f"{model} was picked: {why}; {flags}.")
    if small := ollama.advice(facts):
        yield Notice("warning", small)
    is_file = bool(PurePath(model).suffix == ".gguf" or re.match(r"[/~.\\]|\w:\\", model))
    if facts.models and model not in facts.models and not is_file:
        names = ", ".join(facts.models)
        yield Notice("warning", f"The server has no model {model}: it answers as {names}.")
    if broken := kept.broken(paths().state / kept.FOLDER, facts):
        yield Notice("warning", broken)


OWN_REMEDY = (
    "The engine of qcode serve does not answer: `qcode serve --status` tells how it is, "
    "`qcode serve --stop` ends it, `qcode --gguf MODEL` starts it again."
)


@dataclass(frozen=True, slots=True)
class Own:
    """What belongs to this run alone."""

    api_key: str = field(repr=False)
    """For the server that it begins with, and for no other."""
    said: frozenset[str]
    """Keys that were said for it: `[models]` does not change them."""
    tries: int | None = None
    """Requests at most for one answer of that server; None = as usual."""


class Answering:
    """Makes the servers of one session, as they are needed."""

    def __init__(self, config: Config, own: Own, settings: Settings) -> None:
        self._config = config
        self._own = own
        self._settings = settings
        self._usual = replace(settings)
        """The settings as the configuration last had them."""
        self._configs: dict[Server, Config] = {}
        """What holds with each server."""

    def routes(self, say: Say) -> Routes:
        """The server that the run begins with, and who may take its place. Raises ConfigError."""
        agent = self._config.agent
        plan = Plan(
            fallback=partial(self._profile, agent.fallback) if agent.fallback else None,
            deeper=partial(self._profile, agent.escalate_to) if agent.escalate_to else None,
            failures=agent.escalate_after,
            choose=self._chosen,
        )
        first = self._choice("", self._config, self._own.api_key)
        return Routes(first, plan, self._settings, say)

    def _profile(self, name: str) -> Choice:
        config = with_profile(self._config, name)
        return self._choice(name, config, self._key(config))

    def _chosen(self, wish: SetModel, now: Choice) -> Choice:
        """A profile of that name; else the model, on the server that answers now."""
        if not wish.base_url and wish.model in self._config.profiles:
            return self._profile(wish.model)
        config = self._configs[now.server]
        server = msgspec.structs.replace(config.server, model=wish.model)
        if wish.base_url:  # what is known of another server does not hold for this one
            url = normalise(wish.base_url)
            server = msgspec.structs.replace(
                server, base_url=url, api_key_env="", context_tokens=0, history="auto"
            )
        config = msgspec.structs.replace(config, server=server)
        return self._choice(wish.model, config, self._key(config))

    def _choice(self, name: str, config: Config, api_key: str) -> Choice:
        """A server as `config` has it. Raises ConfigError."""
        wanted, profile = config.server, config.profiles.get(name, Profile())
        said = self._own.said | said_by(profile).keys()
        server = connect(
            wanted.base_url,
            api_key,
            wanted.model,
            _patience(config, name, self._tries(wanted.base_url)),
            wishes=replace(_wishes(config, said), remedy=self._remedy(wanted.base_url)),
        )
        self._configs[server] = config
        tune = partial(self._tuned, config, said)
        return Choice(name, wanted.base_url, server, tune, profile.remote or "deny")

    def _tries(self, base_url: str) -> int | None:
        """Somebody starts the first server again; of others nothing is known."""
        return self._own.tries if base_url == self._config.server.base_url else None

    def _remedy(self, base_url: str) -> str:
        return "" if self._tries(base_url) is None else OWN_REMEDY

    def _key(self, config: Config) -> str:
        server, first = config.server, self._config.server
        has_own = server.api_key_env not in ("", first.api_key_env)
        if server.base_url == first.base_url and not has_own:
            return self._own.api_key
        key = own_key(server.base_url, server.api_key_env, os.environ)
        return key.value if key else ""

    def _tuned(self, config: Config, said: frozenset[str], found: ServerFacts) -> ServerFacts:
        """The user's own words over what the server said, and over what the model's maker says."""
        config = tuned(config, found.model, said)
        settings, wanted = self._settings, settings_of(config, self._settings.mode)
        is_usual = settings.thinking_budget == self._usual.thinking_budget  # nobody changed it
        if is_usual or config.agent.thinking != self._config.agent.thinking:
            settings.thinking_budget = wanted.thinking_budget
        settings.model, settings.preset = wanted.model, wanted.preset
        settings.max_tokens = wanted.max_tokens
        self._usual = wanted
        context = config.server.context_tokens
        if not context or found.asked_context:  # what is asked for is what there is
            return found
        return replace(found, context_tokens=context, context_from="configuration")


def _context(config: Config, said: Collection[str], model: str) -> int:
    """Tokens of context that the settings want for a model; 0 = as the server has it."""
    return tuned(config, model, said).server.context_tokens


def _wishes(config: Config, said: Collection[str]) -> Wishes:
    history = config.server.history
    strategy = None if history == "auto" else history
    learned = kept.reader(paths().state / kept.FOLDER)
    return Wishes(strategy, partial(_context, config, said), learned)


def _patience(config: Config, name: str, tries: int | None) -> Patience:
    """A first server that has a fallback is not waited for without end."""
    agent = config.agent
    patience = Patience(
        connect_seconds=config.server.connect_seconds,
        loading_seconds=config.server.loading_seconds,
        unattended=agent.unattended == "on" and (bool(name) or not agent.fallback),
    )
    return replace(patience, tries=tries) if tries else patience
