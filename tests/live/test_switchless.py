"""llama-cpp-python: thinking and calls stand in the content; thinking has no switch there."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from qcode.protocol.events import BudgetReached, Retried, ToolCallFinished
from qcode.protocol.inputs import SetThinking
from tests.bench.between import Between
from tests.engine.rig import configured, rig, started
from tests.support.engines import KINDS, EngineServer, is_installed
from tests.support.gguf import Followers, write_model
from tests.support.render import Style, source
from tests.support.vocabulary import FOLLOWERS, THINKER

pytestmark = [pytest.mark.engines, pytest.mark.timeout(300)]

(KIND,) = (kind for kind in KINDS if kind.name == "llama-cpp-python")
BUDGET = 400


@contextmanager
def served(place: Path, says: Followers) -> Iterator[EngineServer]:
    """The engine with a model whose name tells whose template it has."""

    def model(folder: Path, style: Style) -> Path:
        path = folder / "Qwen3.6-35B-A3B.gguf"
        write_model(path, source(style), says)
        return path

    if not is_installed(KIND):
        pytest.skip(f"{KIND.name} is not installed: make engines")
    with EngineServer(replace(KIND, model=model), place) as server:
        yield server


@pytest.fixture(scope="module")
def talker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineServer]:
    with served(tmp_path_factory.mktemp("talker"), FOLLOWERS) as server:
        yield server


@pytest.fixture(scope="module")
def thinker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineServer]:
    """It never ends its reasoning."""
    with served(tmp_path_factory.mktemp("thinker"), THINKER) as server:
        yield server


async def test_calls_in_the_text_run_and_their_results_are_read(
    talker: EngineServer, tmp_path: Path
) -> None:
    work = tmp_path / "work"
    work.mkdir()
    (work / "notes.txt").write_text("One line.\n")
    config = configured(
        talker.base_url, server={"model": str(talker.model)}, agent={"loops": "off"}
    )
    async with rig(config, started(work)) as run:
        run.seconds = 120.0
        while len(run.said(ToolCallFinished)) < 3:
            assert (await run.turn("Look at the notes.")).reason == "end_turn"
    ran = run.said(ToolCallFinished)
    assert "One line." in ran[0].message.text
    assert {one.message.status for one in ran} == {"ok"}
    assert run.said(Retried) == []


async def test_a_budget_holds_also_over_the_thinking_behind_a_closed_one(
    thinker: EngineServer, tmp_path: Path
) -> None:
    with Between(thinker.port) as between:
        config = configured(between.base_url, server={"model": str(thinker.model)})
        async with rig(config, started(tmp_path)) as run:
            run.seconds = 120.0
            run.engine.submit(SetThinking(BUDGET))
            end = await run.turn("Think of it.")
        sent = [len(answer.text) for answer in between.answers]  # a letter is a token
    assert end.reason == "empty"
    used = [reached.used for reached in run.said(BudgetReached)]
    assert len(used) == len(sent) == 2
    assert 0.9 * BUDGET <= sum(used) <= 1.05 * BUDGET + 16
    assert sum(sent) <= 2 * BUDGET  # beside a busy engine some is on its way when qcode leaves
