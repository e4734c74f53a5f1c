"""One value against the type of its key; complaints say what was expected, and what was meant."""

import difflib
from collections.abc import Mapping
from functools import cache
from typing import Any, Literal, get_args, get_origin, get_type_hints

import msgspec

from qcode.config.model import SECTIONS, keys
from qcode.protocol.errors import ConfigError
from qcode.protocol.text import plain


def checked(
    key: str, value: object, where: str, spelled: Literal["typed", "text"] = "typed"
) -> object:
    """`value` as the type of `key`. Raises ConfigError that says what was expected, and where.

    `text` = it comes from the environment, where a number is spelled out.
    """
    types = _types()
    if key not in types:
        raise ConfigError(f"{where}: there is no setting {key}. {nearest(key)}")
    try:
        return msgspec.convert(value, types[key], strict=spelled == "typed")
    except msgspec.ValidationError as error:
        why = HINTS.get(key) or _choices(types[key]) or f"{error}."
        raise ConfigError(f"{where}: {key} is {_shown(value)}. {why}") from None


HINTS: Mapping[str, str] = {
    "agent.thinking": "Write off, low, medium, high, max, or a number of tokens.",
    "server.api_key_env": "Write the name of an environment variable, never the key itself.",
    "server.base_url": "Write a URL such as http://127.0.0.1:8080/v1.",
}
"""What to write instead, where the type alone does not say it well."""


def _choices(kind: Any) -> str:
    """`Write auto, general or coding.`, for a key that takes words."""
    parts = get_args(kind) if get_origin(kind) is not Literal else (kind,)
    words = [word for part in parts if get_origin(part) is Literal for word in get_args(part)]
    return f"Write one of {', '.join(word for word in words if word)}." if words else ""


def _shown(value: object) -> str:
    text = plain(repr(value))
    return text if len(text) <= 80 else text[:79] + "…"


@cache
def _types() -> dict[str, Any]:
    return {
        f"{section}.{name}": hint
        for section, kind in SECTIONS.items()
        for name, hint in get_type_hints(kind, include_extras=True).items()
    }


def nearest(word: str) -> str:
    """The key or section that was most likely meant."""
    known = [*SECTIONS] if "." not in word else [*keys()]
    close = difflib.get_close_matches(word, known, 1, 0.5)
    section = word.partition(".")[0]
    inside = [key for key in known if key.startswith(f"{section}.")] or known
    return f"Did you mean {close[0]}?" if close else f"There is {', '.join(inside)}."
