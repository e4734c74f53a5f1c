"""The user's rules and those of the flags, each with where it came from."""

import os
from collections.abc import Sequence
from pathlib import Path

from qcode.config.learned import learn, learned
from qcode.config.load import Loaded
from qcode.config.paths import paths
from qcode.permission.patterns import Ground
from qcode.permission.rules import Rule, parse_rules, split_rules
from qcode.protocol.access import Answer
from qcode.protocol.errors import ConfigError, UsageError

APPROVED = "approved for this project"


def rules(
    loaded: Loaded, ground: Ground, allowed: Sequence[str], denied: Sequence[str]
) -> tuple[Rule, ...]:
    """With those that the person approved for this project. `allowed` and `denied` as they were
    written: a value may hold several rules.

    Raises ConfigError, and UsageError for those of the flags.
    """
    permission = loaded.config.permission
    origin = {name: f"{loaded.origin(f'permission.{name}')}" for name in ("allow", "ask", "deny")}
    return (
        *parse_rules(permission.allow, "allow", origin["allow"], ground),
        *parse_rules(permission.ask, "ask", origin["ask"], ground),
        *parse_rules(permission.deny, "deny", origin["deny"], ground),
        *parse_rules(learned(paths().state, Path(ground.root)), "allow", APPROVED, ground),
        *_of_flag(allowed, "allow", "--allowed-tools", ground),
        *_of_flag(denied, "deny", "--disallowed-tools", ground),
    )


def keep(folder: Path, approved: Sequence[str]) -> None:
    """Write down what was approved for the project at `folder`, its real path as the session
    began. Raises ConfigError, also where a link has taken its place: it names another project."""
    if os.path.realpath(folder) != str(folder):
        raise ConfigError(f"{folder} leads elsewhere by now, so no rule was kept.")
    learn(paths().state, folder, approved)


def _of_flag(values: Sequence[str], answer: Answer, flag: str, ground: Ground) -> tuple[Rule, ...]:
    """Raises UsageError: a flag's wrong value is a wrong flag."""
    try:
        texts = [rule for value in values for rule in split_rules(value)]
        return parse_rules(texts, answer, f"flag {flag}", ground)
    except ConfigError as error:
        raise UsageError(str(error)) from error
