"""A real llama.cpp counts the prompts that are close to the limit, to the token."""

from pathlib import Path

import pytest

from qcode.protocol.events import Compacted, Elided, TurnFinished
from tests.engine.rig import YOLO, configured, rig, started
from tests.support.http1 import Json
from tests.support.llama import LlamaServer
from tests.support.proxy import RecordingProxy
from tests.support.script import Call, Received, Reply

pytestmark = pytest.mark.llamacpp

CONTEXT = 18_000
"""The tiny model has a token for each byte."""
THOUGHT = "I write the next part, since the one before is not enough. " * 4


class Noting(RecordingProxy):
    """Notes what the engine counted, and how many answers there were before."""

    counted: list[tuple[int, int]]

    async def other(self, request: Received) -> tuple[int, Json]:
        status, told = await super().other(request)
        if request.path.endswith("/input_tokens") and isinstance(told, dict):
            self.counted.append((len(self.steps), told["input_tokens"]))
        return status, told


@pytest.fixture(autouse=True)
def one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two threads that share busy cores wait for one another: up to eight times slower."""
    monkeypatch.setenv("OMP_THREAD_LIMIT", "1")


async def test_what_is_counted_is_what_the_request_then_takes(
    llama: LlamaServer, tmp_path: Path
) -> None:
    replies = [Reply("Hello.", "They greet me.")]
    for number in range(6):
        call = Call("write", {"path": f"part-{number}.txt", "content": f"{number} is here\n" * 60})
        replies.append(Reply("", f"{number}: {THOUGHT}".strip(), (call,)))
    replies.append(Reply("Written.", "That is all."))
    with Noting(llama.origin, *replies) as proxy:
        proxy.counted = []
        config = configured(proxy.base_url, server={"context_tokens": CONTEXT}, permission=YOLO)
        async with rig(config, started(tmp_path)) as run:
            run.seconds = 100
            assert await run.turn("Hello.") == TurnFinished("end_turn")
            assert await run.turn("Write the parts.") == TurnFinished("end_turn")
        proxy.check()
    assert not run.said(Elided)
    assert not run.said(Compacted)
    assert proxy.counted, "none of the prompts was near the limit"
    assert len(proxy.counted) < len(proxy.steps)
    assert [count for _, count in proxy.counted] == [
        len(proxy.steps[at].tokens) for at, _ in proxy.counted
    ]
