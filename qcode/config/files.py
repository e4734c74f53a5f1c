"""The user's settings file and the project's: every key checked, or left out with a reason.

The project's comes with the repository, so it is not believed: none of it counts before a person
trusts it, and then it may set only the keys of `HARMLESS`. Any other key in it is left out with a
warning that names file and line. It is not an error that stops, or a repository could keep qcode
from starting in it.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from qcode.config.check import checked, nearest
from qcode.config.lines import parsed, places, read_toml
from qcode.config.model import SECTIONS, TABLES
from qcode.config.origin import Origin, Setting
from qcode.protocol.errors import ConfigError
from qcode.protocol.text import one_line

HARMLESS = frozenset({"agent.thinking", "agent.sampling", "agent.exclude"})
"""What a project file may set, once it is trusted: never where requests go and with which key, what
is allowed, what stands around commands, or what is logged."""

PROPOSED = "agent.verify"
"""What a project file may propose: it is a command, so it runs only where the user accepts it."""

MOST_NOTICES = 10
"""About one project file; it may be hostile."""

_NAME = re.compile(r"[^\x00-\x20\x7f\"\\]{1,200}")
"""Of a profile, or a pattern of models."""


class ProjectFile(msgspec.Struct, frozen=True):
    """The project's settings file: its bytes as they were judged, not as they may be by now."""

    path: Path
    data: bytes
    why_not: str
    """Why none of it counts, as a clause; empty = it is trusted."""


def user(path: Path) -> dict[str, Setting]:
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
        if section not in SECTIONS and section not in TABLES:
            raise ConfigError(f"{where}: there is no section {section!r}. {nearest(section)}")
        if not isinstance(table, dict):
            header = f"{section}.NAME" if section in TABLES else section
            raise ConfigError(f"{where}: {section!r} is a section: write [{header}] above it.")
        inner = _named(section, table, path, lines) if section in TABLES else [(section, table)]
        for prefix, values in inner:
            yield from ((f"{prefix}.{name}", value) for name, value in values.items())


def _named(
    section: str, tables: Mapping[str, Any], path: Path, lines: Mapping[str, int]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """`{"deep": {…}}` of `profiles` -> `("profiles.deep", {…})`."""
    for name, table in tables.items():
        where = f"{path}:{lines.get(f'{section}.{name}', 1)}"
        if not _NAME.fullmatch(name):
            raise ConfigError(f"{where}: {name!r} is no name for [{section}.NAME]. Choose another.")
        if not isinstance(table, dict) or not table:
            fields = ", ".join(TABLES[section].__struct_fields__)
            raise ConfigError(
                f"{where}: [{section}.{name}] is a table of its own. It may have {fields}."
            )
        yield f"{section}.{name}", table


def project(given: ProjectFile | None, notices: list[str]) -> dict[str, Setting]:
    """The harmless keys of the project file, and the proposal, as if it were trusted; notices say
    what was left out.

    A file that is broken is left out as a whole, for the same reason.
    """
    if given is None:
        return {}
    path = given.path
    try:
        text, tables = parsed(path, given.data)
    except ConfigError as error:
        notices.append(one_line(f"{error} The project's settings are left out.", 500))
        return {}
    found: dict[str, Setting] = {}
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
