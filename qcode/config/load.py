"""Defaults < user file < project file < environment < flags; each value knows where it came from.

The project file comes with the repository, so it is not believed: it may set only the keys of
`HARMLESS`. Any other key in it is left out with a warning that names file and line. It is not an
error that stops, or a repository could keep qcode from starting in it. No `.env` is ever read.
"""

import difflib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import msgspec

from qcode.config.check import checked, nearest
from qcode.config.lines import places, read_toml
from qcode.config.model import SECTIONS, Config, keys, value_of
from qcode.config.paths import PROJECT_FILE, paths
from qcode.protocol.errors import ConfigError, UsageError
from qcode.protocol.text import one_line

HARMLESS = frozenset({"agent.thinking", "agent.sampling", "agent.exclude"})
"""What a project file may set."""

PROPOSED = "agent.verify"
"""What a project file may propose: it is a command, so it runs only where the user accepts it."""

ENVIRONMENT: Mapping[str, str] = {
    "OPENAI_BASE_URL": "server.base_url",
    "OPENAI_MODEL": "server.model",
    "QCODE_BASE_URL": "server.base_url",
    "QCODE_MODEL": "server.model",
    "QCODE_API_KEY_ENV": "server.api_key_env",
    "QCODE_CONTEXT_TOKENS": "server.context_tokens",
    "QCODE_CONNECT_SECONDS": "server.connect_seconds",
    "QCODE_LOADING_SECONDS": "server.loading_seconds",
    "QCODE_MAX_STEPS": "agent.max_steps",
    "QCODE_MAX_TOKENS": "agent.max_tokens",
    "QCODE_THINKING": "agent.thinking",
    "QCODE_SAMPLING": "agent.sampling",
    "QCODE_APPEND_SYSTEM_PROMPT": "agent.append_system_prompt",
    "QCODE_VERIFY": "agent.verify",
    "QCODE_VERIFY_TRIES": "agent.verify_tries",
    "QCODE_PERMISSION_MODE": "permission.mode",
    "QCODE_SANDBOX": "permission.sandbox",
    "QCODE_KEEP_DAYS": "session.keep_days",
    "QCODE_LOG_LEVEL": "log.level",
}
"""Variable -> key; a later one of the same key wins. Lists are for files and flags."""

OTHER_VARIABLES = frozenset({"QCODE_HOME", "QCODE_API_KEY", "QCODE_STDIN_SECONDS"})
"""Ours too, but no settings."""

CONSENT: Mapping[str, tuple[str, ...]] = {
    "permission.mode": ("yolo", "bypassPermissions"),
    "permission.sandbox": ("off",),
}
"""Values that only the command line and the user's own file may give."""


MOST_NOTICES = 10
"""About one project file; it may be hostile."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value came from."""

    kind: Literal["default", "user", "project", "environment", "flag"]
    name: str = ""
    """The file, the variable or the flag."""
    line: int = 0
    """In the file; 0 = not a file."""

    def __str__(self) -> str:
        place = f"{self.name}:{self.line}" if self.line else self.name
        return f"{self.kind} {place}".strip()


DEFAULT = Origin("default")


@dataclass(frozen=True, slots=True)
class Setting:
    """One value that somebody set."""

    value: object
    origin: Origin


@dataclass(frozen=True, slots=True)
class Loaded:
    """The settings of this run."""

    config: Config
    origins: Mapping[str, Origin]
    """Of every key, `section.name`."""
    notices: tuple[str, ...] = ()
    """Sentences for stderr: what was left out, and why."""
    proposed_verify: Setting | None = None
    """A verify command that the project proposes: not run unless the user accepts it."""

    def origin(self, key: str) -> Origin:
        """Where `section.name` came from."""
        return self.origins[key]


@dataclass(frozen=True, slots=True)
class Sources:
    """What is read."""

    user_file: Path
    project_file: Path | None
    """None = no project."""
    environ: Mapping[str, str] = field(default_factory=dict)
    flags: Mapping[str, tuple[str, object]] = field(default_factory=dict)
    """Key -> (the flag as written, its value), such as `server.model` -> (`--model`, `qwen`)."""


def sources(root: Path, flags: Mapping[str, tuple[str, object]] | None = None) -> Sources:
    """The usual ones for a workspace at `root`, with the process's environment."""
    return Sources(paths().config_file, root / PROJECT_FILE, os.environ, flags or {})


def load(given: Sources) -> Loaded:
    """Read all of `given` and lay them over one another. Raises ConfigError and UsageError."""
    notices: list[str] = []
    found = _user(given.user_file)
    project = _project(given.project_file, notices)
    proposed = project.pop(PROPOSED, None)
    found |= _joined(found, project)
    found |= _environment(given.environ, notices)
    found |= _flags(given.flags)
    return Loaded(_config(found), _origins(found), tuple(notices), proposed)


def _flags(flags: Mapping[str, tuple[str, object]]) -> dict[str, Setting]:
    """Raises UsageError: a flag's wrong value is a wrong flag."""
    try:
        return {
            key: Setting(checked(key, value, name, spelled="text"), Origin("flag", name))
            for key, (name, value) in flags.items()
        }
    except ConfigError as error:
        raise UsageError(str(error)) from error


def _joined(user: Mapping[str, Setting], project: dict[str, Setting]) -> dict[str, Setting]:
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
    tree: dict[str, dict[str, object]] = {section: {} for section in SECTIONS}
    for key, setting in found.items():
        section, name = key.split(".")
        tree[section][name] = setting.value
    return msgspec.convert(tree, Config)


def _origins(found: Mapping[str, Setting]) -> dict[str, Origin]:
    return {key: found[key].origin if key in found else DEFAULT for key in keys()}


def _user(path: Path) -> dict[str, Setting]:
    """Every key of the user's file, checked. Raises ConfigError with file and line."""
    if (read := read_toml(path)) is None:
        return {}
    text, tables = read
    lines = places(text)
    return {
        key: Setting(
            checked(key, value, f"{path}:{lines.get(key, 1)}"),
            Origin("user", str(path), lines.get(key, 1)),
        )
        for key, value in _flat(tables, path, lines)
    }


def _flat(
    tables: Mapping[str, Any], path: Path, lines: Mapping[str, int]
) -> Iterator[tuple[str, object]]:
    """`{"server": {"model": "x"}}` -> `("server.model", "x")`. Raises for unknown sections."""
    for section, table in tables.items():
        where = f"{path}:{lines.get(section, 1)}"
        if section not in SECTIONS:
            raise ConfigError(f"{where}: there is no section {section!r}. {nearest(section)}")
        if not isinstance(table, dict):
            raise ConfigError(f"{where}: {section!r} is a section: write [{section}] above it.")
        yield from ((f"{section}.{name}", value) for name, value in table.items())


def _project(path: Path | None, notices: list[str]) -> dict[str, Setting]:
    """The harmless keys of the project file, and the proposal; notices say what was left out.

    A file that is broken is left out as a whole, for the same reason.
    """
    if path is None:
        return {}
    try:
        read = read_toml(path)
    except ConfigError as error:
        notices.append(one_line(f"{error} The project's settings are left out.", 500))
        return {}
    found: dict[str, Setting] = {}
    text, tables = read or ("", {})
    lines, refused = places(text), list[str]()
    for key, value in _pairs(tables):
        line = lines.get(key, 1)
        try:
            _permit(key, f"{path}:{line}")
            value = checked(key, value, f"{path}:{line}")
            found[key] = Setting(value, Origin("project", str(path), line))
        except ConfigError as error:
            refused.append(one_line(f"{error} It is left out.", 500))
    notices += refused[:MOST_NOTICES]
    if len(refused) > MOST_NOTICES:
        notices.append(f"{path}: {len(refused) - MOST_NOTICES} more of its keys are left out.")
    return found


def _pairs(tables: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    """Like `_flat`, for a file whose unknown sections are no reason to stop."""
    for section, table in tables.items():
        if isinstance(table, dict):
            yield from ((f"{section}.{name}", value) for name, value in table.items())
        else:
            yield section, table


def _permit(key: str, where: str) -> None:
    """Raises ConfigError unless a project may set `key`."""
    if key not in HARMLESS and key != PROPOSED:
        may = ", ".join(sorted(HARMLESS | {PROPOSED}))
        raise ConfigError(
            f"{where}: a project may not set {key}, since its file comes with the repository. "
            f"It may set {may}; the rest belongs in your own settings."
        )


def _environment(environ: Mapping[str, str], notices: list[str]) -> dict[str, Setting]:
    found: dict[str, Setting] = {}
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
    """Key, value and origin of every setting, in the order of the tree."""
    return tuple((key, value_of(loaded.config, key), loaded.origins[key]) for key in keys())
