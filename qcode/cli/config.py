"""`qcode config`: every setting and where it came from. Arguments and printing only."""

import argparse
import difflib
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qcode.cli.parser import parsed
from qcode.cli.trusting import project, settings
from qcode.config.load import Loaded, shown
from qcode.config.model import spelled
from qcode.config.origin import Origin
from qcode.config.paths import PROJECT_FILE, paths
from qcode.config.secrets import without_password
from qcode.permission.trust import BECAUSE, State
from qcode.protocol.errors import InputError
from qcode.protocol.text import legible, plain
from qcode.server.quirks import QUIRKS

if TYPE_CHECKING:
    from qcode.cli.config_request import Wish

    Group = argparse._SubParsersAction[argparse.ArgumentParser]


def main(argv: list[str]) -> int:
    """The subcommand from its own arguments. Raises QcodeError."""
    return run(parsed("config", add, argv), Path.cwd())


def add(parser_group: "Group") -> None:
    """Declare `config` and what stands below it."""
    parser = parser_group.add_parser("config", help="every setting and where it came from")
    below = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    show = below.add_parser("show", help="all settings, and the request that they lead to")
    show.add_argument("--json", action="store_true", help="for scripts")
    show.add_argument("--model", metavar="NAME", help="the request to this model or profile")
    show.add_argument(
        "--kind",
        choices=[*QUIRKS],
        default="llamacpp",
        metavar="KIND",
        help=f"as this kind of server is sent it: {', '.join(QUIRKS)}",
    )
    show.set_defaults(do=_show)
    get = below.add_parser("get", help="one value")
    get.add_argument("key", help="such as server.base_url")
    get.add_argument("--json", action="store_true", help="for scripts")
    get.set_defaults(do=_get)
    path = below.add_parser("path", help="the settings file")
    path.set_defaults(do=_path)


def run(arguments: argparse.Namespace, folder: Path) -> int:
    """Do it for the workspace at `folder`; returns the exit code. Raises QcodeError."""
    action: Callable[[argparse.Namespace, Path], int] = arguments.do
    return action(arguments, folder)


def _show(arguments: argparse.Namespace, folder: Path) -> int:
    # Deferred: it brings all parts along, which no other action needs.
    from qcode.cli.config_request import wish  # noqa: PLC0415 - see above

    named = arguments.model
    found = project(folder)
    loaded = settings(found, {"server.model": ("--model", named)} if named else {})
    wished = wish(loaded, arguments.kind)
    if arguments.json:
        return _print(_as_json(loaded, wished, found.standing.state))
    _print(_as_text(loaded, wished, BECAUSE.get(found.standing.state, "")))
    for notice in loaded.notices:
        sys.stderr.write(f"qcode: {plain(notice)}\n")
    return 0


def _as_json(loaded: Loaded, wished: "Wish", trust: State) -> str:
    proposed = loaded.proposed_verify
    value = {
        "settings": {
            key: {"value": _safe(value), "from": _origin(origin)}
            for key, value, origin in shown(loaded)
        },
        "proposed_verify": proposed and {"value": proposed.value, "from": _origin(proposed.origin)},
        "project": {
            "trust": trust,
            "withheld": {
                key: {"value": _safe(one.value), "from": _origin(one.origin)}
                for key, one in loaded.withheld.items()
            },
        },
        "request": _request(wished),
        "notices": list(loaded.notices),
    }
    return json.dumps(value, indent=2)


def _request(wished: "Wish") -> dict[str, Any]:
    return {
        "kind": wished.kind,
        "family": wished.family,
        "fields": {one.name: {"value": one.value, "from": one.source} for one in wished.fields},
        "unsaid": wished.unsaid,
    }


def _origin(origin: Origin) -> dict[str, Any]:
    return {"kind": origin.kind, "name": origin.name, "line": origin.line}


def _as_text(loaded: Loaded, wished: "Wish", why_not: str) -> str:
    rows = [
        (f"{plain(spelled(key))} = {_toml(_safe(value))}", origin)
        for key, value, origin in shown(loaded)
    ]
    lines = [f"{setting:<40} # {plain(str(origin))}" for setting, origin in rows]
    if proposed := loaded.proposed_verify:
        words = _toml(proposed.value)
        lines.append(
            f"# {proposed.origin} proposes agent.verify = {words}. It does not run unless you "
            "give it with --verify or in your own settings."
        )
    lines += [
        f"# {plain(spelled(key))} = {_toml(_safe(one.value))} of {plain(str(one.origin))} does not "
        f"count: {why_not}."
        for key, one in loaded.withheld.items()
    ]
    return "\n".join([*lines, "", *_request_lines(wished)])


def _request_lines(wished: "Wish") -> list[str]:
    """The body of the request, a field a line; no TOML, though it looks like it."""
    model = wished.model or "a model that is not named (--model NAME shows another)"
    rows = [(f"{one.name} = {_toml(_safe(one.value))}", one.source) for one in wished.fields]
    return [
        f"# What would be sent to {wished.kind} for {plain(model)}, family {wished.family}:",
        *(f"{field:<40} # {plain(source)}" for field, source in rows),
        *([f"# {plain(wished.unsaid)}"] if wished.unsaid else []),
    ]


def _get(arguments: argparse.Namespace, folder: Path) -> int:
    rows = shown(settings(project(folder), {}))
    values = {name: value for key, value, _ in rows for name in (key, spelled(key))}
    if arguments.key not in values:
        close = difflib.get_close_matches(arguments.key, values, 1, 0.4)
        hint = f"Did you mean {close[0]}?" if close else "qcode config show lists them."
        raise InputError(f"There is no setting {arguments.key!r}. {hint}")
    value = _safe(values[arguments.key])
    if arguments.json:
        return _print(json.dumps(value))
    return _print("\n".join(map(str, value)) if isinstance(value, tuple) else str(value))


def _path(_: argparse.Namespace, folder: Path) -> int:
    file = paths().config_file
    _print(str(file))
    if not file.exists():
        sys.stderr.write("It does not exist yet: all settings are the defaults.\n")
    if (folder / PROJECT_FILE).exists():
        sys.stderr.write(
            f"This project has one too, for harmless keys, once it is trusted: "
            f"{folder / PROJECT_FILE}\n"
        )
    return 0


def _safe(value: object) -> object:
    """Without a password in a URL."""
    return without_password(value) if isinstance(value, str) else value


def _toml(value: object) -> str:
    """As it would stand in a settings file: JSON's strings and lists are TOML's."""
    return plain(json.dumps(value, ensure_ascii=False))


def _print(text: str) -> int:
    sys.stdout.write(f"{legible(text)}\n")
    return 0
