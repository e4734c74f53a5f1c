"""What is known of a server: text for a terminal of 80 columns, or an object for scripts."""

from collections.abc import Iterator
from typing import Any

import msgspec

from qcode.headless.talk import wrapped
from qcode.protocol.text import one_line, plain
from qcode.server import quirks
from qcode.server.base import ServerFacts
from qcode.server.detect import Seen

WIDTH = 80
_INDENT = " " * 12
_NAMES = 12
"""Models that are named; a list of all is in `--json`."""

SWITCHES = {
    "kwargs": "chat_template_kwargs.enable_thinking",
    "effort": "reasoning_effort (none = off)",
    "top": "enable_thinking",
    "reasoning": "reasoning.enabled",
    "request": "enable_thinking",
    "think": "think",
    "none": "none known",
}


def block(seen: Seen, examined: str = "", served: str = "") -> str:
    """A heading and a line a fact; ends with a newline. `examined`: when, and what came of it;
    `served`: its name, where `qcode serve` serves it."""
    ours = _row("served", f"by qcode serve as {one_line(served, 200)}") if served else ""
    if isinstance(seen.found, ServerFacts):
        rows = "".join(_row(*row) for row in _rows(seen.found))
        return _heading(seen.found) + ours + rows + (_row("examined", examined) if examined else "")
    return f"{_title(seen.kind, seen.base_url)}\n{ours}{_row('state', plain(str(seen.found)))}"


def report(seen: Seen, examined: str = "", served: str = "") -> dict[str, Any]:
    """The same for scripts: names of `ServerFacts`, and what follows from the kind."""
    if not isinstance(seen.found, ServerFacts):
        return {"base_url": seen.base_url, "kind": seen.kind, "state": str(seen.found)}
    row = quirks.of(seen.found.kind, seen.found.version)
    return {
        **msgspec.to_builtins(seen.found),
        "name": row.name,
        "source": row.source,
        "thinking_switch": row.switch,
        "thinking_budget": ".".join(row.budget),
        "counting": bool(row.counting),
        "sampling": dict(row.sampling),
        "examined": examined,
        "served": served,
    }


def _heading(facts: ServerFacts) -> str:
    return f"{_title(facts.kind, facts.base_url, one_line(facts.version, 40))}\n"


def _title(kind: str, base_url: str, version: str = "") -> str:
    name = quirks.QUIRKS[kind].name if kind else "a server"
    return f"{name}{f' {version}' if version else ''} at {base_url}"


def _rows(facts: ServerFacts) -> Iterator[tuple[str, str]]:
    row = quirks.of(facts.kind, facts.version)
    yield "kind", facts.kind
    yield "model", f"{one_line(facts.model, 200)} ({facts.picked_why}{_memory(facts)})"
    if len(facts.models) > 1:
        yield "models", _names(facts.models)
    yield "context", _context(facts)
    if facts.slots:
        yield "slots", f"{facts.slots} at once"
    yield "vision", {True: "yes", False: "no", None: "not told"}[facts.vision]
    yield "history", f"{facts.strategy}: {plain(facts.strategy_why)}"
    yield "reasoning", _reasoning(facts)
    yield "thinking", f"switch: {SWITCHES[row.switch]}; budget: {_budget(facts)}"
    yield "counting", "by the server" if row.counting else "by qcode, from what usage reports"


def _memory(facts: ServerFacts) -> str:
    if facts.loaded is None or "loaded" in facts.picked_why:
        return ""
    return "; loaded" if facts.loaded else "; not loaded"


def _names(models: tuple[str, ...]) -> str:
    named = ", ".join(one_line(model, 60) for model in models[:_NAMES])
    more = f" and {len(models) - _NAMES} more" if len(models) > _NAMES else ""
    return f"{len(models)}: {named}{more}"


def _context(facts: ServerFacts) -> str:
    loaded = "loaded: not told; set server.context_tokens if you know it"
    if facts.context_tokens:
        loaded = f"{facts.context_tokens:,} tokens (from {facts.context_from})"
    if not facts.trained_tokens:
        return loaded
    return f"{loaded}; made for {facts.trained_tokens:,} (from {facts.trained_from})"


def _reasoning(facts: ServerFacts) -> str:
    if not facts.reasoning_field:
        return "not sent back: the server drops it"
    return f"sent back as {facts.reasoning_field}"


def _budget(facts: ServerFacts) -> str:
    row = quirks.of(facts.kind, facts.version)
    if row.budget:
        flag = f" (if started with {row.budget_flag})" if row.budget_flag else ""
        return f"{'.'.join(row.budget)}{flag}"
    how = "has the answer go on" if facts.continues else "asks again without thinking"
    return f"kept by qcode, which {how}"


def _row(name: str, text: str) -> str:
    return wrapped(f"  {name:<9} {text}", WIDTH, _INDENT) + "\n"
