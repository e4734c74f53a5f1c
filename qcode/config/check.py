"""One value against the type of its key; complaints say what was expected, and what was meant."""

import difflib
from collections.abc import Mapping
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints
from urllib.parse import urlsplit

import msgspec

from qcode.config.model import SECTIONS, TABLES, keys, parted
from qcode.protocol.errors import ConfigError
from qcode.protocol.text import plain


def checked(
    key: str, value: object, where: str, spelled: Literal["typed", "text"] = "typed"
) -> object:
    """`value` as the type of `key`. Raises ConfigError that says what was expected, and where.

    `text` = it comes from the environment, where a number is spelled out.
    """
    section, name, field = parted(key)
    kind = _types().get(f"{section}.{field}")
    if kind is None or bool(name) != (section in TABLES):
        raise ConfigError(f"{where}: there is no setting {key}. {nearest(key)}")
    if spelled == "text" and _words(kind) == ("on", "off"):
        value = SWITCH.get(str(value).lower(), value)
    try:
        found = msgspec.convert(value, kind, strict=spelled == "typed")
        if field == "base_url":
            _ = urlsplit(str(found or "")).port  # raises where there can be none, as in `:99999`
        return found
    except ValueError:  # msgspec's are some
        why = HINTS.get(field) or _choices(kind) or _wanted(kind)
        said = "not shown here" if field == "api_key_env" else _shown(value)
        raise ConfigError(f"{where}: {key} is {said}. {why}") from None


SWITCH: Mapping[str, str] = {
    **dict.fromkeys(("1", "true", "yes"), "on"),
    **dict.fromkeys(("0", "false", "no"), "off"),
}
"""How else a switch is spelled in the environment."""

HINTS: Mapping[str, str] = {
    "thinking": "Write off, low, medium, high, max, or a number of tokens.",
    "api_key_env": "Write the name of an environment variable, never the key itself.",
    "base_url": "Write a URL such as http://127.0.0.1:8080/v1.",
}
"""Last part of a key -> what to write, where the type alone does not say it well."""


def _choices(kind: Any) -> str:
    """`Write one of auto, general, coding, reasoning.`, for a key that takes words."""
    words = [word for part in _parts(kind) for word in _words(part)]
    return f"Write one of {', '.join(word for word in words if word)}." if words else ""


def _words(kind: Any) -> tuple[str, ...]:
    return get_args(kind) if get_origin(kind) is Literal else ()


def _wanted(kind: Any) -> str:
    """`Write a whole number from 1 to 20.`, for any other key."""
    part = next(part for part in _parts(kind) if part is not NoneType)
    bare, *marks = get_args(part) if get_origin(part) is Annotated else (part,)
    limits = {name: getattr(mark, name) for mark in marks for name in ("ge", "gt", "le")}
    bounds = "".join(
        f" {words} {limits[name]:,}"
        for name, words in (("ge", "from"), ("gt", "above"), ("le", "to"))
        if limits.get(name) is not None
    )
    if get_origin(bare) is tuple:
        return 'Write a list of texts, such as ["a", "b"].'
    if bare is str:
        return "Write a line of text in quotes, not too long and without control characters."
    return f"Write a {'whole number' if bare is int else 'number'}{bounds}."


def _parts(kind: Any) -> tuple[Any, ...]:
    """The members of a union; else the type itself."""
    return get_args(kind) if get_origin(kind) in (Union, UnionType) else (kind,)


def _shown(value: object) -> str:
    text = plain(repr(value))
    return text if len(text) <= 80 else text[:79] + "…"


@cache
def _types() -> dict[str, Any]:
    """Section and last part of a key -> its type."""
    return {
        f"{section}.{name}": hint
        for section, kind in {**SECTIONS, **TABLES}.items()
        for name, hint in get_type_hints(kind, include_extras=True).items()
    }


def nearest(word: str) -> str:
    """The key or section that was most likely meant."""
    section, name, _ = parted(word)
    if "." not in word:
        known = [*SECTIONS, *TABLES]
    elif section in TABLES:
        known = [f"{section}.{name or 'NAME'}.{it}" for it in TABLES[section].__struct_fields__]
    else:
        known = [*keys()]
    close = difflib.get_close_matches(word, known, 1, 0.5)
    inside = [key for key in known if key.startswith(f"{section}.")] or known
    return f"Did you mean {close[0]}?" if close else f"There is {', '.join(inside)}."
