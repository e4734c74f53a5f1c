"""A real llama.cpp with a model that does as it likes: nothing is found, and what the probes of
sampling take for certain is so."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from qcode.doctor.base import Subject
from qcode.doctor.meeting import Address, met
from qcode.doctor.probes.asking import question
from qcode.doctor.probes.behaviour import BEHAVIOUR
from qcode.doctor.probes.budgets import BudgetProbe
from qcode.doctor.probes.sampling import PenaltiesProbe
from qcode.doctor.probes.structure import SchemaProbe
from tests.support.llama import LlamaServer, Options, Thinks, make_model

pytestmark = pytest.mark.llamacpp


@pytest.fixture(scope="module")
def thinker(llama_folder: Path) -> Iterator[LlamaServer]:
    """It writes and writes, and reasons first."""
    with serving(llama_folder, "for ever") as server:
        yield server


def serving(folder: Path, thinks: Thinks) -> LlamaServer:
    return LlamaServer(Options(str(make_model(folder, "3.6", thinks))), folder / "behaviour.log")


async def text_of(subject: Subject, **values: object) -> str:
    """What is written to one prompt."""
    asked = replace(question(subject, "Write."), sampling={}, max_tokens=60, thinking_budget=900)
    seen = await subject.ask(replace(asked, extra=values))
    assert not seen.error
    return seen.reasoning + seen.text


async def found(server: LlamaServer) -> dict[str, str]:
    """Probe -> verdict; nothing may be found."""
    told: dict[str, str] = {}
    async with met(Address(server.base_url)) as subject:
        for probe in BEHAVIOUR:
            if not probe.absent(subject):
                result = await probe.run(subject)
                assert not result.findings, result
                assert result.verdict != "fails"
                told[probe.name] = result.verdict
    return told


async def test_nothing_is_found_where_the_model_does_as_it_likes(
    thinker: LlamaServer, llama_folder: Path
) -> None:
    assert await found(thinker)
    with serving(llama_folder, "a while") as server:
        assert await found(server)


async def test_what_the_server_does_by_itself_is_seen_to_work(thinker: LlamaServer) -> None:
    """Grammar, penalties and budget need no model that listens."""
    for probe in (BudgetProbe(), SchemaProbe(), PenaltiesProbe()):
        verdicts = set()
        for _ in range(3):  # each with a salt of its own: to some it answers in two words
            async with met(Address(thinker.base_url)) as subject:
                verdicts.add((await probe.run(subject)).verdict)
            if "works" in verdicts:
                break
        assert verdicts <= {"works", "unclear"}, probe.name
        assert "works" in verdicts, probe.name


async def test_a_cut_off_at_its_narrowest_leaves_the_likeliest_token(thinker: LlamaServer) -> None:
    """All that may follow a letter is as likely to the tiny model: a bias prefers one."""
    async with met(Address(thinker.base_url)) as subject:
        likes = {"logit_bias": [["u", 1.0]]}
        cold = await text_of(subject, temperature=0.0, **likes)
        assert cold.count("u") > 40
        heat = {"temperature": 5.0, "top_p": 1.0, **likes}
        assert await text_of(subject, **heat, seed=1) != cold
        assert await text_of(subject, **heat, seed=1, min_p=1.0) == cold
        assert await text_of(subject, **heat, seed=2, top_k=1) == cold


async def test_a_seed_gives_the_same_text_until_a_penalty_is_said(thinker: LlamaServer) -> None:
    async with met(Address(thinker.base_url)) as subject:
        warm = {"temperature": 1.0, "top_p": 1.0, "seed": 1}
        plain = await text_of(subject, **warm)
        assert len(plain) > 40
        assert await text_of(subject, **warm) == plain
        assert await text_of(subject, **warm, repeat_penalty=1.8) != plain
        assert await text_of(subject, **warm, presence_penalty=2.0) != plain
