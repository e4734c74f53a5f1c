"""Profiles and models: what a name or a pattern in the settings stands for. Pure.

A profile is laid over the settings as a whole. What `[models]` says holds once the model's name is
known, and stands below what was said for this run.
"""

from collections.abc import Collection, Mapping
from fnmatch import fnmatchcase
from typing import Any

import msgspec

from qcode.config.model import Config, ModelValues, Profile, Server

_PLACES: Mapping[str, str] = {
    "base_url": "server.base_url",
    "model": "server.model",
    "api_key_env": "server.api_key_env",
    "context_tokens": "server.context_tokens",
    "thinking": "agent.thinking",
    "sampling": "agent.sampling",
    "mode": "permission.mode",
}
"""Field of a profile -> the key that it stands for."""

_OF_ONE_SERVER = ("model", "api_key_env", "context_tokens", "history")
"""What must not be said of another server, nor sent to it: all of `Server` but how long to wait."""


def base_urls(config: Config) -> tuple[str, ...]:
    """Every endpoint that the settings name."""
    named = (config.server.base_url, *(one.base_url for one in config.profiles.values()))
    return tuple(dict.fromkeys(url for url in named if url))


def overlay(profile: Profile) -> dict[str, object]:
    """The keys that `profile` changes, with their values.

    With a `base_url`, an empty one too, all that describes a server is set.
    """
    if profile.base_url is None:
        return said_by(profile)
    afresh = {f"server.{name}": getattr(Server(), name) for name in _OF_ONE_SERVER}
    return afresh | said_by(profile)


def said_by(profile: Profile) -> dict[str, object]:
    """The keys that stand in `profile`, with their values."""
    said = {place: getattr(profile, name) for name, place in _PLACES.items()}
    return {place: value for place, value in said.items() if value is not None}


def with_profile(config: Config, name: str) -> Config:
    """`config` while qcode itself works with a profile: all of it but the permission mode.

    Raises KeyError when there is no such profile.
    """
    tree: dict[str, dict[str, Any]] = {"server": {}, "agent": {}}
    for key, value in overlay(config.profiles[name]).items():
        section, _, field = key.partition(".")
        if section in tree:
            tree[section][field] = value
    return msgspec.structs.replace(
        config,
        server=msgspec.structs.replace(config.server, **tree["server"]),
        agent=msgspec.structs.replace(config.agent, **tree["agent"]),
    )


def tuned(config: Config, model: str, said: Collection[str] = ()) -> Config:
    """`config` with what `[models]` says of `model`, where the key is not among the `said` ones."""
    values = values_for(config, model)
    pairs = [("agent", "thinking"), ("agent", "max_tokens"), ("server", "context_tokens")]
    tree: dict[str, dict[str, Any]] = {"server": {}, "agent": {}}
    for section, field in pairs:
        value = getattr(values, field)
        if value is not None and f"{section}.{field}" not in said:
            tree[section][field] = value
    return msgspec.structs.replace(
        config,
        server=msgspec.structs.replace(config.server, **tree["server"]),
        agent=msgspec.structs.replace(config.agent, **tree["agent"]),
    )


def values_for(config: Config, model: str) -> ModelValues:
    """What `[models]` says of `model`: all patterns that fit, a later one over an earlier."""
    said: dict[str, Any] = {}
    for pattern, values in config.models.items():
        if fits(pattern, model):
            said |= {n: v for n, v in msgspec.structs.asdict(values).items() if v is not None}
    return ModelValues(**said)


def fits(pattern: str, model: str) -> bool:
    """Upper and lower case are the same. A pattern without `*`, `?` or `[` may stand anywhere."""
    wanted, name = pattern.casefold(), model.casefold()
    return wanted in name or fnmatchcase(name, wanted)
