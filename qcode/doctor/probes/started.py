"""How a server was started, as far as it or this machine tells. Nothing is computed for it.

llama.cpp tells none of its flags over HTTP (`/props` at b11549). A router and llama-swap tell the
command lines of their children, vLLM some of its settings as labels of a metric, SGLang all of
them. Of a server on this machine the kernel knows the command line, on Linux.
"""

import re
import shlex
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from qcode.doctor.base import Subject
from qcode.doctor.probes import processes
from qcode.doctor.probes.memory import is_here
from qcode.server.ask import NoAnswer, Reply
from qcode.server.endpoint import root

_LABEL = re.compile(r'(\w+)="([^"]*)"')


async def flags(subject: Subject) -> tuple[tuple[str, ...], str]:
    """Words of the command line and where they were read; none where nobody tells."""
    at, model = root(subject.facts.base_url), subject.facts.model
    match subject.facts.kind:
        case "llamacpp-router":
            words = _of_router(await _get(subject, f"{at}/v1/models"), model)
            return words, "/v1/models" if words else ""
        case "llama-swap":
            words = _of_swap(await _get(subject, f"{at}/running"), model)
            return words, "/running" if words else ""
    if not is_here(at):
        return (), ""
    words = processes.listening(urlsplit(at).port or 80)
    return words, "its command line" if words else ""


def value(words: Sequence[str], *names: str) -> str | None:
    """The value of a flag, by any of its names, as `--name value` or `--name=value`; the last."""
    found = None
    for at, word in enumerate(words):
        name, _, joined = word.partition("=")
        if name in names:
            found = joined or (words[at + 1] if at + 1 < len(words) else "")
    return found


async def metrics(subject: Subject, name: str) -> tuple[Mapping[str, str], float | None]:
    """Labels and value of one of a server's metrics; several of a name are added up."""
    reply = await _get(subject, f"{root(subject.facts.base_url)}/metrics")
    if reply is None or reply.status != 200:
        return {}, None
    labels: dict[str, str] = {}
    total: float | None = None
    for line in reply.body.decode(errors="replace").splitlines():
        if not re.match(rf"{re.escape(name)}[{{ ]", line):
            continue
        labels |= dict(_LABEL.findall(line))
        told = line.rpartition(" ")[2]
        if re.fullmatch(r"[\d.]+(?:e[+-]?\d+)?", told):
            total = (total or 0.0) + float(told)
    return labels, total


async def settings(subject: Subject) -> Mapping[str, object]:
    """SGLang's own."""
    reply = await _get(subject, f"{root(subject.facts.base_url)}/server_info")
    return reply.fields if reply and reply.status == 200 else {}


async def _get(subject: Subject, url: str) -> Reply | None:
    try:
        return await subject.asker.get(url)
    except NoAnswer:
        return None


def _of_router(reply: Reply | None, model: str) -> tuple[str, ...]:
    rows = reply.fields.get("data") if reply else None
    for row in rows if isinstance(rows, list) else ():
        status = row.get("status") if isinstance(row, dict) else None
        if isinstance(status, dict) and row.get("id") == model:
            words = status.get("args")
            return tuple(map(str, words)) if isinstance(words, list) else ()
    return ()


def _of_swap(reply: Reply | None, model: str) -> tuple[str, ...]:
    rows = reply.fields.get("running") if reply else None
    for row in rows if isinstance(rows, list) else ():
        if isinstance(row, dict) and row.get("model") == model:
            try:
                return tuple(shlex.split(str(row.get("cmd") or "")))
            except ValueError:  # a quote without its end
                return ()
    return ()
