"""Faults of mechanics, planted in a real llama.cpp: each is named, and nothing else is."""

import asyncio
import dataclasses
from pathlib import Path

import pytest
from msgspec.structs import replace

from qcode.doctor.base import Result, Subject
from qcode.doctor.meeting import Address, met
from qcode.doctor.probes.rates import RatesProbe
from qcode.doctor.probes.raw import is_busy
from qcode.doctor.probes.reuse import Reuse
from qcode.doctor.probes.walking import Steps, walk
from qcode.server.base import Strategy
from tests.doctor.mechanics import CASES, llama
from tests.doctor.planted import Case, Outcome, table, try_case
from tests.support.llama import make_model

pytestmark = pytest.mark.llamacpp


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_is_planted_is_found_and_nothing_else(case: Case, llama_folder: Path) -> None:
    outcome = try_case(case, llama_folder)
    assert outcome.found == case.expected, outcome.examined.results
    assert not outcome.examined.left_out


def test_a_fault_is_told_with_its_cost_and_a_flag(llama_folder: Path) -> None:
    outcome = _tried("no checkpoints", llama_folder)
    (finding,) = outcome.findings
    reread = finding.evidence["branch_reread_tokens"]
    assert isinstance(reread, int)
    assert reread > 1_000
    assert f"{reread:,} of" in finding.cost
    assert "--ctx-checkpoints 32" in finding.change


def test_slots_that_divide_name_the_whole_context(llama_folder: Path) -> None:
    (finding,) = _tried("two slots that divide 65,536", llama_folder).findings
    assert finding.evidence["whole_context_tokens"] == 65_536
    assert "--kv-unified" in finding.change


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("ChatML in place of the file's own", "without `--chat-template`"),
        ("template without tools", "without `--chat-template`"),
        ("no template in the file", "Take a file that has its template"),
    ],
)
def test_a_template_is_blamed_on_the_file_only_where_it_is_the_files(
    name: str, words: str, llama_folder: Path
) -> None:
    finding = _tried(name, llama_folder).findings[0]
    assert words in finding.change
    assert ("was started with" in finding.change) == ("without" in words)


async def test_history_that_changes_is_seen_and_sent_otherwise(llama_folder: Path) -> None:
    """Qwen 3.5's template drops earlier reasoning; what keeps it is found by trying."""
    calls_nothing = make_model(llama_folder, "3.5", "for ever")  # a call that is cut proves nothing
    with llama(model=str(calls_nothing))(llama_folder) as base_url:
        result = await _with_strategy(base_url, "plain")
    assert [finding.id for finding in result.findings] == ["reuse.history"]
    assert result.learned.strategy == "fold"
    assert result.findings[0].weight == "note"


async def test_of_a_conversation_only_what_is_new_is_read(llama_folder: Path) -> None:
    with llama()(llama_folder) as base_url:
        async with met(Address(base_url)) as subject:
            steps = await walk(subject, subject.facts.strategy)
    assert _reread(steps) < 64


async def test_rates_are_measured_at_two_lengths_without_a_false_alarm(
    llama_folder: Path,
) -> None:
    with llama(n_ctx=16_384)(llama_folder) as base_url:
        async with met(Address(base_url)) as subject:
            result = await RatesProbe().run(subject)
    assert not result.findings
    # of so small a model the context is most of the work: what is far may be many times as slow
    assert result.verdict in ("works", "unclear")
    short, long = result.measured["short_tokens"], result.measured["long_tokens"]
    assert isinstance(short, int)
    assert isinstance(long, int)
    assert long >= 2 * short
    assert subject.rates.prompt_per_second
    assert subject.rates.generated_per_second


async def test_a_server_that_works_for_another_is_not_blamed(llama_folder: Path) -> None:
    with llama(n_ctx_checkpoints=0)(llama_folder) as base_url:
        async with met(Address(base_url)) as subject, met(Address(base_url)) as other:
            busy = asyncio.create_task(_keep_busy(other))
            await _until_busy(subject)
            result = await Reuse().run(subject)
            busy.cancel()
    assert result.verdict == "unclear"
    assert not result.findings


def test_the_table_marks_what_was_missed(llama_folder: Path) -> None:
    outcome = _tried("healthy: llama.cpp, Qwen 3.5", llama_folder)
    case = dataclasses.replace(outcome.case, expected=frozenset({"reuse.off"}))
    wrong = dataclasses.replace(outcome, case=case)
    assert "0 of 0 planted faults found; 0 false findings, 1 of 1 servers healthy" in table(
        [outcome]
    )
    assert "0 of 1 planted faults found" in table([wrong])
    assert "**!**" in table([wrong])


def _tried(name: str, folder: Path) -> Outcome:
    return try_case(next(case for case in CASES if case.name == name), folder)


async def _with_strategy(base_url: str, strategy: Strategy) -> Result:
    async with met(Address(base_url)) as subject:
        asked_otherwise = replace(subject, facts=replace(subject.facts, strategy=strategy))
        return await Reuse().run(asked_otherwise)


def _reread(steps: Steps) -> int:
    assert steps.question.tokens is not None
    assert steps.branch.tokens is not None
    return max(steps.question.tokens, steps.branch.tokens)


async def _keep_busy(subject: Subject) -> None:
    """A long prompt, and another behind it."""
    while True:
        await walk(replace(subject, salt=f"{subject.salt}+"), "fold")


async def _until_busy(subject: Subject) -> None:
    async with asyncio.timeout(20):
        while not await is_busy(subject):  # noqa: ASYNC110  the other process has no event of ours
            await asyncio.sleep(0)
