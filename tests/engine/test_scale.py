"""A prompt close to the limit is counted, one far from it is not, and the count decides."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from qcode.engine.gauge import Gauge
from qcode.engine.history import History
from qcode.engine.scale import NEAR
from qcode.engine.settings import Settings
from qcode.protocol.events import Elided, TurnFinished
from qcode.protocol.messages import Image, Text, UserMessage
from qcode.server import tokens as table
from qcode.server.base import ServerFacts
from qcode.session.conversation import Conversation
from tests.engine.rig import YOLO, configured, rig, started
from tests.engine.test_compaction import Model, reads
from tests.engine.test_compaction import folder as folder  # the fixture
from tests.support.http1 import Json
from tests.support.llama_words import About
from tests.support.render import render_request
from tests.support.script import Body, Received, Reply
from tests.support.scripted_server import ScriptedServer, StartScripted

ASKED = "/v1/chat/completions/input_tokens"
ROOM = 4_000
"""Kept for an answer, thinking being off."""
OFF = {"thinking": "off"}
ABOUT = About(kind="llamacpp", token_characters=5)
"""Its tokens are longer than an estimate takes them for."""


def counted(server: ScriptedServer) -> list[Body]:
    return [one.body for one in server.others if one.path == ASKED]


def prompts(bodies: list[Body]) -> list[str]:
    return [render_request(body) for body in bodies]


async def test_a_short_prompt_is_never_counted(scripted: StartScripted, folder: Path) -> None:
    server = scripted(*reads(0, 1), Reply("Read."), about=replace(ABOUT, context_tokens=65_536))
    async with rig(configured(server.base_url), started(folder)) as run:
        await run.turn("Read them.")
    assert len(server.requests) == 3
    assert not counted(server)


async def test_a_prompt_near_the_limit_is_counted_as_it_will_be_sent(
    scripted: StartScripted, folder: Path
) -> None:
    about = replace(ABOUT, context_tokens=8_000, token_characters=4)
    model = Model(*reads(*range(7), thought="I wonder. " * 20), Reply("It is mended."))
    server = scripted(about=about, otherwise=model)
    async with rig(configured(server.base_url, permission=YOLO), started(folder)) as run:
        assert await run.turn("Mend it.") == TurnFinished("end_turn")
    assert len(run.said(Elided)) == 1
    sent = prompts([request.body for request in server.requests])
    weighed = prompts(counted(server))
    assert 0 < len(weighed) < len(sent) / 2
    (refused,) = set(weighed) - set(sent)  # it did not fit: another one was sent in its place
    limit = 8_000 - 2_000
    assert all(len(one) // 4 > (1 - 1.2 * NEAR) * limit for one in weighed)
    assert len(refused) // 4 > limit >= max(len(one) // 4 for one in sent)


@pytest.mark.parametrize("spare", [10, 0, -1, -10])
async def test_the_count_decides_to_the_token(
    scripted: StartScripted, folder: Path, spare: int
) -> None:
    prompt = "Look at this:\n" + "a line of some length that takes its tokens\n" * 1_600
    wide = scripted(Reply("Yes."), about=replace(ABOUT, context_tokens=200_000))
    async with rig(configured(wide.base_url, agent=OFF), started(folder)) as run:
        await run.turn(prompt)
    taken = len(prompts([wide.requests[0].body])[0]) // 5
    fits = spare >= 0
    context = taken + ROOM + spare
    tight = scripted(*[Reply("Yes.")] * fits, about=replace(ABOUT, context_tokens=context))
    async with rig(configured(tight.base_url, agent=OFF), started(folder)) as run:
        end = await run.turn(prompt)
    assert len(counted(tight)) == 1
    assert end.reason == ("end_turn" if fits else "error")
    assert fits or f"takes ~{taken:,} tokens" in end.detail


class Mute(ScriptedServer):
    """llama.cpp behind a gateway that lets no counts through."""

    async def other(self, request: Received) -> tuple[int, Json]:
        if request.path == ASKED:
            return 404, "page not found"
        return await super().other(request)


@pytest.fixture
def mute() -> Iterator[Callable[..., Mute]]:
    begun: list[Mute] = []

    def start(**more: Any) -> Mute:
        begun.append(Mute(**more))
        begun[-1].start()
        return begun[-1]

    yield start
    for server in begun:
        server.close()


async def test_who_does_not_count_is_asked_once(mute: Callable[..., Mute], folder: Path) -> None:
    about = replace(ABOUT, context_tokens=8_000, token_characters=4)
    model = Model(*reads(*range(7), thought="I wonder. " * 20), Reply("It is mended."))
    server = mute(about=about, otherwise=model)
    async with rig(configured(server.base_url, permission=YOLO), started(folder)) as run:
        assert await run.turn("Mend it.") == TurnFinished("end_turn")
    assert len(counted(server)) == 1
    assert len(run.said(Elided)) == 1
    assert model.refused == 0


CELLS = "".join(f"| {n % 7} | {n % 11} | {n % 5} |\n" for n in range(1_100))
"""By its looks it is a sixth more than the table counts."""


@pytest.mark.parametrize("spare", [1_100, -1_100])
async def test_where_no_server_counts_the_table_does(
    scripted: StartScripted, folder: Path, spare: int
) -> None:
    prompt = f"Look at this:\n{CELLS}"
    wide = scripted(Reply("Yes."))
    async with rig(configured(wide.base_url, agent=OFF), started(folder)) as run:
        await run.turn(prompt)
    fits = spare >= 0
    taken = table.count(prompts([wide.requests[0].body])[0])
    estimate = table.about(prompts([wide.requests[0].body])[0])
    assert estimate > taken + 1_100, "by its looks it would not fit"
    tight = scripted(*[Reply("Yes.")] * fits)
    config = configured(tight.base_url, agent=OFF, server={"context_tokens": taken + ROOM + spare})
    async with rig(config, started(folder)) as run:
        assert (await run.turn(prompt)).reason == ("end_turn" if fits else "error")


async def test_a_picture_is_part_of_what_is_expected() -> None:
    facts = ServerFacts("generic", "", "http://x/v1", "m", ("m",), 9_000, "plain", "", "")
    talk = Conversation()
    gauge = Gauge(History(talk, facts, Settings("auto", "m", 0)))
    talk.messages.append(UserMessage((Text("What is it?"),)))
    without = gauge.expect(talk)
    talk.messages[0] = UserMessage((Text("What is it?"), Image("image/png", "AAAA")))
    assert gauge.expect(talk) - without == 1_200
