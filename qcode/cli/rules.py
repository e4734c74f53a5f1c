"""The user's rules and those of the flags, each with where it came from."""

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec
from msgspec.structs import replace

from qcode.cli.identity import identity
from qcode.config.learned import OtherProject, file_of, learn, learned
from qcode.config.load import Loaded
from qcode.config.paths import paths
from qcode.permission.patterns import Ground
from qcode.permission.rules import Rule, parse_rule, parse_rules, split_rules
from qcode.protocol.access import Answer
from qcode.protocol.errors import ConfigError, UsageError
from qcode.sandbox.secrets import kept

APPROVED = "approved for this project"


class Found(msgspec.Struct, frozen=True):
    """The rules that hold, and what the person should know of those that do not."""

    rules: tuple[Rule, ...]
    remarks: tuple[str, ...] = ()
    """Sentences: what was approved only ever allows, so that its lack is no reason not to start."""


def ground_of(folder: Path, added: Sequence[Path] = ()) -> Ground:
    """Where rules begin in a workspace, and what only one that names it opens."""
    return replace(Ground.of(folder), secrets=kept((folder, *added), paths().folders, os.environ))


def rules(loaded: Loaded, ground: Ground, allowed: Sequence[str], denied: Sequence[str]) -> Found:
    """With those that the person approved for this project. `allowed` and `denied` as they were
    written: a value may hold several rules.

    Raises ConfigError, and UsageError for those of the flags.
    """
    approved = tuple(_approved(replace(ground, secrets=())))  # no approval opens what is closed
    return Found(
        (
            *_said(loaded, ground),
            *(one for one in approved if isinstance(one, Rule)),
            *_of_flag(allowed, "allow", "--allowed-tools", ground),
            *_of_flag(denied, "deny", "--disallowed-tools", ground),
        ),
        tuple(one for one in approved if isinstance(one, str)),
    )


def _said(loaded: Loaded, ground: Ground) -> tuple[Rule, ...]:
    permission = loaded.config.permission
    origin = {name: f"{loaded.origin(f'permission.{name}')}" for name in ("allow", "ask", "deny")}
    return (
        *parse_rules(permission.allow, "allow", origin["allow"], ground),
        *parse_rules(permission.ask, "ask", origin["ask"], ground),
        *parse_rules(permission.deny, "deny", origin["deny"], ground),
    )


def _approved(ground: Ground) -> Iterator[Rule | str]:
    """Those for this project; a sentence for what cannot be understood, and the rest holds."""
    state, folder = paths().state, Path(ground.root)
    mine = identity(folder)
    try:
        texts = learned(state, folder, mine)
    except OtherProject as error:
        yield str(error)
        with suppress(ConfigError):  # it is said again the next time, then
            learn(state, folder, (), mine)
        return
    except ConfigError as error:
        yield str(error)
        return
    for text in texts:
        try:
            yield parse_rule(text, "allow", APPROVED, ground)
        except ConfigError as error:
            yield f"{file_of(state, folder)}: {error} It is left out; the others hold."


def keep(folder: Path, approved: Sequence[str]) -> None:
    """Write down what was approved for the project at `folder`, its real path as the session
    began. Raises ConfigError, also where a link has taken its place: it names another project."""
    if os.path.realpath(folder) != str(folder):
        raise ConfigError(f"{folder} leads elsewhere by now, so no rule was kept.")
    learn(paths().state, folder, approved, identity(folder))


def _of_flag(values: Sequence[str], answer: Answer, flag: str, ground: Ground) -> tuple[Rule, ...]:
    """Raises UsageError: a flag's wrong value is a wrong flag."""
    try:
        texts = [rule for value in values for rule in split_rules(value)]
        return parse_rules(texts, answer, f"flag {flag}", ground)
    except ConfigError as error:
        raise UsageError(str(error)) from error
