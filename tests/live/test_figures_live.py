"""The figures of the bench that are counts of a real engine: by how much a budget is overrun."""

import os
from collections.abc import Iterator

import pytest

from tests.bench.between import Refuse, nothing
from tests.bench.budgets import (
    OTHERS,
    on_engine,
    on_llama,
    refused,
    thinking,
    thinking_llama,
)
from tests.bench.ground import Ground, ground
from tests.support.engines import KINDS, EngineServer, Kind, is_installed

pytestmark = pytest.mark.skipif(not hasattr(os, "wait4"), reason="the bench's launcher is POSIX")

_THINKERS = [kind for kind in KINDS if kind.name in OTHERS]


@pytest.fixture
def place() -> Iterator[Ground]:
    with ground() as made:
        yield made


@pytest.mark.llamacpp
@pytest.mark.parametrize("refuse", [nothing, refused])
def test_a_thinking_budget_holds_on_llamacpp_with_its_parameter_and_without(
    place: Ground, refuse: Refuse
) -> None:
    pytest.importorskip("xllamacpp", reason="llama.cpp is not installed: pip install xllamacpp")
    with thinking_llama(place.place) as engine:
        for budget in (400, 2_000):
            spent = on_llama(place, engine, budget, refuse)
            assert 0.9 * budget <= spent.used
            assert spent.beyond <= spent.most


@pytest.fixture(scope="module", params=_THINKERS, ids=lambda kind: kind.name)
def engine(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[EngineServer]:
    """One engine after another, with the model that thinks for ever."""
    kind: Kind = request.param
    if not is_installed(kind):
        pytest.skip(f"{kind.name} is not installed: make engines")
    with EngineServer(thinking(kind), tmp_path_factory.mktemp(kind.name)) as server:
        yield server


@pytest.mark.engines
@pytest.mark.timeout(300)
def test_a_thinking_budget_holds_where_the_engine_has_none(
    place: Ground, engine: EngineServer
) -> None:
    spent = on_engine(place, engine, 400)
    assert 0.9 * spent.budget <= spent.used
    assert spent.beyond <= spent.most
