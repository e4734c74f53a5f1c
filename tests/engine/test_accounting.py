"""What was read again is told, new words are not called that, and a cut prompt is seen."""

from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from qcode.protocol.events import MessageCompleted, ToolCallStarted, TurnFinished, Usage
from qcode.protocol.inputs import Rewind
from qcode.server.tokens import count
from tests.engine.rig import YOLO, configured, rig, started
from tests.support.llama_words import About
from tests.support.render import render_request
from tests.support.script import Body, Call, Reply
from tests.support.script import Usage as Counts
from tests.support.scripted_server import StartScripted


@pytest.mark.parametrize(("cached", "reread"), [(1050, 0), (1040, 0), (700, 350)])
async def test_what_the_server_had_and_read_again_is_told(
    scripted: StartScripted, tmp_path: Path, cached: int, reread: int
) -> None:
    server = scripted(
        Reply("One.", usage=Counts(1000, 50, 0)),
        Reply("Two.", usage=Counts(1300, 50, cached)),
        about=About(kind="llamacpp"),
    )
    async with rig(configured(server.base_url), started(tmp_path)) as run:
        await run.turn("first")
        await run.turn("second")
    assert [usage.reread_tokens for usage in run.said(Usage)] == [None, reread]
    assert bool(run.said(Usage)[1].reread_why) is bool(reread)


async def test_after_a_rewind_new_words_are_not_called_read_again(
    scripted: StartScripted, tmp_path: Path
) -> None:
    counts = (Counts(1000, 50, 0), Counts(5000, 50, 1050), Counts(1600, 50, 1050))
    server = scripted(*(Reply("Yes.", usage=one) for one in counts), about=About(kind="llamacpp"))
    async with rig(configured(server.base_url), started(tmp_path)) as run:
        await run.turn("first")
        await run.turn("a long second")
        run.engine.submit(Rewind(2))
        await run.turn("another second")
    assert not run.said(Usage)[-1].reread_tokens


TOUCH = Call("shell", {"command": "touch made"})


async def test_what_answers_a_prompt_that_was_cut_is_never_acted_upon(
    scripted: StartScripted, tmp_path: Path
) -> None:
    server = scripted(Reply("", calls=(TOUCH,), usage=Counts(500, 20)))
    async with rig(configured(server.base_url, permission=YOLO), started(tmp_path)) as run:
        end = await run.turn("word " * 5_000)
    assert (end.reason, end.error) == ("error", "SilentlyTruncated")
    assert "500 tokens" in end.detail
    assert "server.context_tokens" in end.detail
    assert not run.said(MessageCompleted)
    assert not run.said(ToolCallStarted)
    assert not (tmp_path / "made").exists()


async def test_a_conversation_that_outgrows_a_small_context_is_seen_at_once(
    scripted: StartScripted, tmp_path: Path
) -> None:
    """The usual case: 4,096 tokens by default, the first answers fit, then the oldest go."""
    (tmp_path / "a.txt").write_text("a line of some length that takes its tokens\n" * 300)
    server = scripted(
        Reply("", calls=(Call("read", {"path": "a.txt"}),), usage=Counts(2_300, 30)),
        Reply("", calls=(TOUCH,), usage=Counts(2_900, 20)),
    )
    async with rig(configured(server.base_url, permission=YOLO), started(tmp_path)) as run:
        end = await run.turn("read it")
    assert (end.reason, end.error) == ("error", "SilentlyTruncated")
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize("vocabulary", [0.0, 0.75, 1.0, 1.4])
async def test_other_vocabularies_and_silent_servers_raise_no_alarm(
    scripted: StartScripted, tmp_path: Path, vocabulary: float
) -> None:
    (tmp_path / "a.txt").write_text("a line of some length that takes its tokens\n" * 300)

    def answer(body: Body) -> Reply:
        taken = round(vocabulary * count(render_request(body)))
        reply = next(replies)
        return replace(reply, usage=Counts(taken, 30)) if taken else reply

    replies = iter([Reply("", calls=(Call("read", {"path": "a.txt"}),)), Reply("Read.")])
    server = scripted(answer, answer)
    async with rig(configured(server.base_url), started(tmp_path)) as run:
        assert await run.turn("read it") == TurnFinished("end_turn")


async def test_a_template_that_drops_old_reasoning_is_no_server_that_cuts(
    scripted: StartScripted, tmp_path: Path
) -> None:
    long = " ".join(sha256(f"{number}".encode()).hexdigest()[:8] for number in range(600))
    server = scripted(
        Reply("One.", long, usage=Counts(2_000, 4_500)), Reply("Two.", usage=Counts(2_050, 5))
    )
    async with rig(configured(server.base_url), started(tmp_path)) as run:
        await run.turn("first")
        assert await run.turn("second") == TurnFinished("end_turn")
