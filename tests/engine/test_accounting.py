"""Tokens that were read again are told, and new ones are not called that."""

from pathlib import Path

import pytest

from qcode.protocol.events import Usage
from qcode.protocol.inputs import Rewind
from tests.engine.rig import configured, rig, started
from tests.support.llama_words import About
from tests.support.script import Reply
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
