"""What the smaller pickers are about: mode, thinking, sampling, server, model, profile, format.

Each makes an `About` for `Picker`; what is chosen is the input for the engine.
"""

import asyncio
import importlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any

from qcode.engine.settings import EFFORT, thinking_tokens
from qcode.permission.modes import HEADINGS, TABLE, Cell
from qcode.permission.rules import STRICTNESS, Rule
from qcode.protocol.errors import ServerError
from qcode.protocol.inputs import SetMode, SetModel, SetSampling, SetThinking
from qcode.server.base import ServerFacts
from qcode.server.families import family, mode, sampling
from qcode.server.family import Preset
from qcode.tui.picker.frame import Sheet
from qcode.tui.picker.rows import Row
from qcode.tui.screens.pickers import CHOOSE, About

_ALLOWED: Mapping[Cell, str] = {
    "allow": "yes",
    "ask": "asks",
    "deny": "no",
    "read-only, else ask": "reads only, else asks",
    "read-only, else deny": "reads only",
}


def of_mode(now: str, fence: str = "holds") -> About[SetMode]:
    """`fence` as in `permission.modes.Fence`: whether the sandbox holds here."""
    rows = []
    for name, row in TABLE.items():
        shell = (
            row.fenced if fence == "holds" or (name == "auto" and fence == "off") else row.unfenced
        )
        cells = (("edits", row.edit), ("commands", shell), ("beyond the workspace", row.beyond))
        note = "   ".join(f"{what} {_ALLOWED[cell]}" for what, cell in cells)
        rows.append(Row(SetMode(name), name, note, mark="now" if name == now else ""))
    return About(Sheet("mode", placeholder="what is done without asking", hints=CHOOSE), rows)


def of_thinking(now: int, answer_tokens: int) -> About[SetThinking]:
    """Words for budgets; a number may be typed."""
    rows = []
    for word in EFFORT:
        tokens = thinking_tokens(word, answer_tokens)
        note = f"{tokens:,} tokens" if tokens else "answers at once"
        rows.append(Row(SetThinking(tokens), word, note, mark="now" if tokens == now else ""))
    if now not in {row.value.budget for row in rows}:
        rows.append(Row(SetThinking(now), f"{now:,} tokens", mark="now"))

    async def typed(words: str) -> Sequence[Row[SetThinking]]:
        digits = words.strip().replace(",", "")
        if not digits.isascii() or not digits.isdigit():
            return ()
        return [Row(SetThinking(int(digits)), f"{int(digits):,} tokens")]

    sheet = Sheet("thinking", placeholder="a word, or a number of tokens", hints=CHOOSE)
    return About(sheet, rows, deeper=typed)


WORK: Mapping[Preset, str] = {
    "coding": "code and tools",
    "general": "prose, explanations",
    "reasoning": "hard questions",
}


def of_sampling(model: str, budget: int, now: SetSampling) -> About[SetSampling]:
    """What the maker of `model` publishes for each kind of work, as it will be sent."""
    rows = [
        Row(
            SetSampling(),
            "auto",
            "as configured, else as for coding",
            mark=_now(now, SetSampling()),
        )
    ]
    for preset, work in WORK.items():
        values = sampling(model, mode(preset, budget))
        given = preset_values(model, preset, budget)
        note = "  ".join(f"{name} {value:g}" for name, value in values.items())
        rows.append(Row(given, preset, note, words=work, mark=_now(now, given)))
    if all(row.mark != "now" for row in rows):
        fields = ((name, getattr(now, name)) for name in now.__struct_fields__)
        note = "  ".join(f"{name} {value:g}" for name, value in fields if value is not None)
        rows.append(Row(now, "own", note, mark="now"))
    found = family(model)
    sheet = Sheet(
        "sampling",
        placeholder="for which work",
        status=f"{found.name}: {found.source}",
        hints=CHOOSE,
    )
    return About(sheet, rows)


def preset_values(model: str, preset: Preset, budget: int) -> SetSampling:
    """All that is said of a preset, as an input."""
    values = sampling(model, mode(preset, budget))
    known: dict[str, Any] = {
        name: value for name, value in values.items() if name in SetSampling.__struct_fields__
    }
    return SetSampling(**known)


def _now(now: SetSampling, given: SetSampling) -> Any:
    return "now" if now == given else ""


def of_model(now: str, names: Callable[[], AsyncIterator[Sequence[str]]]) -> About[SetModel]:
    """The models of the server, as it lists them."""

    async def rows() -> AsyncIterator[Sequence[Row[SetModel]]]:
        async for some in names():
            yield [Row(SetModel(name), name, mark="now" if name == now else "") for name in some]

    sheet = Sheet("model", empty="The server lists no models.", hints=CHOOSE)
    return About(sheet, rows)


def models_at(base_url: str, api_key: str = "") -> Callable[[], AsyncIterator[Sequence[str]]]:
    """What the server at an address lists; no model is loaded for it."""

    async def names() -> AsyncIterator[Sequence[str]]:
        survey = await _survey()
        (seen,) = await survey.survey(base_url, api_key)
        if isinstance(seen.found, ServerFacts):
            yield seen.found.models
        elif isinstance(seen.found, ServerError):
            raise seen.found
        else:
            raise ServerError(f"No server answers at {base_url} ({seen.because}).")

    return names


def of_server(now: str, ports: Sequence[int] | None = None) -> About[SetModel]:
    """What answers on the known ports, each as it is found; an address may be typed."""

    async def rows() -> AsyncIterator[Sequence[Row[SetModel]]]:
        survey = await _survey()
        known = survey.PORTS if ports is None else ports
        asked = [asyncio.ensure_future(survey.survey(ports=(port,))) for port in known]
        try:
            for done in asyncio.as_completed(asked):
                yield [row for seen in await done if (row := _server(seen, now))]
        finally:
            for one in asked:
                one.cancel()

    async def typed(words: str) -> Sequence[Row[SetModel]]:
        url = words.strip()
        if not url.startswith(("http://", "https://")) or len(url) < 10:
            return ()
        return [Row(SetModel("", url), url, "this address")]

    sheet = Sheet(
        "server",
        placeholder="found on this machine; or type an address",
        empty="No server answers on the known ports of this machine.",
        hints=CHOOSE,
    )
    return About(sheet, rows, deeper=typed)


def _server(seen: Any, now: str) -> Row[SetModel] | None:
    """A row of what is at an address; None = no server of models."""
    if isinstance(seen.found, ServerFacts):
        facts = seen.found
        context = f"   {facts.context_tokens:,} tokens" if facts.context_tokens else ""
        note = f"{facts.model}{context}"
        title = f"{facts.kind}  {facts.base_url}"
        mark: Any = "now" if facts.base_url == now else ""
        return Row(SetModel(facts.model, facts.base_url), title, note, mark=mark)
    if seen.found is None:
        return None
    return Row(SetModel("", seen.base_url), seen.base_url, str(seen.found), mark="bad")


async def _survey() -> Any:
    """Deferred: httpx2 stands behind it; loaded in a thread, so that keys are taken meanwhile."""
    return await asyncio.to_thread(importlib.import_module, "qcode.server.survey")


def of_profile(rows: Sequence[tuple[str, str]], now: str) -> About[SetModel]:
    """Names of the settings' profiles, each with what it says."""
    sheet = Sheet(
        "profile",
        empty="The settings have no [profiles] yet: `qcode paths` names their file.",
        hints=CHOOSE,
    )
    made = [
        Row(SetModel(name), name, said, mark="now" if name == now else "") for name, said in rows
    ]
    return About(sheet, made)


def of_rules(rules: Sequence[Rule], now: str) -> About[None]:
    """All rules with where they stand, then what holds where no rule speaks."""
    ordered = sorted(rules, key=lambda rule: -STRICTNESS[rule.answer])
    groups = {"deny": "denied", "ask": "asked", "allow": "allowed unasked"}
    rows = [Row(None, rule.text, rule.source, group=groups[rule.answer]) for rule in ordered]
    row = next((row for name, row in TABLE.items() if name == now), TABLE["ask"])
    cells = (row.read, row.edit, row.beyond, row.fenced, row.unfenced)
    group = f"where no rule speaks: {now} mode"
    rows += [
        Row(None, heading, cell, group=group)
        for heading, cell in zip(HEADINGS[1:], cells, strict=True)
    ]
    sheet = Sheet("permissions", "page", placeholder="deny beats ask beats allow", hints=CHOOSE[1:])
    return About(sheet, rows, order="as given")


def of_export() -> About[str]:
    """The format; the value goes to `Shelf.export`."""
    rows = [
        Row("markdown", "Markdown", "to read and to paste"),
        Row("html", "HTML", "one page for a browser, nothing is fetched"),
        Row("json", "JSON", "for programs"),
    ]

    async def typed(words: str) -> Sequence[Row[str]]:
        name = words.strip()
        named = name.lower().endswith((".md", ".html", ".json"))
        return [Row(name, f"write {name}")] if named else ()

    sheet = Sheet("export", placeholder="a format, or a file's name", hints=CHOOSE)
    return About(sheet, rows, deeper=typed)
