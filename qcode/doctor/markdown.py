"""A report for a bug tracker: no host, no key, no folder of yours."""

import platform
import re
from collections.abc import Iterator
from pathlib import Path, PurePath
from urllib.parse import urlsplit

from qcode.config.paths import paths
from qcode.config.secrets import is_loopback, scrub
from qcode.doctor.base import Finding, Result
from qcode.doctor.report import Report
from qcode.protocol.text import legible


def text(report: Report) -> str:
    """Markdown; ends with a newline."""
    parts = [
        "# qcode doctor\n",
        *_server(report),
        *_table("The server", report.checks),
        *_left(report),
        *_table("qcode's own side", report.own),
        *_findings(report.findings),
        f"qcode {report.qcode}, {report.machine}, {report.date}, {report.seconds:.0f} s",
    ]
    return private(legible("\n".join(parts)), report) + "\n"


def private(words: str, report: Report) -> str:
    """`words` without what names a machine, a person or a key."""
    if seen := report.server:
        words = words.replace(seen.model, PurePath(seen.model.replace("\\", "/")).name)
        host = urlsplit(seen.base_url).hostname or ""
        if host and not is_loopback(seen.base_url):
            words = _without(words, host, "another-machine")
    home, machine = str(Path.home()), platform.node()
    words = words.replace(home, "~") if len(home) > 1 else words  # some containers live in /
    for folder in paths().folders:  # QCODE_HOME may lie anywhere
        words = words.replace(str(folder), f"QCODE_HOME/{folder.name}")
    words = _without(words, machine, "this-machine") if len(machine) > 3 else words
    return scrub(words)


def _without(words: str, name: str, other: str) -> str:
    """Names of machines are written in any letters."""
    return re.sub(re.escape(name), other, words, flags=re.IGNORECASE)


def _server(report: Report) -> Iterator[str]:
    seen = report.server
    if seen is None:
        why = report.not_examined or "no server"
        yield f"{why[0].upper()}{why[1:]}: nothing of it was checked.\n"
        return
    where = "this machine" if is_loopback(seen.base_url) else "another machine"
    yield f"- {seen.name} {seen.version or '(version not told)'} on {where}"
    yield f"- model {seen.model}"
    told, trained = _count(seen.context_tokens), _count(seen.trained_tokens)
    yield f"- context {told}, made for {trained}; slots {_count(seen.slots)}"
    yield f"- history {seen.strategy}: {seen.strategy_why}\n"


def _table(title: str, results: tuple[Result, ...]) -> Iterator[str]:
    if results:
        yield f"## {title}\n\n| check | verdict | what was seen |\n| --- | --- | --- |"
        for result in results:
            yield f"| {result.probe} | {result.verdict} | {_cell(result.said)} |"
        yield ""


def _left(report: Report) -> Iterator[str]:
    if report.interrupted:
        names = ", ".join(left.probe for left in report.left_out) or "its end"
        yield f"Interrupted before: {names}.\n"
    elif report.left_out:
        names = ", ".join(f"{left.probe} ({left.seconds:.0f} s)" for left in report.left_out)
        yield f"Left out: {names}.\n"


def _findings(found: tuple[Finding, ...]) -> Iterator[str]:
    yield f"## Findings\n\n{'' if found else 'none' + chr(10)}"
    for finding in found:
        yield f"### {finding.title}\n\n- {finding.weight}, `{finding.id}`"
        yield f"- cost: {finding.cost}\n- change: {finding.change}"
        if finding.evidence:
            seen = ", ".join(f"{name} = {value}" for name, value in finding.evidence.items())
            yield f"- seen: {seen}"
        if finding.known:
            yield f"- known {finding.known}"
        yield ""


def _count(number: int | None) -> str:
    return "not told" if number is None else f"{number:,}"


def _cell(words: str) -> str:
    return words.replace("|", "\\|").replace("\n", " ")
