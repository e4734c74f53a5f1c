"""Defaults < user file < project file < environment < flags; each value knows where it came from.

A profile lies right above the layer that names it as `server.model`; beside the flag that names it
other flags still win. The project's file counts once it is trusted. No `.env` is ever read.
"""

import difflib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from qcode.config import files
from qcode.config.check import checked
from qcode.config.model import SECTIONS, TABLES, Config, Profile, keys, parted, value_of
from qcode.config.origin import DEFAULT, Origin, Setting, Settings
from qcode.config.paths import paths
from qcode.config.profiles import overlay, said_by
from qcode.protocol.errors import ConfigError, UsageError

ENVIRONMENT: Mapping[str, str] = {
    "OPENAI_BASE_URL": "server.base_url",
    "OPENAI_MODEL": "server.model",
    "QCODE_BASE_URL": "server.base_url",
    "QCODE_MODEL": "server.model",
    "QCODE_API_KEY_ENV": "server.api_key_env",
    "QCODE_CONTEXT_TOKENS": "server.context_tokens",
    "QCODE_HISTORY": "server.history",
    "QCODE_CONNECT_SECONDS": "server.connect_seconds",
    "QCODE_LOADING_SECONDS": "server.loading_seconds",
    "QCODE_MAX_STEPS": "agent.max_steps",
    "QCODE_MAX_TOKENS": "agent.max_tokens",
    "QCODE_THINKING": "agent.thinking",
    "QCODE_SAMPLING": "agent.sampling",
    "QCODE_APPEND_SYSTEM_PROMPT": "agent.append_system_prompt",
    "QCODE_VERIFY": "agent.verify",
    "QCODE_VERIFY_TRIES": "agent.verify_tries",
    "QCODE_UNATTENDED": "agent.unattended",
    "QCODE_OFFLINE": "agent.offline",
    "QCODE_LOOPS": "agent.loops",
    "QCODE_WARM": "agent.warm",
    "QCODE_COMPACTION": "agent.compaction",
    "QCODE_PERMISSION_MODE": "permission.mode",
    "QCODE_SANDBOX": "permission.sandbox",
    "QCODE_KEEP_DAYS": "session.keep_days",
    "QCODE_LOG_LEVEL": "log.level",
    "QCODE_IDLE_MINUTES": "serve.idle_minutes",
    "QCODE_SLEEP_MINUTES": "serve.sleep_minutes",
}
"""Variable -> key; a later one of the same key wins. Lists are for files and flags."""

OTHER_VARIABLES = frozenset(
    {"QCODE_HOME", "QCODE_API_KEY", "QCODE_STDIN_SECONDS", "QCODE_APPROVAL_SECONDS"}
)
"""Ours too, but no settings."""

CONSENT: Mapping[str, tuple[str, ...]] = {
    "permission.mode": ("yolo", "bypassPermissions"),
    "permission.sandbox": ("off",),
}
"""Values that only the command line and the user's own file may give."""

SANDBOX_WISH = "a wish for a sandbox"
"""Among the flags, and no setting: where there would be none it is `auto`, and weakens none."""


class Loaded(msgspec.Struct, frozen=True):
    """The settings of this run."""

    config: Config
    origins: Mapping[str, Origin]
    """Of every key, `section.name`."""
    notices: tuple[str, ...] = ()
    """Sentences for stderr: what was left out, and why."""
    proposed_verify: Setting | None = None
    """A verify command that the project proposes: not run unless the user accepts it."""
    withheld: Mapping[str, Setting] = msgspec.field(default_factory=dict)
    """What the project's file would set if it were trusted, the verify command among it."""
    profile: str = ""
    """The profile that holds; empty = none."""

    @property
    def said(self) -> frozenset[str]:
        """Keys that are about this run, so that `[models]` does not change them."""
        profile = said_by(self.config.profiles[self.profile]) if self.profile else {}
        return frozenset(
            key
            for key, origin in self.origins.items()
            if origin.kind in ("flag", "environment")
            or (origin.kind == "profile" and key in profile)
        )

    def origin(self, key: str) -> Origin:
        """Where `section.name` came from."""
        return self.origins[key]


class Sources(msgspec.Struct, frozen=True):
    """What is read."""

    user_file: Path
    project: files.ProjectFile | None = None
    """None = there is none, or it is not asked about."""
    environ: Mapping[str, str] = msgspec.field(default_factory=dict)
    flags: Mapping[str, tuple[str, object]] = msgspec.field(default_factory=dict)
    """Key -> (the flag as written, its value), such as `server.model` -> (`--model`, `qwen`)."""


def sources(
    flags: Mapping[str, tuple[str, object]] | None = None, project: files.ProjectFile | None = None
) -> Sources:
    """The usual ones, with the process's environment."""
    return Sources(paths().config_file, project, os.environ, flags or {})


def load(given: Sources) -> Loaded:
    """Read all of `given` and lay them over one another. Raises ConfigError and UsageError."""
    notices: list[str] = []
    mine = files.user(given.user_file)
    theirs, withheld = _of_project(given.project, notices)
    proposed = theirs.pop(files.PROPOSED, None)
    layers = [
        mine,
        _joined(mine, theirs),
        _environment(given.environ, notices),
        _flags(given.flags),
    ]
    profiles = _config(mine).profiles
    name = _choose(layers, profiles)
    found: Settings = {}
    for layer in layers:
        found |= layer
    _heed_wish(given.flags, found)
    config = _config(found)
    _check_names(config, found)
    return Loaded(config, _origins(found, config), tuple(notices), proposed, withheld, name)


def _of_project(
    given: files.ProjectFile | None, notices: list[str]
) -> tuple[Settings, Mapping[str, Setting]]:
    """What it sets, and what it would set."""
    if given is None or not given.why_not:
        return files.project(given, notices), {}
    would = files.project(given, [])
    if would:
        keys = ", ".join(sorted(would))
        notices.append(
            f"{given.path} does not count, since {given.why_not}. It would set {keys}: "
            "`qcode trust` shows it, `qcode trust add` trusts it as it is, --trust for one run."
        )
    return {}, would


def _choose(layers: list[Settings], profiles: Mapping[str, Profile]) -> str:
    """Put the profile that the highest layer names into `layers`; returns its name."""
    chosen = ""
    for at in reversed(range(len(layers))):
        named = layers[at].get("server.model")
        if named is None or named.value not in profiles:
            continue
        rest = {key: value for key, value in layers[at].items() if key != "server.model"}
        if chosen:  # a lower layer's profile is no model's name
            layers[at] = rest
            continue
        chosen = str(named.value)
        over = _profile_settings(chosen, profiles[chosen], named.origin)
        layers[at] = {**over, **rest} if named.origin.kind == "flag" else {**rest, **over}
    return chosen


def _profile_settings(name: str, profile: Profile, named: Origin) -> Settings:
    found = {
        key: Setting(value, Origin("profile", name)) for key, value in overlay(profile).items()
    }
    for key, words in CONSENT.items():
        if named.kind == "environment" and key in found and found[key].value in words:
            raise ConfigError(
                f"{named.name} chooses the profile {name}, whose mode is {found[key].value!r}. "
                f"That needs your own consent: choose it with --model {name}."
            )
    return found


def _check_names(config: Config, found: Mapping[str, Setting]) -> None:
    """Raises ConfigError when a key names a profile that is not there."""
    for key in ("agent.fallback", "agent.escalate_to"):
        if key in found and (name := value_of(config, key)) and name not in config.profiles:
            there = f"There is {', '.join(config.profiles)}." if config.profiles else ""
            raise ConfigError(
                f"{found[key].origin}: {key} names the profile {name!r}, which is not there. "
                f"{there or f'Write [profiles.{name}] in your settings.'}"
            )
    if config.agent.escalate_after and not config.agent.escalate_to:
        origin = found["agent.escalate_after"].origin
        raise ConfigError(
            f"{origin}: agent.escalate_after needs agent.escalate_to, the name of a profile."
        )


def _flags(flags: Mapping[str, tuple[str, object]]) -> Settings:
    """Raises UsageError: a flag's wrong value is a wrong flag."""
    try:
        return {
            key: Setting(checked(key, value, name, spelled="text"), Origin("flag", name))
            for key, (name, value) in flags.items()
            if key != SANDBOX_WISH
        }
    except ConfigError as error:
        raise UsageError(str(error)) from error


def _heed_wish(flags: Mapping[str, tuple[str, object]], found: Settings) -> None:
    key = "permission.sandbox"
    if SANDBOX_WISH in flags and key in found and found[key].value == "off":
        found[key] = Setting("auto", Origin("flag", flags[SANDBOX_WISH][0]))


def _joined(user: Mapping[str, Setting], project: Settings) -> Settings:
    """`project`, whose excludes come on top of the user's: they never bring a file back."""
    key = "agent.exclude"
    if key in user and key in project:
        mine, theirs = user[key].value, project[key]
        assert isinstance(mine, tuple)
        assert isinstance(theirs.value, tuple)
        both = tuple(dict.fromkeys((*mine, *theirs.value)))
        project = project | {key: Setting(both, theirs.origin)}
    return project


def _config(found: Mapping[str, Setting]) -> Config:
    tree: dict[str, dict[str, Any]] = {section: {} for section in (*SECTIONS, *TABLES)}
    for key, setting in found.items():
        section, name, field = parted(key)
        holder = tree[section].setdefault(name, {}) if name else tree[section]
        holder[field] = setting.value
    return msgspec.convert(tree, Config)


def _origins(found: Mapping[str, Setting], config: Config) -> dict[str, Origin]:
    return {key: found[key].origin if key in found else DEFAULT for key in keys(config)}


def _environment(environ: Mapping[str, str], notices: list[str]) -> Settings:
    found: Settings = {}
    for name, key in ENVIRONMENT.items():
        if environ.get(name):
            value = checked(key, environ[name], name, spelled="text")
            if value in CONSENT.get(key, ()):
                raise ConfigError(
                    f"{name} is {value!r}. That is your own consent: give it on the command line "
                    f"or as {key} in your settings file, not in the environment."
                )
            found[key] = Setting(value, Origin("environment", name))
    for name in sorted(environ):
        if name.startswith("QCODE_") and name not in ENVIRONMENT and name not in OTHER_VARIABLES:
            close = difflib.get_close_matches(name, [*ENVIRONMENT, *OTHER_VARIABLES], 1)
            hint = f" Did you mean {close[0]}?" if close else ""
            notices.append(f"{name} is set, but qcode knows no such variable.{hint}")
    return found


def shown(loaded: Loaded) -> tuple[tuple[str, object, Origin], ...]:
    """Key, value and origin of every setting in the order of the tree, profiles and models last."""
    return tuple((key, value_of(loaded.config, key), it) for key, it in loaded.origins.items())
