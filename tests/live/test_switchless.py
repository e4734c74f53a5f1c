"""llama-cpp-python: thinking stands in the content, and neither ends nor is turned off there."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from qcode.protocol.events import BudgetReached
from qcode.protocol.inputs import SetThinking
from tests.bench.between import Between
from tests.engine.rig import configured, rig, started
from tests.support.engines import KINDS, EngineServer, is_installed
from tests.support.gguf import write_model
from tests.support.render import Style, source
from tests.support.vocabulary import THINKER

pytestmark = [pytest.mark.engines, pytest.mark.timeout(300)]

(KIND,) = (kind for kind in KINDS if kind.name == "llama-cpp-python")
BUDGET = 400


def _thinker(folder: Path, style: Style) -> Path:
    """It never ends its reasoning; its name tells whose template it has."""
    path = folder / "Qwen3.6-35B-A3B.gguf"
    write_model(path, source(style), THINKER)
    return path


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineServer]:
    if not is_installed(KIND):
        pytest.skip(f"{KIND.name} is not installed: make engines")
    place = tmp_path_factory.mktemp(KIND.name)
    with EngineServer(replace(KIND, model=_thinker), place) as server:
        yield server


async def test_a_budget_holds_also_over_the_thinking_behind_a_closed_one(
    engine: EngineServer, tmp_path: Path
) -> None:
    with Between(engine.port) as between:
        config = configured(between.base_url, server={"model": str(engine.model)})
        async with rig(config, started(tmp_path)) as run:
            run.seconds = 120.0
            run.engine.submit(SetThinking(BUDGET))
            end = await run.turn("Think of it.")
        sent = [len(answer.text) for answer in between.answers]  # a letter is a token
    assert end.reason == "empty"
    assert len(run.said(BudgetReached)) == len(sent) == 2
    assert 0.9 * BUDGET <= sum(sent) <= 1.05 * BUDGET + 16
