"""A compaction with a real llama.cpp behind it: what the question for a summary costs."""

from pathlib import Path

import pytest

from qcode.protocol.events import Compacted, TurnFinished, Usage
from tests.engine.rig import YOLO, configured, rig, started
from tests.support.llama import StartLlama
from tests.support.proxy import RecordingProxy
from tests.support.render import Style
from tests.support.script import Body, Call, Reply

pytestmark = pytest.mark.llamacpp

CONTEXT = 30_000
"""The tiny model has a token for each byte."""
THOUGHT = "I write the next part, since the one before is not enough. " * 4


@pytest.fixture(autouse=True)
def one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two threads that share busy cores wait for one another: up to eight times slower."""
    monkeypatch.setenv("OMP_THREAD_LIMIT", "1")


@pytest.mark.parametrize("style", ["3.5", "3.6"])
async def test_the_question_for_a_summary_reads_nothing_again(
    start_llama: StartLlama, tmp_path: Path, style: Style
) -> None:
    work = tmp_path / "work"
    work.mkdir()
    turns = [Reply("Hello.", "They greet me.")]
    for number in range(12):
        call = Call("write", {"path": f"part-{number}.txt", "content": f"{number} is here\n" * 100})
        turns.append(Reply("", f"{number}: {THOUGHT}".strip(), (call,)))
    replies = iter([*turns, Reply("Written.", "That is all.")])

    def answer(body: Body) -> Reply:
        asked = "replaced by a summary" in str(body["messages"][-1]["content"])
        return Reply("Parts are written one by one.") if asked else next(replies)

    with RecordingProxy(start_llama(style).origin, otherwise=answer) as proxy:
        config = configured(
            proxy.base_url,
            server={"context_tokens": CONTEXT},
            permission=YOLO,
            agent={"loops": "off"},
        )
        async with rig(config, started(work)) as run:
            run.seconds = 100
            assert (await run.turn("Hello.")) == TurnFinished("end_turn")
            assert (await run.turn("Write the parts.")) == TurnFinished("end_turn")
    [compacted] = run.said(Compacted)
    at = next(n for n, step in enumerate(proxy.steps) if step.prompt.rstrip().endswith("</think>"))
    asked, after = proxy.steps[at], proxy.steps[at + 1]
    assert asked.read_again <= 64
    assert asked.cached > CONTEXT / 2
    assert "Parts are written one by one." in after.prompt
    assert len(after.tokens) < CONTEXT / 2
    assert abs(len(after.tokens) - compacted.tokens_after) < 0.15 * len(after.tokens)
    assert all(step.read_again <= 64 for step in proxy.steps[at + 2 :])
    assert {usage.reread_tokens for usage in run.said(Usage)} <= {0, None}
