"""Reading TOML so that complaints name a line; `tomllib` itself keeps none."""

import re
import stat
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from qcode.protocol.errors import ConfigError

LARGEST = 262_144
"""Bytes. A settings file is never that long; a hostile one could be."""

_PLACE = re.compile(r"\s*\(at line (\d+), column \d+\)|\s*\(at end of document\)")
_WORK = 4_000_000
"""Characters that `places` parses at most; a multi-line value is parsed once a line."""


def read_toml(path: Path) -> tuple[str, dict[str, Any]] | None:
    """Text and tables of a TOML file; None = there is none. Raises ConfigError with its line."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # a pipe would keep the start waiting
            raise ConfigError(f"{path} is not a file. Remove it or put a settings file there.")
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise ConfigError(f"{path} cannot be read ({error.strerror}).") from error
    return parsed(path, data)


def parsed(path: Path, data: bytes) -> tuple[str, dict[str, Any]]:
    """The same of bytes that were read from `path`."""
    if len(data) > LARGEST:
        raise ConfigError(f"{path} is longer than {LARGEST:,} bytes: not a settings file.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise ConfigError(f"{path}:{line}: the file is not UTF-8. Save it as UTF-8.") from error
    try:
        return text, tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place = _PLACE.search(str(error))
        line = int(place[1]) if place and place[1] else text.count("\n") + 1
        what = _PLACE.sub("", str(error)).rstrip(".")
        raise ConfigError(
            f"{path}:{line}: not valid TOML: {what}. Mend the line or put `#` before it."
        ) from error
    except RecursionError:
        raise ConfigError(f"{path}:1: the file nests too deep.") from None


def places(text: str) -> dict[str, int]:
    """Of valid TOML: every dotted key and table -> the line, from 1, where it is first set.

    Each statement is parsed by itself, so quotes, dotted keys and inline tables need no second
    parser. What lies beyond `_WORK` characters of parsing is left out: the text may be hostile.
    """
    found: dict[str, int] = {}
    lines, at, table, work = text.split("\n"), 0, "", _WORK
    while at < len(lines) and work > 0:
        size, tables, spent = _statement(lines[at:], work)
        keys = list(_dotted(tables))
        header = lines[at].lstrip().startswith("[")
        for key in keys:
            found.setdefault(key if header or not table else f"{table}.{key}", at + 1)
        table = keys[-1] if header and keys else table
        at += size
        work -= spent
    return found


def _statement(lines: list[str], work: int) -> tuple[int, dict[str, Any], int]:
    """How many lines the first statement has, what it sets, and how much was parsed."""
    spent = 0
    for size in range(1, len(lines) + 1):
        text = "\n".join(lines[:size]) + "\n"
        spent += len(text)
        try:
            return size, tomllib.loads(text), spent
        except tomllib.TOMLDecodeError:
            if spent > work:
                break
    return len(lines), {}, spent


def _dotted(tables: dict[str, Any], before: str = "") -> Iterator[str]:
    """The dotted names of all tables and values, outer ones first."""
    for name, value in tables.items():
        yield f"{before}{name}"
        for inner in value if isinstance(value, list) else [value]:
            if isinstance(inner, dict):
                yield from _dotted(inner, f"{before}{name}.")
