"""Whether the servers that a bench compares are there, and have the models that were named.

llama.cpp's server answers to any name with the one model that it has: without this a model would be
compared with itself, and nothing would say so.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import PurePath

import msgspec

from qcode.cli import offline, own_server
from qcode.config.model import Config
from qcode.config.profiles import with_profile
from qcode.config.secrets import endpoint_key, without_password
from qcode.server.base import Server, ServerFacts
from qcode.server.client import connect
from qcode.server.endpoint import Patience
from qcode.server.failures import unknown_model

Tell = Callable[[str], None]

_HOLDS_ONE = "llamacpp"


class _Wanted(msgspec.Struct, frozen=True):
    """A model on a server. An empty one is whatever answers there."""

    base_url: str
    key_env: str
    model: str


async def there(names: Sequence[str], base_url: str | None, config: Config, tell: Tell) -> None:
    """Ask for each of `names`, models and profiles; without any, for what is configured.

    `tell` hears while one loads. Raises ServerError, UnknownModel among them.
    """
    offline.keep(config)
    server = config.server
    patience = Patience(
        connect_seconds=server.connect_seconds, loading_seconds=server.loading_seconds
    )
    for wanted in dict.fromkeys(_wanted(names, base_url, config)):
        facts = await _facts(wanted, patience, tell)
        if names:  # a name of the settings alone is compared with nothing
            check(facts)


def check(facts: ServerFacts) -> None:
    """Raises UnknownModel where it was asked for a model that it answers for and does not have."""
    if facts.kind != _HOLDS_ONE or not facts.models:  # the others refuse a wrong name themselves
        return
    if not _names(facts.model) & {name for model in facts.models for name in _names(model)}:
        where = without_password(facts.base_url)
        raise unknown_model(where, facts.model, facts.models)


def _names(model: str) -> set[str]:
    """Under which it is known: a file by its own name, too."""
    name = PurePath(model).name
    return {model, name, name.removesuffix(".gguf")}


def _wanted(names: Sequence[str], base_url: str | None, config: Config) -> Iterator[_Wanted]:
    usual = config.server
    if not names:  # the model of the settings is for the server of the settings
        model = "" if base_url else usual.model
        yield _Wanted(base_url or usual.base_url, usual.api_key_env, model)
    for name in names:
        if name in config.profiles:
            its = with_profile(config, name).server
            yield _Wanted(base_url or its.base_url, its.api_key_env, its.model)
        else:
            yield _Wanted(base_url or usual.base_url, usual.api_key_env, name)


async def _facts(wanted: _Wanted, patience: Patience, tell: Tell) -> ServerFacts:
    named = wanted.base_url
    meant = own_server.at(named) if named else own_server.of_model(wanted.model)
    with own_server.joined(meant, patience.loading_seconds) as found:
        if found is not None:  # the person's own, as the runs will find it
            _, card = found
            model = wanted.model or card.alias
            return await _asked(connect(card.base_url, card.key, model, patience), tell)
    key = endpoint_key(named, wanted.key_env, os.environ)
    return await _asked(connect(named, key.value if key else "", wanted.model, patience), tell)


async def _asked(server: Server, tell: Tell) -> ServerFacts:
    try:
        return await server.facts(lambda state: tell(f"the server is {state.state}"))
    finally:
        await server.close()


def listed(*lists: str) -> tuple[str, ...]:
    """The words of lists with commas between, as `--models` and `--profiles` have them."""
    return tuple(_words(lists))


def _words(lists: Iterable[str]) -> Iterator[str]:
    for text in lists:
        yield from (word.strip() for word in text.split(",") if word.strip())
