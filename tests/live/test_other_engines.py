"""Real engines other than llama.cpp's own server: recognised, talked to, and told apart.

Each test asserts protocol, never wording: the tiny model says random letters, and at one in two
calls `read` for `notes.txt`.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from qcode.protocol.events import MessageCompleted, ToolCallFinished, Usage
from qcode.protocol.inputs import SetThinking
from qcode.server.client import connect
from tests.engine.rig import Rig, configured, rig, started
from tests.support.engines import KINDS, EngineServer, Kind, is_installed

pytestmark = [pytest.mark.engines, pytest.mark.timeout(300)]


@pytest.fixture(scope="module", params=KINDS, ids=lambda kind: kind.name)
def engine(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[EngineServer]:
    """One engine after another, each with the tiny model in the 3.6 style."""
    kind: Kind = request.param
    if not is_installed(kind):
        pytest.skip(f"{kind.name} is not installed: make engines")
    with EngineServer(kind, tmp_path_factory.mktemp(kind.name)) as server:
        yield server


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A workspace with the file that the tiny model asks for."""
    work = tmp_path / "work"
    work.mkdir()
    (work / "notes.txt").write_text("One line.\n")
    return work


async def test_the_engine_is_recognised(engine: EngineServer) -> None:
    server = connect(engine.base_url, model=str(engine.model))
    facts = await server.facts()
    await server.close()
    assert facts.kind == engine.kind.name


async def test_turns_with_thinking_on_and_off(engine: EngineServer, folder: Path) -> None:
    """Reasoning comes apart from the words, a call is run and its result goes back."""
    config = configured(engine.base_url, server={"model": str(engine.model)})
    async with rig(config, started(folder)) as run:
        run.seconds = 120.0
        await _until_a_call(run)
        finished = run.said(ToolCallFinished)[0]
        assert (finished.message.status, "One line." in finished.message.text) == ("ok", True)
        assert any(told.message.reasoning for told in run.said(MessageCompleted))
        run.engine.submit(SetThinking(0))
        before = len(run.said(MessageCompleted))
        assert (await run.turn("Without thinking.")).reason == "end_turn"
        assert not any(told.message.reasoning for told in run.said(MessageCompleted)[before:])


async def test_tokens_are_told(engine: EngineServer, folder: Path) -> None:
    config = configured(engine.base_url, server={"model": str(engine.model)})
    async with rig(config, started(folder)) as run:
        run.seconds = 120.0
        await run.turn("Say something.")
        usage = run.said(Usage)[-1]
        assert usage.prompt_tokens
        assert usage.generated_tokens


async def _until_a_call(run: Rig) -> None:
    for number in range(20):
        await run.turn(f"Look at the notes, time {number}.")
        if run.said(ToolCallFinished):
            return
    raise AssertionError("the model never called a tool in 20 turns")
