"""Real engines other than llama.cpp's own server: recognised, talked to, and told apart.

Each test asserts protocol, never wording: the tiny model says random letters, and at one in two
calls `read` for `notes.txt`.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from qcode.config.model import Config
from qcode.protocol.events import MessageCompleted, ToolCallFinished, Usage
from qcode.protocol.inputs import SetThinking
from qcode.server.client import connect
from qcode.server.quirks import QUIRKS
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


async def test_a_call_is_run_and_its_result_goes_back(engine: EngineServer, folder: Path) -> None:
    if "calls" in engine.kind.lacks:
        pytest.skip(f"{engine.kind.name} reads no calls out of what a model says")
    async with rig(_config(engine), started(folder)) as run:
        run.seconds = 120.0
        await _until_a_call(run)
        finished = run.said(ToolCallFinished)[0]
        assert (finished.message.status, "One line." in finished.message.text) == ("ok", True)


async def test_reasoning_comes_apart_from_the_words(engine: EngineServer, folder: Path) -> None:
    async with rig(_config(engine), started(folder)) as run:
        run.seconds = 120.0
        assert (await run.turn("Say something.")).reason == "end_turn"
        said = run.said(MessageCompleted)[0].message
        assert said.reasoning.strip().islower()
        assert said.text.strip().isupper()


async def test_thinking_can_be_switched_off(engine: EngineServer, folder: Path) -> None:
    if QUIRKS[engine.kind.name].switch == "none":
        pytest.skip(f"{engine.kind.name} has no switch for thinking")
    async with rig(_config(engine), started(folder)) as run:
        run.seconds = 120.0
        run.engine.submit(SetThinking(0))
        assert (await run.turn("Without thinking.")).reason == "end_turn"
        assert not any(told.message.reasoning for told in run.said(MessageCompleted))


async def test_tokens_are_told_or_counted(engine: EngineServer, folder: Path) -> None:
    async with rig(_config(engine), started(folder)) as run:
        run.seconds = 120.0
        await run.turn("Say something.")
        usage = run.said(Usage)[-1]
    if "usage" not in engine.kind.lacks:
        assert usage.prompt_tokens
        assert usage.generated_tokens
    if QUIRKS[engine.kind.name].counting:
        server = connect(engine.base_url, model=str(engine.model))
        await server.facts()
        assert await server.count("tiny") == 4  # letters are tokens in this vocabulary
        await server.close()


def _config(engine: EngineServer) -> Config:
    server = {"model": str(engine.model)}
    return configured(engine.base_url, server=server, agent={"loops": "off"})


async def _until_a_call(run: Rig) -> None:
    for number in range(20):
        await run.turn(f"Look at the notes, time {number}.")
        if run.said(ToolCallFinished):
            return
    raise AssertionError("the model never called a tool in 20 turns")
