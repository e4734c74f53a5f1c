"""Probes run within their time, and nothing that one of them does costs what the others know."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from qcode.doctor import report
from qcode.doctor.base import Finding, Learned, Result, Subject
from qcode.doctor.examination import examine
from qcode.doctor.meeting import Address, met
from qcode.doctor.probes.rates import RatesProbe
from qcode.doctor.probes.reuse import Reuse
from qcode.doctor.probes.table import PROBES
from qcode.server.base import Request
from tests.doctor.reading import Reading
from tests.support.llama_words import About
from tests.support.script import Reply
from tests.support.scripted_server import StartScripted

Does = Callable[[Subject], Awaitable[Result]]


class Scripted:
    """A probe that does as it is told."""

    def __init__(self, name: str, seconds: float = 1.0, does: Does | None = None) -> None:
        self.name, self.label = name, f"label of {name}"
        self.seconds = seconds
        self.because = ""
        self._does = does

    def absent(self, subject: Subject) -> str:
        return self.because

    def estimate(self, subject: Subject) -> float:
        slow = subject.rates.generated_per_second
        return self.seconds * (10.0 / slow if slow else 1.0)

    async def run(self, subject: Subject) -> Result:
        if self._does:
            return await self._does(subject)
        return Result(probe=self.name, verdict="works", said="seen", measured={"a": 1})


@pytest.fixture
async def subject(scripted: StartScripted) -> AsyncIterator[Subject]:
    """A server that answers everything."""
    server = scripted(otherwise=lambda body: Reply(text="Yes."))
    async with met(Address(server.base_url)) as found:
        yield found


def names(results: list[Result]) -> list[str]:
    return [result.probe for result in results]


async def test_a_short_time_has_room_for_reuse_behind_the_rates(subject: Subject) -> None:
    rates, reuse = RatesProbe(), Reuse()
    usual = rates.estimate(subject) + reuse.estimate(subject)
    await examine(subject, (Scripted("a"),), 20.0)
    for read, wrote in ((250.0, 10.0), (1_000.0, 40.0), (8_000.0, 150.0)):
        subject.rates.prompt_per_second, subject.rates.generated_per_second = read, wrote
        needed = rates.estimate(subject) + reuse.estimate(subject)
        assert needed < 20.0, (read, wrote)
    assert needed < usual


async def test_what_does_not_fit_is_named_with_its_time_and_the_rest_is_run(
    subject: Subject,
) -> None:
    probes = (Scripted("a"), Scripted("long", 600.0), Scripted("b"))
    found = await examine(subject, probes, 60.0)
    assert names(found.results) == ["a", "b"]
    assert [(left.probe, left.seconds) for left in found.left_out] == [("long", 600.0)]


async def test_the_time_is_reckoned_anew_when_the_rates_are_known(subject: Subject) -> None:
    async def rates(seen: Subject) -> Result:
        seen.rates.generated_per_second = 1.0  # a tenth of what was assumed
        return Result(probe="rates", verdict="works", said="slow")

    probes = (Scripted("rates", does=rates), Scripted("half", 30.0))
    found = await examine(subject, probes, 60.0)
    assert [(left.probe, left.seconds) for left in found.left_out] == [("half", 300.0)]


async def test_what_cannot_be_asked_is_absent_with_its_reason_and_costs_no_time(
    subject: Subject,
) -> None:
    probe = Scripted("images", 600.0)
    probe.because = "the model has no eyes"
    found = await examine(subject, (probe,), 60.0)
    assert found.absent == {"images": "the model has no eyes"}
    assert not found.left_out


async def test_a_probe_that_breaks_is_unclear_and_the_next_one_runs(subject: Subject) -> None:
    async def breaks(_: Subject) -> Result:
        raise KeyError("tokens")

    found = await examine(subject, (Scripted("a", does=breaks), Scripted("b")), 60.0)
    assert [result.verdict for result in found.results] == ["unclear", "works"]
    assert "KeyError: 'tokens'" in found.results[0].said


async def test_a_probe_without_end_is_stopped_and_what_it_asked_is_closed(
    scripted: StartScripted,
) -> None:
    server = scripted(Reply(text="never", end="hang"))

    async def waits(seen: Subject) -> Result:
        messages = [{"role": "user", "content": "Hello."}]
        await seen.ask(Request(seen.facts.model, messages, []))
        raise AssertionError

    async with met(Address(server.base_url)) as subject:
        found = await examine(subject, (Scripted("a", 0.1, waits),), 0.5)
    assert found.results[0].verdict == "unclear"
    assert "stopped" in found.results[0].said
    await asyncio.to_thread(server.wait_for, lambda seen: seen.requests[0].closed_early is not None)


async def test_a_cancelled_examination_tells_what_it_knows(subject: Subject) -> None:
    begun = asyncio.Event()

    async def waits(_: Subject) -> Result:
        begun.set()
        await asyncio.sleep(60)
        raise AssertionError

    probes = (Scripted("a"), Scripted("b", does=waits), Scripted("c"))
    task = asyncio.create_task(examine(subject, probes, 60.0))
    await begun.wait()
    task.cancel()
    found = await task
    assert found.interrupted
    assert names(found.results) == ["a"]
    assert [left.probe for left in found.left_out] == ["b", "c"]


async def test_progress_tells_each_probe_that_runs(subject: Subject) -> None:
    told: list[str] = []
    probes = (Scripted("a"), Scripted("long", 600.0), Scripted("b"))
    await examine(subject, probes, 60.0, lambda probe, elapsed: told.append(probe.name))
    assert told == ["a", "b"]


async def test_a_server_that_dies_of_a_question_is_a_finding_and_ends_it(
    scripted: StartScripted,
) -> None:
    server = scripted(Reply(text="half of it", end="reset"))

    async def kills(seen: Subject) -> Result:
        messages = [{"role": "user", "content": "Hello."}]
        heard = await seen.ask(Request(seen.facts.model, messages, []))
        await asyncio.to_thread(server.close)
        return Result(probe="killer", verdict="unclear", said=heard.error)

    async with met(Address(server.base_url)) as subject:
        found = await examine(subject, (Scripted("killer", does=kills), Scripted("b")), 60.0)
    assert [each.id for each in report.findings(found.results)] == ["server.crash"]
    assert [left.probe for left in found.left_out] == ["b"]


async def test_a_server_that_answers_no_question_is_one_finding_and_asked_no_more(
    scripted: StartScripted,
) -> None:
    no = Reply(status=400, body={"error": {"message": "no such thing"}})
    large = About(kind="llamacpp", context_tokens=131_072)
    server = scripted(about=large, otherwise=lambda _: no)
    async with met(Address(server.base_url)) as subject:
        found = await examine(subject, PROBES, 60.0)
    assert [each.id for each in report.findings(found.results)] == ["server.silent"]
    assert len(server.requests) == 2
    assert not found.left_out
    assert found.absent["penalties"] == found.absent["reuse"]
    assert "does not answer" in found.absent["reuse"]


async def test_the_rates_are_measured_in_the_shortest_time_and_what_is_left_is_told_by_them(
    scripted: StartScripted,
) -> None:
    server = scripted(about=About(kind="llamacpp"), otherwise=Reading())
    async with met(Address(server.base_url)) as subject:
        found = await examine(subject, (*PROBES, Scripted("long", 60_000.0)), 2.0)
        assert subject.rates.prompt_per_second
    done = [each.probe for each in found.results]
    assert done.index("context") < done.index("template") < done.index("rates")
    [long] = [each for each in found.left_out if each.probe == "long"]
    assert long.seconds < 60_000.0


async def test_what_was_left_out_is_told_with_the_time_that_it_usually_takes(
    subject: Subject,
) -> None:
    subject.rates.prompt_per_second, subject.rates.generated_per_second = 100.0, 10.0
    usual = Reuse().estimate(subject)
    found = await examine(subject, (Reuse(),), 0.01)
    assert [left.seconds for left in found.left_out] == [round(usual, 1)]


async def test_a_measurement_is_not_tried_twice_in_silence(scripted: StartScripted) -> None:
    server = scripted(Reply(status=500, body={"error": {"message": "broken"}}))
    async with met(Address(server.base_url)) as subject:
        messages = [{"role": "user", "content": "Hello."}]
        heard = await subject.ask(Request(subject.facts.model, messages, []))
    assert "broken" in heard.error
    assert len(server.requests) == 1


async def test_the_salt_of_two_meetings_differs(scripted: StartScripted) -> None:
    server = scripted()
    salts = set()
    for _ in range(3):
        async with met(Address(server.base_url)) as subject:
            salts.add(subject.salt)
    assert len(salts) == 3


def test_findings_come_by_weight_each_fault_once_and_none_of_what_is_unclear() -> None:
    def finding(fault: str, weight: str) -> Finding:
        return Finding(id=fault, weight=weight, title="", cost="", change="")  # type: ignore[arg-type]  # a word of the test's table

    results = [
        Result(probe="a", verdict="works", said="", findings=(finding("a", "note"),)),
        Result(probe="b", verdict="fails", said="", findings=(finding("b", "slow"),)),
        Result(probe="c", verdict="unclear", said="", findings=(finding("c", "broken"),)),
        Result(
            probe="d",
            verdict="fails",
            said="",
            findings=(finding("d", "broken"), finding("a", "note")),
        ),
    ]
    found = report.by_weight(report.findings(results))
    assert [each.id for each in found] == ["d", "b", "a"]


def test_what_was_learned_adds_up_and_false_counts_as_said() -> None:
    learned = report.together(
        [
            Learned(budget_holds=False, ignored=("min_p",)),
            Learned(budget_holds=True, ignored=("min_p", "top_k"), context_tokens=8_000),
            Learned(strategy="fold", context_tokens=4_000),
        ]
    )
    assert learned == Learned(
        strategy="fold", budget_holds=False, ignored=("min_p", "top_k"), context_tokens=4_000
    )
