"""`--settings`: a settings file of Claude Code, or its JSON, as far as it means something here.

It stands on the user's own command line, so it is worth as much as flags are, and a flag that says
the same goes before it. Light: `args` imports it, and `qcode --help` needs only argparse.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from qcode.protocol.errors import ConfigError, InputError, UsageError

if TYPE_CHECKING:
    from qcode.permission.patterns import Ground
    from qcode.permission.rules import Rule
    from qcode.protocol.access import Answer

FLAG = "--settings"
MOST_NAMES = 12
"""So many settings that mean nothing here are told by name."""

RULES: "tuple[Answer, ...]" = ("allow", "ask", "deny")
PERMISSIONS = frozenset(
    {*RULES, "additionalDirectories", "defaultMode", "disableBypassPermissionsMode"}
)
HEEDED = frozenset({"$schema", "permissions", "model", "env", "sandbox"})

HARMLESS = frozenset({"LANG", "LANGUAGE", "TZ", "NODE_ENV", "CUDA_VISIBLE_DEVICES"})
"""Variables that are set for commands, and `LC_*`. Any other stays out, as those that qcode was
started with do (`sandbox.environment`): many make harmless programs run what is not."""

BYPASSES = ("bypassPermissions", "yolo")


class Theirs(NamedTuple):
    """What was said. No dataclass: every start would pay a millisecond for it."""

    allow: tuple[str, ...] = ()
    ask: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()
    add_dirs: tuple[Path, ...] = ()
    mode: str | None = None
    may_bypass: bool = True
    model: str | None = None
    environ: Mapping[str, str] = MappingProxyType({})
    sandbox: str | None = None
    """`auto` = they want one: it takes the place of none, and weakens none."""
    unheeded: tuple[str, ...] = ()
    """Names of what means nothing here."""

    def mode_over(self, flag: str | None) -> str | None:
        """The mode that holds. Raises UsageError for one that they forbid."""
        found = flag or self.mode
        if found in BYPASSES and not self.may_bypass:
            raise UsageError(
                f"{FLAG}: permissions.disableBypassPermissionsMode forbids the mode {found}."
            )
        return found


NOTHING = Theirs()


def read(texts: Sequence[str]) -> Theirs:
    """What all of them say, a later one over an earlier. Raises InputError."""
    found = NOTHING
    for text in texts:
        found = _over(found, _of(read_object(FLAG, text)))
    return found


def rules(said: Theirs, ground: "Ground") -> "tuple[Rule, ...]":
    """The rules in it. Raises InputError: what is not understood may be a guard."""
    if not (said.allow or said.ask or said.deny):
        return ()
    from qcode.permission.rules import parse_rules  # noqa: PLC0415 - `args` needs none

    try:
        return tuple(
            rule
            for answer in RULES
            for rule in parse_rules(
                getattr(said, answer), answer, f"{FLAG}, permissions.{answer}", ground
            )
        )
    except ConfigError as error:
        raise InputError(str(error)) from error


def read_object(flag: str, text: str) -> dict[str, Any]:
    """A flag's value: JSON, or a file that holds it. Raises InputError."""
    import json  # noqa: PLC0415 - `qcode --help` needs none

    try:
        is_json = text.lstrip().startswith("{")
        data = text if is_json else Path(text).expanduser().read_text(encoding="utf-8-sig")
        found = json.loads(data)
    except (OSError, ValueError, RuntimeError) as error:  # too deep, or nobody's home
        raise InputError(f"{flag} is neither JSON nor a file that holds it ({error}).") from error
    if not isinstance(found, dict):
        raise InputError(f"{flag} is JSON, but no object.")
    return found


def _over(before: Theirs, after: Theirs) -> Theirs:
    return Theirs(
        (*before.allow, *after.allow),
        (*before.ask, *after.ask),
        (*before.deny, *after.deny),
        (*before.add_dirs, *after.add_dirs),
        after.mode or before.mode,
        before.may_bypass and after.may_bypass,
        after.model or before.model,
        {**before.environ, **after.environ},
        after.sandbox or before.sandbox,
        tuple(dict.fromkeys((*before.unheeded, *after.unheeded))),
    )


def _of(found: Mapping[str, Any]) -> Theirs:
    permissions = _part(found, "permissions")
    environ, sandbox = _environ(found), _part(found, "sandbox")
    allow, ask, deny = (_texts(permissions, answer) for answer in RULES)
    return Theirs(
        allow,
        ask,
        deny,
        tuple(map(_folder, _texts(permissions, "additionalDirectories"))),
        _mode(permissions),
        permissions.get("disableBypassPermissionsMode") != "disable",
        _text(found, "model", "model"),
        {name: value for name, value in environ.items() if _is_harmless(name)},
        "auto" if sandbox.get("enabled") is True else None,
        tuple(_unheeded(found, permissions, environ, sandbox)),
    )


def _unheeded(
    found: Mapping[str, Any],
    permissions: Mapping[str, Any],
    environ: Mapping[str, str],
    sandbox: Mapping[str, Any],
) -> Iterator[str]:
    names = [name for name in found if name not in HEEDED]
    names += [f"permissions.{name}" for name in permissions if name not in PERMISSIONS]
    names += [f"env.{name}" for name in environ if not _is_harmless(name)]
    names += [
        f"sandbox.{name}"
        for name, value in sandbox.items()
        if name != "enabled" or value is not True
    ]
    for name in names[:MOST_NAMES]:
        yield f"{FLAG}.{_shown(name)}"
    if len(names) > MOST_NAMES:
        yield f"{len(names) - MOST_NAMES} more of {FLAG}"


def _shown(name: str) -> str:
    from qcode.protocol.text import legible  # noqa: PLC0415 - `qcode --help` needs none

    return legible(name)[:80]


def _is_harmless(name: str) -> bool:
    return name in HARMLESS or (name.startswith("LC_") and name.isidentifier() and name.isascii())


def _part(found: Mapping[str, Any], name: str) -> dict[str, Any]:
    part = found.get(name)
    if part is not None and not isinstance(part, dict):
        raise InputError(f"{FLAG}: {name} is no object.")
    return part or {}


def _texts(permissions: Mapping[str, Any], name: str) -> tuple[str, ...]:
    texts = permissions.get(name)
    is_list = isinstance(texts, list) and all(isinstance(one, str) for one in texts)
    if texts is not None and not is_list:
        what = "rules" if name in RULES else "folders"
        raise InputError(f"{FLAG}: permissions.{name} is no list of {what}.")
    return tuple(texts or ())


def _text(part: Mapping[str, Any], name: str, shown: str) -> str | None:
    text = part.get(name)
    if text is not None and not isinstance(text, str):
        raise InputError(f"{FLAG}: {shown} is no text.")
    return text or None


def _environ(found: Mapping[str, Any]) -> dict[str, str]:
    environ = _part(found, "env")
    for name, value in environ.items():
        if not isinstance(value, str) or _is_no_value(value):
            raise InputError(f"{FLAG}: env.{_shown(name)} is no text.")
    return environ


def _is_no_value(value: str) -> bool:
    """Of a variable."""
    try:
        return b"\0" in os.fsencode(value)
    except UnicodeEncodeError:  # half of a sign
        return True


def _folder(text: str) -> Path:
    with suppress(OSError, RuntimeError):  # too long for a name, or nobody's home
        path = Path(text).expanduser()
        if path.is_dir():
            return path
    raise InputError(
        f"{FLAG}: permissions.additionalDirectories names {text}, and there is no such folder."
    )


def _mode(permissions: Mapping[str, Any]) -> str | None:
    word = _text(permissions, "defaultMode", "permissions.defaultMode")
    if word is not None:
        from qcode.permission.modes import parse_mode  # noqa: PLC0415 - `args` needs none

        try:
            parse_mode(word)
        except ConfigError as error:
            raise InputError(f"{FLAG}: permissions.defaultMode: {error}") from error
    return word


def set_variables(said: Theirs) -> None:
    """For commands."""
    os.environ.update(said.environ)
