"""Each fault of behaviour is found where it was planted, and nothing where none was."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import httpx2
import pytest

from qcode.doctor.base import Learned, Result, Subject
from qcode.doctor.probes.behaviour import BEHAVIOUR
from qcode.doctor.probes.calls import CallAfterThinkingProbe, ToolCallProbe
from qcode.server.ask import Asker
from qcode.server.client import connect
from qcode.server.endpoint import Patience
from qcode.server.known import Wishes
from tests.doctor.planted_behaviour import KINDS, PLANTED, Planted
from tests.support.mind import COINED, Mind
from tests.support.played import PlayedServer
from tests.support.script import Body, Reply

QUICK = Patience(connect_seconds=2, probe_seconds=2, tries=1, first_wait_seconds=0.01)
AFTER_THINKING = CallAfterThinkingProbe()
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


@pytest.mark.parametrize(
    ("fault", "found"),
    [
        ("calls_as_text", "calls.parser"),
        ("schema_ignored", "schema.ignored"),
        ("switch_ignored", "thinking.switch"),
        ("min_p_ignored", "sampling.min_p"),
        ("presence_ignored", "sampling.presence_penalty"),
        ("limit_ignored", "limits.max_tokens"),
        ("image_dropped", "sight.dropped"),
        ("tax", "wrapper.tax"),
    ],
)
async def test_faults_are_found_by_the_words_of_ollama_too(fault: str, found: str) -> None:
    assert ids(await results_of("ollama", mind_of("ollama", fault), asking(65_536))) == [found]


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


@pytest.mark.parametrize("presence", ["echo", "scribe"])
@pytest.mark.parametrize("kind", KINDS)
async def test_nor_is_one_that_does_half_of_it(kind: str, presence: str) -> None:
    """It repeats the question, or writes its calls as JSON without a tag."""
    results = await results_of(kind, mind_of(kind, presence=presence))
    assert not ids(results)
    assert "fails" not in {result.verdict for result in results}
    assert results[-1].said


async def test_a_call_that_is_only_thought_of_is_no_leak() -> None:
    def reply(body: Body) -> Reply:
        kept = "".join(COINED.findall(str(body["messages"]))[:1])
        call = f"<tool_call>\n<function=keep_word>\n<parameter=word>\n{kept}\n</parameter>\n"
        thought = f"I could write {call}</function>\n</tool_call>\nbut that is a lot of work."
        return Reply(text="Done.", reasoning=thought)

    with PlayedServer("vllm", mind_of("vllm")) as server:
        server.add(*[reply] * 4)
        async with subject_of(server) as subject:
            results = [await probe.run(subject) for probe in (ToolCallProbe(), AFTER_THINKING)]
    assert [result.verdict for result in results] == ["unclear", "unclear"]


async def learned_of(kind: str, *faults: str) -> list[Learned]:
    results = await results_of(kind, mind_of(kind, *faults))
    return [result.learned for result in results if result.learned != Learned()]


async def test_what_the_agent_does_otherwise_is_learned() -> None:
    well = [Learned(switch_works=True), Learned(budget_holds=True)]
    assert await learned_of("vllm") == well
    assert await learned_of("vllm", "budget_ignored") == [well[0], Learned(budget_holds=False)]
    assert await learned_of("vllm", "switch_ignored") == [Learned(switch_works=False), well[1]]
    ignored = Learned(ignored=("min_p", "top_k"))
    assert await learned_of("vllm", "min_p_ignored", "top_k_ignored") == [*well, ignored]
    penalties = Learned(ignored=("presence_penalty", "repeat_penalty"))
    assert await learned_of("vllm", "presence_ignored", "repeat_ignored") == [*well, penalties]


async def test_nothing_is_learned_of_a_model_that_is_not_known_to_think() -> None:
    assert not await learned_of("mlx_lm")


@pytest.mark.parametrize("kind", KINDS)
async def test_a_server_that_goes_away_is_unclear(kind: str) -> None:
    with PlayedServer(kind, mind_of(kind)) as server:
        async with subject_of(server) as subject:
            server.close()
            results = await examined(subject)
    assert not ids(results)
    assert {result.verdict for result in results} == {"unclear"}
