"""`qcode bug`: a report that you can read, and send yourself. Nothing leaves the machine by it.

It holds versions, settings and counts; no key, no name of your home, not a word of a conversation.
"""

import argparse
import json
import os
import platform
import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path, PurePath
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec

from qcode import __version__
from qcode.cli.parser import parsed
from qcode.cli.trusting import project, settings
from qcode.config.load import Loaded, shown
from qcode.config.paths import Paths, paths
from qcode.config.secrets import is_loopback, scrub
from qcode.doctor.kept import FOLDER, Kept
from qcode.headless.save import check, save
from qcode.headless.talk import talk
from qcode.permission.words import names
from qcode.protocol.errors import QcodeError, SessionError
from qcode.protocol.events import (
    LoopSeen,
    Repaired,
    Retried,
    SessionStarted,
    TurnFinished,
    Usage,
)
from qcode.protocol.text import legible, plain
from qcode.session.reading import Opened
from qcode.session.store import Store

if TYPE_CHECKING:
    Group = argparse._SubParsersAction[argparse.ArgumentParser]

WORDY = names(
    "agent.append_system_prompt agent.verify agent.exclude permission.allow permission.ask "
    "permission.deny sandbox.outside"
)
"""Settings that may say what you work on: whether they are set is told, not what they say."""

EXAMINATIONS = 2
"""The newest, of so many servers."""
LOG_LINES = 20
"""The last warnings and errors of the log file: at the debug level it holds the conversation."""


def main(argv: list[str]) -> int:
    """The subcommand from its own arguments. Raises QcodeError."""
    arguments = parsed("bug", add, argv)
    target = arguments.output.absolute() if arguments.output else None
    if target is not None:
        check(target)
    text = report(Path.cwd(), paths(), arguments.session)
    if target is None:
        sys.stdout.write(legible(text))
        return 0
    save(target, text.rstrip("\n"))
    sys.stdout.write(f"{target}\n")
    talk("read the report before you send it.")
    return 0


def add(parser_group: "Group") -> None:
    """Declare `bug`."""
    parser = parser_group.add_parser("bug", help="a report about qcode, for you to read and send")
    parser.add_argument(
        "session", nargs="?", default="", help="the session it is about; else the newest here"
    )
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="into a file")


def report(folder: Path, places: Paths, session: str) -> str:
    """Markdown, with keys and home folder taken out."""
    home = str(Path.home())
    parts = [
        "# qcode: a report\n",
        "What I did, what I expected, and what came instead:\n\n\n",
        _section("Machine", _machine()),
        _section("Settings that are not the default", _settings(folder)),
        _section("Server, as qcode doctor found it", _doctor(places)),
        _section("Session", _session(folder, places, session)),
        _section("Log", _log(places)),
    ]
    text = plain(scrub("\n".join(parts)))
    text = text.replace(home, "~") if len(home) > 1 else text  # some containers live in /
    for kept in places.folders:  # QCODE_HOME may lie anywhere
        text = text.replace(str(kept), f"QCODE_HOME/{kept.name}")
    machine = platform.node()
    return _without(text, machine, "this-machine") if len(machine) > 3 else text


def _without(text: str, name: str, other: str) -> str:
    """Names of machines are written in any letters."""
    return re.sub(re.escape(name), other, text, flags=re.IGNORECASE) if name else text


def _section(title: str, rows: Iterator[str]) -> str:
    found = list(rows) or ["nothing to tell"]
    return f"## {title}\n\n" + "\n".join(f"- {row}" for row in found) + "\n"


def _machine() -> Iterator[str]:
    yield f"qcode {__version__}, Python {platform.python_version()} ({sys.executable})"
    yield f"{platform.system()} {platform.release()} {platform.machine()}"
    yield f"TERM={os.environ.get('TERM', '')}, locale {os.environ.get('LANG', '')}"
    yield f"{os.cpu_count()} processors"


def _settings(folder: Path) -> Iterator[str]:
    try:
        loaded: Loaded = settings(project(folder), {})
    except QcodeError as error:
        yield f"they cannot be read: {type(error).__name__}"
        return
    for key, value, origin in shown(loaded):
        if origin.kind == "default":
            continue
        if key.endswith("base_url") and isinstance(value, str):
            yield f"{key}: {_kind_of_host(value)} ({origin.kind})"
        elif key in WORDY:
            yield f"{key}: set ({origin.kind})"
        else:
            yield f"{key} = {json.dumps(value, ensure_ascii=False)} ({origin.kind})"


def _kind_of_host(url: str) -> str:
    parts = urlsplit(url)
    local = parts.hostname in ("127.0.0.1", "localhost", "::1")
    return f"{parts.scheme} on {'this machine' if local else 'another machine'}, port {parts.port}"


def _doctor(places: Paths) -> Iterator[str]:
    """What the newest examinations found, without addresses."""
    files = sorted((places.state / FOLDER).glob("*-*.json"), key=_age)
    if not files:
        yield "not examined (qcode doctor)"
    for file in files[:EXAMINATIONS]:
        try:
            found = msgspec.json.decode(file.read_bytes(), type=Kept)
        except (OSError, ValueError):  # damaged: the next examination writes it anew
            continue
        host = urlsplit(found.base_url).hostname or ""
        for row in _examined(found):
            yield row if is_loopback(found.base_url) else _without(row, host, "another-machine")


def _age(file: Path) -> float:
    return -file.stat().st_mtime


def _examined(found: Kept) -> Iterator[str]:
    model = PurePath(found.model.replace("\\", "/")).name  # some servers tell its path
    where = f"{found.kind} {found.version} with {model}, context {found.context_tokens}"
    yield f"{found.date[:10]}: {where}; {_kind_of_host(found.base_url)}"
    if not found.findings:
        yield "nothing wrong was found"
    for finding in found.findings:
        yield f"{finding.weight} {finding.id}: {finding.title} {finding.cost}".rstrip()


def _session(folder: Path, places: Paths, session: str) -> Iterator[str]:
    store = Store(places.sessions)
    try:
        found = store.find(session, folder) if session else store.latest(folder)
        opened: Opened = store.open(found)
    except SessionError as error:
        if session:
            raise
        yield f"none here ({type(error).__name__})"
        return
    counts = Counter(type(event).__name__ for event in opened.events)
    state = "the log is damaged" if opened.loss else "the log is whole"
    yield f"{sum(counts.values())} events; {state}"
    yield ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))
    for event in opened.events:
        yield from _of(event)


def _of(event: object) -> Iterator[str]:
    """What an event tells without a word of the conversation."""
    match event:
        case SessionStarted(version=version, model=model, server=server, context_tokens=context):
            yield f"began with qcode {version}: {model} on {server}, context {context}"
        case TurnFinished(reason, _, error) if reason != "end_turn":
            yield f"a turn ended with {reason} {error}".rstrip()
        case Usage(reread_tokens=tokens, reread_why=why) if tokens:
            yield f"read again: {tokens} tokens ({why})"
        case Repaired(kind=kind):
            yield f"repaired: {kind}"
        case Retried(attempt, because):
            yield f"retry {attempt}: {because}"
        case LoopSeen(kind=kind, did=did, rung=rung):
            yield f"loop in {kind}, rung {rung}: {did}"


def _log(places: Paths) -> Iterator[str]:
    try:
        lines = places.log_file.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        yield "there is none"
        return
    told = [line for line in lines if " WARNING " in line or " ERROR " in line]
    for line in told[-LOG_LINES:]:
        yield f"`{line[:200].replace('`', chr(39))}`"
