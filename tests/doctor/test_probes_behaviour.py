"""Each fault of behaviour is found where it was planted, and nothing where none was."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import httpx2
import pytest

from qcode.doctor.base import Result, Subject
from qcode.doctor.probes.behaviour import BEHAVIOUR
from qcode.server.ask import Asker
from qcode.server.client import connect
from qcode.server.endpoint import Patience
from qcode.server.known import Wishes
from tests.doctor.planted_behaviour import KINDS, PLANTED, Planted
from tests.support.mind import Mind
from tests.support.played import PlayedServer

QUICK = Patience(connect_seconds=2, probe_seconds=2, tries=1, first_wait_seconds=0.01)
STRANGERS = ("generic", "mlx_lm")
"""The model that the recording names is not known to think, and does not."""


@asynccontextmanager
async def subject_of(server: PlayedServer, wishes: Wishes | None = None) -> AsyncIterator[Subject]:
    client = connect(server.base_url, "", "", QUICK, wishes=wishes)
    try:
        facts = await client.facts()
        async with httpx2.AsyncClient(trust_env=False) as http:
            yield Subject(client, facts, Asker(http, "", 5), "5a17c0de")
    finally:
        await client.close()


async def examined(subject: Subject) -> list[Result]:
    """All that is not absent."""
    return [await probe.run(subject) for probe in BEHAVIOUR if not probe.absent(subject)]


def mind_of(kind: str, *faults: str, presence: str = "here") -> Mind:
    chosen: frozenset[str] = frozenset(faults)
    return Mind(kind, chosen, presence, kind not in STRANGERS)  # type: ignore[arg-type]  # literals


async def results_of(kind: str, mind: Mind, wishes: Wishes | None = None) -> list[Result]:
    with PlayedServer(kind, mind) as server:
        async with subject_of(server, wishes) as subject:
            return await examined(subject)


def ids(results: Sequence[Result]) -> list[str]:
    return [finding.id for result in results for finding in result.findings]


def asking(tokens: int) -> Wishes:
    return Wishes(context=lambda model: tokens)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_healthy_server_works_and_nothing_is_found(kind: str) -> None:
    results = await results_of(kind, mind_of(kind))
    assert not ids(results)
    told = {result.probe: (result.verdict, result.said) for result in results}
    unclear = {probe: said for probe, (verdict, said) in told.items() if verdict != "works"}
    assert not unclear.keys() - {"thinking"}, unclear
    assert not unclear or kind in STRANGERS
    assert len(told) >= 7


async def test_a_healthy_ollama_that_is_asked_for_a_context_works() -> None:
    results = await results_of("ollama", mind_of("ollama"), asking(65_536))
    assert {result.verdict for result in results} == {"works"}, results


@pytest.mark.parametrize("planted", PLANTED, ids=lambda p: f"{p.kind}-{p.fault}")
async def test_a_planted_fault_is_found_and_no_other(planted: Planted) -> None:
    results = await results_of(planted.kind, mind_of(planted.kind, planted.fault))
    assert ids(results) == [planted.found], [(one.probe, one.said) for one in results]
    (finding,) = (finding for result in results for finding in result.findings)
    assert planted.change in finding.change
    assert finding.title.endswith(".")
    assert finding.cost.endswith(".")
    assert finding.change.endswith(".")


async def test_one_cause_is_one_finding() -> None:
    """Without its reasoning parser vLLM refuses budgets, too."""
    results = await results_of("vllm", mind_of("vllm", "thinking_in_text", "budget_refused"))
    assert ids(results) == ["thinking.parser"]


@pytest.mark.parametrize("kind", KINDS)
async def test_a_model_that_does_something_else_is_never_a_finding(kind: str) -> None:
    results = await results_of(kind, mind_of(kind, presence="absent"))
    assert not ids(results)
    asked = [result for result in results if result.probe not in ("schema", "wrapper")]
    assert {result.verdict for result in asked} == {"unclear"}, asked
    assert all(result.said for result in asked)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_server_that_goes_away_is_unclear(kind: str) -> None:
    with PlayedServer(kind, mind_of(kind)) as server:
        async with subject_of(server) as subject:
            server.close()
            results = await examined(subject)
    assert not ids(results)
    assert {result.verdict for result in results} == {"unclear"}
