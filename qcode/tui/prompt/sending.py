"""What a text asks for when it is sent: a prompt, a command of the app, of the shell. Pure."""

import re
from collections.abc import Container
from typing import Literal

import msgspec

_COMMAND = re.compile(r"/([A-Za-z][A-Za-z-]*|\?)(?:\s+(.*))?\s*", re.DOTALL)


class CommandRow(msgspec.Struct, frozen=True):
    """A command that begins with a slash."""

    name: str
    """Without the slash."""
    argument_hint: str = ""
    """Such as `[name]`; empty = it takes none."""
    help: str = ""
    aliases: tuple[str, ...] = ()
    """Other names, which are understood and not offered."""


class Words(msgspec.Struct, frozen=True):
    """For the model."""

    text: str


class Shell(msgspec.Struct, frozen=True):
    """`!command` or `!!command`."""

    command: str
    share: Literal["keep", "tell"]


class Command(msgspec.Struct, frozen=True):
    """`/name argument`."""

    name: str
    argument: str


class Unknown(msgspec.Struct, frozen=True):
    """It looks like a command, and there is none of that name."""

    sentence: str


def meant(text: str, names: Container[str]) -> Words | Shell | Command | Unknown | None:
    """What to do with a text; None = there is nothing in it.

    A blank before `/` or `!` makes words of it, and so does a path: `/etc/hosts is wrong`.
    """
    if not text.strip():
        return None
    if text.startswith("!"):
        return _shell(text)
    if found := parted(text):
        name, argument = found
        if name in names:
            return Command(name, argument)
        return Unknown(
            f"There is no command /{name}. Type / to see them; "
            "with a blank before it, it goes to the model."
        )
    return Words(text.strip())


def parted(text: str) -> tuple[str, str] | None:
    """Name and argument of a command; None = it is not meant as one, as `/usr/bin is full`."""
    form = _COMMAND.fullmatch(text)
    return (form[1].lower(), (form[2] or "").strip()) if form else None


def _shell(text: str) -> Shell | None:
    share: Literal["keep", "tell"] = "tell" if text.startswith("!!") else "keep"
    command = text.lstrip("!").strip()
    return Shell(command, share) if command else None
