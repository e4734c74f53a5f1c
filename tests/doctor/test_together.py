"""All probes, one after another, as `qcode doctor` runs them: they do not mislead each other."""

import pytest

from qcode.doctor import report
from qcode.doctor.examination import Examined, examine
from qcode.doctor.meeting import Address, met
from qcode.doctor.probes.table import PROBES
from tests.doctor.planted_behaviour import KINDS, PLANTED, Planted
from tests.doctor.test_probes_behaviour import mind_of
from tests.support.mind import Mind
from tests.support.played import PlayedServer

ONE_EACH = {planted.kind: planted for planted in PLANTED}.values()


async def examined(kind: str, mind: Mind) -> Examined:
    with PlayedServer(kind, mind) as server:
        async with met(Address(server.base_url)) as subject:
            return await examine(subject, PROBES, 60.0)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_healthy_server_is_well_and_nothing_is_left_out(kind: str) -> None:
    found = await examined(kind, mind_of(kind))
    assert [each for each in report.findings(found.results) if each.weight != "note"] == []
    assert [each for each in found.results if each.verdict == "fails"] == []
    assert not found.left_out
    assert len(found.results) + len(found.absent) == len(PROBES)


@pytest.mark.parametrize("planted", ONE_EACH, ids=lambda each: f"{each.kind}-{each.fault}")
async def test_one_fault_is_found_once_and_makes_no_others(planted: Planted) -> None:
    found = await examined(planted.kind, mind_of(planted.kind, planted.fault))
    healthy = await examined(planted.kind, mind_of(planted.kind))
    usual = {each.id for each in report.findings(healthy.results)}
    ids = [each.id for each in report.by_weight(report.findings(found.results))]
    assert [each for each in ids if each not in usual] == [planted.found]
