"""Laws 2 and 3 through the whole engine, with a real llama.cpp behind it.

The wire shapes alone are tested in `test_client_live`; here prompt, tools, workspace facts and the
loop are those of a user.
"""

from itertools import pairwise
from pathlib import Path

import pytest

from qcode.protocol.events import ToolCallFinished, Usage
from qcode.protocol.inputs import SetThinking
from qcode.session.conversation import Conversation, fold
from qcode.session.store import Store
from tests.bench.strategies import converse, make_files, script
from tests.engine.rig import Rig, configured, rig, started
from tests.support.http1 import Json
from tests.support.llama import StartLlama
from tests.support.proxy import RecordingProxy
from tests.support.render import Style
from tests.support.script import Received

pytestmark = pytest.mark.llamacpp


class Blind(RecordingProxy):
    """A llama.cpp that renders nothing for clients, so that none knows better than `plain`."""

    async def other(self, request: Received) -> tuple[int, Json]:
        """Through to the engine, but for the one path."""
        if request.path == "/apply-template":
            return 404, {"error": {"message": "File Not Found"}}
        return await super().other(request)


@pytest.fixture(autouse=True)
def one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two threads that share busy cores wait for one another: up to eight times slower."""
    monkeypatch.setenv("OMP_THREAD_LIMIT", "1")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A workspace with the files that the script reads."""
    work = tmp_path / "work"
    work.mkdir()
    make_files(work)
    return work


@pytest.mark.parametrize("style", ["3.5", "3.6"])
async def test_three_turns_of_six_calls_read_at_most_64_tokens_again_each(
    start_llama: StartLlama, folder: Path, style: Style
) -> None:
    """Law 2, under the strategy that the engine found by itself."""
    with RecordingProxy(start_llama(style).origin, *script(3, 6)) as proxy:
        told = await converse(proxy, folder, 3)
        proxy.check()
    assert len(proxy.steps) == 21
    kwargs = proxy.requests[-1].body["chat_template_kwargs"]
    assert kwargs.get("preserve_thinking", False) is (style == "3.6")
    assert max(proxy.by_turn(lambda step: step.read_again)) <= 64
    assert [usage.cached_tokens for usage in told] == [step.cached for step in proxy.steps]
    assert {usage.reread_tokens for usage in told[1:]} == {0}


async def test_under_plain_the_same_run_reads_thousands_again(
    start_llama: StartLlama, folder: Path
) -> None:
    """Law 2, the other half: without it the first proves nothing."""
    with Blind(start_llama().origin, *script(3, 6)) as proxy:
        told = await converse(proxy, folder, 3)
        proxy.check()
    first, *later = proxy.by_turn(lambda step: step.read_again)
    assert first == 0
    assert min(later) > 2000
    said = [usage for usage in told if usage.reread_tokens]
    assert [usage.reread_why for usage in said] == [
        "the chat template drops the reasoning of earlier turns"
    ] * 2


@pytest.mark.parametrize("style", ["3.5", "3.6"])
async def test_what_the_engine_generated_is_continued_without_loss(
    start_llama: StartLlama, folder: Path, style: Style
) -> None:
    """Law 3, over calls, words, new questions, thinking on and off, and another process."""
    (folder / "notes.txt").write_text("One line.\n")
    store = Store(folder.with_name("sessions"))
    log, talk = store.create(folder), Conversation()
    config = configured(start_llama(style).base_url, agent={"loops": "off"})
    told: list[Usage] = []
    for budget in (2000, 0, 2000):
        async with rig(config, started(folder, log=log, conversation=talk)) as run:
            run.engine.submit(SetThinking(budget))
            await chat(run)
        told += run.said(Usage)
        resumed = store.resume(log.session_id)
        log, talk = resumed.log, fold(resumed.opened.events)
    log.close()
    for before, after in pairwise(told):
        # all but the token that ends the turn, which is sampled and never read
        held = (before.prompt_tokens or 0) + (before.generated_tokens or 0) - 1
        assert (after.cached_tokens or 0) >= held > 0


async def chat(run: Rig) -> None:
    """Questions until the model, which decides by chance, has called a tool and said words."""
    for number in range(30):
        assert (await run.turn(f"What is in the notes? {number}")).reason == "end_turn"
        if run.said(ToolCallFinished):
            return
    raise AssertionError("thirty answers without a call: chance can hardly do that")


async def test_without_checkpoints_plain_reads_all_again_and_fold_nothing(
    start_llama: StartLlama, folder: Path
) -> None:
    """Law 2 by its literal formula, which a checkpoint before the fork would hide."""
    engine = start_llama(n_ctx_checkpoints=0)
    with RecordingProxy(engine.origin, *script(2, 1)) as exact:
        await converse(exact, folder, 2)
    with Blind(engine.origin, *script(2, 1)) as plain:
        await converse(plain, folder, 2)
    assert max(exact.by_turn(lambda step: step.reread)) <= 64
    assert plain.by_turn(lambda step: step.reread)[1] > 2000
