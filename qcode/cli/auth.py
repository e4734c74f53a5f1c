"""`qcode auth`: keys of endpoints in the system's keyring. No key is ever printed."""

import argparse
import getpass
import json
import os
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import asdict

from qcode.cli.parser import parsed
from qcode.config import ring
from qcode.config.load import load, sources
from qcode.config.model import Config
from qcode.config.secrets import VARIABLES, checked_key, origin_of, scrub
from qcode.headless.talk import talk
from qcode.protocol.errors import ConfigError, InputError
from qcode.protocol.text import legible, one_line
from qcode.server.endpoint import normalise

if TYPE_CHECKING:
    Group = argparse._SubParsersAction[argparse.ArgumentParser]

MOST_CHARACTERS = 10_000


def main(argv: list[str]) -> int:
    """The subcommand from its own arguments. Raises QcodeError."""
    return run(parsed("auth", add, argv), Path.cwd())


def add(parser_group: "Group") -> None:
    """Declare `auth` and what stands below it."""
    parser = parser_group.add_parser("auth", help="keys of endpoints, in your system's keyring")
    below = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    put = below.add_parser("set", help="keep a key; asks for it, or reads it from stdin")
    _add_target(put)
    put.set_defaults(do=_set)
    rows = below.add_parser("list", help="where the key of each endpoint comes from")
    rows.add_argument("--json", action="store_true", help="for scripts")
    rows.set_defaults(do=_list)
    drop = below.add_parser("remove", help="forget a key")
    _add_target(drop)
    drop.set_defaults(do=_remove)


def _add_target(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "target", nargs="?", metavar="URL|PROFILE", help="else the endpoint of your settings"
    )


def run(arguments: argparse.Namespace, folder: Path) -> int:
    """Do it for the workspace at `folder`; returns the exit code. Raises QcodeError."""
    config = load(sources()).config
    action: Callable[[argparse.Namespace, Config], int] = arguments.do
    return action(arguments, config)


def _set(arguments: argparse.Namespace, config: Config) -> int:
    origin = origin_of(_url(arguments.target, config))
    key = checked_key(_read_key(origin), "what was typed").value
    talk(f"The key of {origin} is kept in {ring.put(origin, key)}.")
    for name in VARIABLES:
        if os.environ.get(name):
            talk(f"{name} is set in the environment, and it comes first.")
    return 0


def _remove(arguments: argparse.Namespace, config: Config) -> int:
    origin = origin_of(_url(arguments.target, config))
    if not ring.drop(origin):
        raise InputError(f"The keyring has no key of {origin}. qcode auth list shows what it has.")
    talk(f"The key of {origin} is removed.")
    return 0


def _url(target: str | None, config: Config) -> str:
    """The endpoint that is meant. Raises InputError, which repeats nothing that may be a key."""
    if target in config.profiles:
        url = config.profiles[target].base_url or config.server.base_url
    else:
        url = config.server.base_url if target is None else target
    if not url:
        raise InputError("Which endpoint? Name it: qcode auth set https://api.example.com/v1")
    try:
        if url == target and not any(sign in url for sign in ".:") and url != "localhost":
            raise ConfigError("a word alone is no address")
        return normalise(url)
    except ConfigError:
        known = f" The profiles are {', '.join(config.profiles)}." if config.profiles else ""
        raise InputError(
            f"{scrub(one_line(url, 12))!r} is neither the URL of an endpoint nor a profile.{known} "
            "A key never stands on the command line: it is asked for."
        ) from None


def _read_key(origin: str) -> str:
    """From a person without an echo, or from a pipe. Raises InputError."""
    if not sys.stdin.isatty():
        key = sys.stdin.read(MOST_CHARACTERS + 1).strip()
    else:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # getpass would go on and show what is typed
            try:
                key = getpass.getpass(f"Key of {origin} (not shown): ").strip()
            except (getpass.GetPassWarning, EOFError):
                raise InputError("The key cannot be read without showing it. Pipe it in.") from None
    if not key or len(key) > MOST_CHARACTERS:
        raise InputError("There is no key. Type it, or pipe it in: qcode auth set URL < file")
    return key


class Row(msgspec.Struct, frozen=True):
    """Where the key of one endpoint comes from."""

    endpoint: str
    profile: str
    """Empty = that of the settings, or of none."""
    source: str
    """A variable, `keyring`; empty = there is no key."""
    note: str = ""


def _list(arguments: argparse.Namespace, config: Config) -> int:
    rows = list(_rows(config, os.environ))
    if arguments.json:
        sys.stdout.write(json.dumps([asdict(row) for row in rows], indent=2) + "\n")
        return 0
    if not rows:
        talk("No endpoint is configured, and the keyring has no key of one.")
    width = max((len(row.endpoint) for row in rows), default=0)
    trouble = dict.fromkeys(row.note for row in rows if row.note.endswith("."))
    for row in rows:
        name = f" (profile {row.profile})" if row.profile else ""
        note = f"; {row.note}" if row.note and row.note not in trouble else ""
        line = f"{row.endpoint:<{width}}  {row.source or 'no key'}{note}{name}"
        sys.stdout.write(f"{legible(line)}\n")
    for sentence in trouble:  # of the keyring, and so of every row that it was asked for
        talk(sentence)
    return 0


def _rows(config: Config, environ: Mapping[str, str]) -> Iterator[Row]:
    """The endpoint of the settings, those of the profiles, then what else was given a key."""
    seen: set[str] = set()
    ask = _Asker()
    named = [("", config.server.base_url, config.server.api_key_env)]
    named += [(n, p.base_url or "", p.api_key_env or "") for n, p in config.profiles.items()]
    for profile, url, variable in named:
        if url:
            origin = origin_of(normalise(url))
            seen.add(origin)
            yield Row(origin, profile, *_source(variable, environ) or ask(origin))
    for origin in ring.remembered():
        if origin not in seen:
            yield Row(origin, "", *_source("", environ) or ask(origin))


def _source(variable: str, environ: Mapping[str, str]) -> tuple[str, str] | None:
    """What the environment says and a note on it; None = nothing."""
    if variable:
        return (variable, "") if environ.get(variable) else ("", f"{variable} is not set")
    common = next((name for name in VARIABLES if environ.get(name)), "")
    return (common, "the environment comes first") if common else None


class _Asker:
    """Asks the keyring, until it failed once: a locked one takes its time."""

    def __init__(self) -> None:
        self.trouble = ""

    def __call__(self, origin: str) -> tuple[str, str]:
        try:
            if not self.trouble:
                return ("keyring" if ring.ask(origin) else ""), ""
        except ConfigError as error:
            self.trouble = str(error)
        return "", self.trouble
