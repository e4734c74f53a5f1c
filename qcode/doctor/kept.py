"""What is remembered of an examination, per server and model, and what the agent makes of it.

Bytes and names of files only: who reads and writes them says where they are. What was seen of
another version or another model holds for nobody.
"""

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec
from msgspec.structs import replace

from qcode.config.secrets import is_loopback
from qcode.doctor.base import Finding, Learned
from qcode.server.base import ServerFacts

if TYPE_CHECKING:
    from qcode.doctor.report import Report

FOLDER = "doctor"
"""Below the state folder."""
_FIRST_FREE_PORT = 32_768
"""From here on Linux gives ports to who asks for any; other systems begin higher."""


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """The file. What a later version adds to it is left aside."""

    base_url: str
    kind: str
    version: str
    model: str
    context_tokens: int | None
    """As the server told it then: another one is another start of it."""
    date: str
    findings: tuple[Finding, ...] = ()
    learned: Learned = Learned()


def name_of(base_url: str, model: str) -> str:
    """Of the file about one model of one server."""
    return f"{_digest(_place(base_url))}-{_digest(model)}.json"


def pattern_of(base_url: str) -> str:
    """Of the files about a server; empty = about any."""
    return f"{_digest(_place(base_url))}-*.json" if base_url else "*-*.json"


def _place(base_url: str) -> str:
    """The address; of this machine without a port that is another at each start, as that of
    `qcode serve` is."""
    url = urlsplit(base_url)
    is_any = is_loopback(base_url) and (url.port or 0) >= _FIRST_FREE_PORT
    return f"{url.scheme}://{url.hostname}{url.path}" if is_any else base_url


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def encoded(report: "Report") -> tuple[str, bytes] | None:
    """Name and content of the file; None = no server was examined."""
    seen = report.server
    if seen is None:
        return None
    kept = Kept(
        base_url=seen.base_url,
        kind=seen.kind,
        version=seen.version,
        model=seen.model,
        context_tokens=seen.context_tokens,
        date=report.date,
        findings=tuple(each for each in report.findings if not each.id.startswith("own.")),
        learned=report.learned,
    )
    data = msgspec.json.format(msgspec.json.encode(kept), indent=1) + b"\n"
    return name_of(seen.base_url, seen.model), data


def read(folder: Path, facts: ServerFacts) -> Kept | None:
    """What is known of the server as it is now; None = nothing, or of another one.

    Never raises: a file that is damaged is as none, the next examination writes it anew.
    """
    kept = _decoded(folder / name_of(facts.base_url, facts.model))
    return kept if kept and _is_of(kept, facts) else None


def known(folder: Path, base_url: str = "") -> Iterator[tuple[Path, Kept | None]]:
    """The files about a server, empty = about any, and what each holds; None = it is damaged."""
    for file in sorted(folder.glob(pattern_of(base_url))):
        yield file, _decoded(file)


def broken(folder: Path, facts: ServerFacts) -> str:
    """What a run is told of the server as it is now, a sentence; empty = nothing is broken."""
    kept = read(folder, facts)
    titles = [each.title for each in kept.findings if each.weight == "broken"] if kept else []
    if kept is None or not titles:
        return ""
    more = f" (and {len(titles) - 1} more)" if len(titles) > 1 else ""
    said = f"qcode doctor found on {kept.date[:10]}: {titles[0].rstrip('.')}{more}"
    return f"{said}; `qcode doctor` shows it."


def reader(folder: Path) -> Callable[[ServerFacts], ServerFacts]:
    """What `Wishes.learned` takes: facts -> facts with what was learned of that server."""

    def as_measured(facts: ServerFacts) -> ServerFacts:
        kept = read(folder, facts)
        return applied(facts, kept) if kept else facts

    return as_measured


def applied(facts: ServerFacts, kept: Kept) -> ServerFacts:
    """`facts` as they were measured."""
    seen = kept.learned
    unheeded = {*seen.ignored}
    unheeded |= {"budget"} if seen.budget_holds is False else set()
    unheeded |= {"thinking"} if seen.switch_works is False else set()
    facts = replace(facts, unheeded=frozenset(unheeded))
    if seen.strategy and seen.strategy != facts.strategy:
        why = f"measured by qcode doctor on {kept.date[:10]}"
        facts = replace(facts, strategy=seen.strategy, strategy_why=why)
    less, told = seen.context_tokens, facts.context_tokens
    if less and kept.context_tokens == told and (told is None or less < told):
        facts = replace(facts, context_tokens=less, context_from="qcode doctor")
    return facts


def learned(said: Learned) -> Iterator[str]:
    """What is done otherwise from now on, as clauses: `keeps the thinking budget itself`."""
    if said.strategy:
        yield f"sends history as {said.strategy}"
    if said.budget_holds is False:
        yield "keeps the thinking budget itself"
    if said.switch_works is False:
        yield "keeps thinking short where it should be off"
    if said.ignored:
        yield f"tells that {', '.join(said.ignored)} change nothing"
    if said.context_tokens:
        yield f"reckons with a context of {said.context_tokens:,} tokens"


def _decoded(file: Path) -> Kept | None:
    try:
        return msgspec.json.decode(file.read_bytes(), type=Kept)
    except (OSError, ValueError, RecursionError):  # msgspec's own errors are some
        return None


def _is_of(kept: Kept, facts: ServerFacts) -> bool:
    was = _place(kept.base_url), kept.kind, kept.version, kept.model
    return was == (_place(facts.base_url), facts.kind, facts.version, facts.model)
