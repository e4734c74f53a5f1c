"""An examination: while it goes on, and what it came to."""

import asyncio

from msgspec.structs import replace

from qcode.doctor.base import Finding, Result
from qcode.doctor.report import About, Report
from qcode.tui.home import Examination
from tests.tui.snapshots.lists import app_of
from tests.tui.snapshots.stage import Stage

SAID = (
    "the examination takes the place of the conversation that the server has in its cache; it was "
    "saved, and is put back afterwards."
)
FINDINGS = (
    Finding(
        id="context.small",
        weight="slow",
        title="The server keeps 32,768 tokens of the 262,144 that the model can hold.",
        cost="A session is summarised after some 20 turns.",
        change="llama-server -c 131072",
        source="llama.cpp's README",
    ),
    Finding(
        id="sampling.ignored",
        weight="note",
        title="The server ignores min_p.",
        cost="The maker's advice for coding is not followed.",
        change="Nothing is needed: qcode leaves it out from now on.",
    ),
)
CHECKS = (
    Result(probe="rates", verdict="works", said="reads 2,610 tok/s, writes 98 tok/s"),
    Result(probe="context", verdict="fails", said="32,768 of 262,144 tokens are loaded"),
    Result(probe="reuse", verdict="works", said="11,904 of 12,011 tokens came from the cache"),
    Result(probe="grammar", verdict="unclear", said="the model did not do as it was asked"),
)
OWN = (Result(probe="sandbox", verdict="works", said="bubblewrap holds"),)
REPORT = Report(
    qcode="0.1.0",
    date="2026-11-21T20:00:00+00:00",
    server=About(
        base_url="http://127.0.0.1:8080/v1",
        kind="llamacpp",
        name="llama.cpp",
        version="b9000",
        model="Qwen3.6-35B-A3B",
        context_tokens=32_768,
        trained_tokens=262_144,
        slots=1,
        strategy="native",
        strategy_why="",
    ),
    checks=CHECKS,
    own=OWN,
    findings=FINDINGS,
    absent={"mtp": "the model has no such head"},
    seconds=41.0,
)


async def found(s: Stage) -> None:
    """What it came to."""

    async def examine(_: Examination) -> Report:
        return REPORT

    await _begin(s, examine)
    await s.until_seen("own side")


async def goes_on(s: Stage) -> None:
    """It checks one thing after another."""

    async def examine(wanted: Examination) -> Report:
        wanted.said(SAID)
        for words in ("qcode's own side", "meeting the server", "rates: reading and writing"):
            wanted.checks(words)
        await asyncio.sleep(60)
        return REPORT

    await _begin(s, examine)
    await s.until_seen("reading and writing, 0 s")


async def _begin(s: Stage, examine: object) -> None:
    app = app_of(s)
    app.home = replace(app.home, examine=examine)
    app.command("doctor")
