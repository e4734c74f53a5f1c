"""A model that comes into memory with the first prompt: what is known then, and when it holds."""

import asyncio
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from qcode.engine.renewing import renewed
from qcode.protocol.events import ContextChanged, Elided, Notice, SessionStarted, TurnFinished
from qcode.protocol.messages import AssistantMessage, Message, Reasoning, Text, user
from qcode.server.base import ServerFacts, Strategy
from tests.engine.plans import generated
from tests.engine.rig import YOLO, Rig, configured, rig, started
from tests.engine.test_compaction import CONTEXT, LINE, Model, reads
from tests.support.llama_words import About
from tests.support.render import render_request
from tests.support.script import Call, Reply
from tests.support.scripted_server import StartScripted
from tests.support.waking import Waking

READ = Reply("", "I should look at it.", (Call("read", {"path": "a.txt"}),))
DONE = Reply("It says hello.", "That is all there is.")

Wake = Callable[..., Waking]


@pytest.fixture
def wake() -> Iterator[Wake]:
    """Starts servers that sleep still."""
    begun: list[Waking] = []

    def start(name: str, *replies: Reply, **more: Any) -> Waking:
        begun.append(Waking(name, *replies, **more))
        begun[-1].start()
        return begun[-1]

    yield start
    for server in begun:
        server.close()
    for server in begun:
        server.check()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One file to read."""
    (tmp_path / "a.txt").write_text("hello\n")
    return tmp_path


def asking(server: Waking, **sections: Any) -> Any:
    return configured(server.base_url, server={"model": server.model}, **sections)


def told(run: Rig) -> list[tuple[int | None, str]]:
    return [(event.context_tokens, event.source) for event in run.said(ContextChanged)]


@pytest.mark.parametrize(
    ("name", "before", "after", "source"),
    [
        ("ollama", None, 65_536, "/api/ps"),
        ("router", None, 131_072, "/v1/models"),
        ("switch", 131_072, 65_536, "/upstream/qwen3.6-35b/props"),
    ],
)
async def test_the_context_is_known_at_the_end_of_the_first_turn(
    wake: Wake, folder: Path, name: str, before: int | None, after: int, source: str
) -> None:
    server = wake(name, DONE, DONE)
    async with rig(asking(server), started(folder)) as run:
        assert await run.turn("Hello.") == TurnFinished("end_turn")
        assert run.said(SessionStarted)[0].context_tokens == before
        assert told(run) == [(after, source)]
        await run.turn("And now?")
        assert told(run) == [(after, source)], "it is told once"
    assert not [notice for notice in run.said(Notice) if "came back" in notice.text]


@pytest.mark.parametrize("style", ["3.5", "3.6"])
@pytest.mark.parametrize("name", ["router", "asleep", "switch"])
async def test_from_the_second_turn_on_history_renders_as_it_was_generated(
    wake: Wake, folder: Path, name: str, style: Any
) -> None:
    server = wake(name, READ, DONE, DONE, DONE)
    server.awake.told["renders"]["style"] = style
    async with rig(asking(server), started(folder)) as run:
        for prompt in ("Read it.", "And now?", "Still so?"):
            assert await run.turn(prompt) == TurnFinished("end_turn")
    prompts = [render_request(request.body, style) for request in server.requests]
    for reply, prompt, then in zip((READ, DONE, DONE), prompts, prompts[1:], strict=False):
        assert then.startswith(prompt + generated(reply, prompt))


async def test_in_the_turn_itself_what_is_sent_keeps_its_shape(wake: Wake, folder: Path) -> None:
    (folder / "slow.txt").write_text("slow\n")
    wait = Reply("", "", (Call("shell", {"command": "sleep 0.5"}),))
    server = wake("router", READ, wait, DONE, DONE)
    server.awake.told["renders"]["style"] = "3.5"  # where history has to be folded
    async with rig(asking(server, permission=YOLO), started(folder)) as run:
        await run.turn("Read it.")
        await run.turn("And now?")
    bodies = [request.body for request in server.requests]
    kwargs = [body["chat_template_kwargs"].get("preserve_thinking") for body in bodies]
    assert kwargs == [True, True, True, None]
    for body, then in pairwise(bodies[:3]):
        assert then["messages"][: len(body["messages"])] == body["messages"]
    assert "<think>" in bodies[3]["messages"][2]["content"]


async def test_in_the_turn_itself_room_is_made_in_time(wake: Wake, tmp_path: Path) -> None:
    for number in range(9):
        (tmp_path / f"f{number}.txt").write_text(f"file {number}\n" + LINE * 60)
    model = Model(*reads(*range(7), thought="I wonder. " * 20), Reply("It is mended."))
    server = wake("ollama", otherwise=model)
    server.awake.told["answers"]["GET /api/ps"]["body"]["models"][0]["context_length"] = CONTEXT
    async with rig(asking(server, permission=YOLO), started(tmp_path)) as run:
        assert await run.turn("Mend it.") == TurnFinished("end_turn")
    assert told(run) == [(CONTEXT, "/api/ps")]
    assert len(run.said(Elided)) == 1
    assert model.refused == 0


async def test_what_was_configured_stays(wake: Wake, folder: Path) -> None:
    server = wake("router", DONE, DONE)
    config = configured(
        server.base_url, server={"model": server.model, "context_tokens": 9_000, "history": "plain"}
    )
    async with rig(config, started(folder)) as run:
        await run.turn("Hello.")
        await run.turn("And now?")
    assert not told(run)
    assert all("<think>" not in str(request.body["messages"]) for request in server.requests)
    assert "reasoning_content" in server.requests[1].messages[2]


async def test_no_request_waits_for_the_look(wake: Wake, folder: Path) -> None:
    server = wake("router", READ, DONE)
    server.look_seconds = 0.4
    async with rig(asking(server), started(folder)) as run:
        began = asyncio.get_running_loop().time()
        await run.turn("Read it.")
        assert asyncio.get_running_loop().time() - began < 5
    first, second = server.requests
    assert first.last_byte is not None
    assert second.arrived - first.last_byte < 0.4


async def test_a_look_that_comes_to_nothing_is_taken_again_behind_the_next_answer(
    wake: Wake, folder: Path
) -> None:
    server = wake("router", DONE, DONE)
    server.failures = 4
    async with rig(asking(server), started(folder)) as run:
        await run.turn("Hello.")
        assert not told(run)
        server.failures = 0
        await run.turn("And now?")
        assert told(run) == [(131_072, "/v1/models")]


async def test_a_server_that_told_all_is_not_looked_at_again(
    scripted: StartScripted, folder: Path
) -> None:
    server = scripted(READ, DONE, DONE, about=About(kind="llamacpp"))
    async with rig(configured(server.base_url), started(folder)) as run:
        await run.turn("Read it.")
        await run.turn("And now?")
    assert [one.path for one in server.others].count("/props") == 1
    assert not told(run)


FACTS = ServerFacts(
    "llamacpp-router", "b1", "http://x/v1", "m", ("m",), None, "plain", "", "reasoning_content"
)
THOUGHT = AssistantMessage((Reasoning("Hm."), Text("Yes.")))
SAID = AssistantMessage((Text("Yes."),))
ONE = (user("1"), THOUGHT)


@pytest.mark.parametrize(
    ("messages", "found", "taken"),
    [
        (ONE, "fold", "fold"),
        (ONE, "native", "native"),
        ((*ONE, user("2"), SAID), "native", "native"),
        (
            (*ONE, user("2"), SAID),
            "fold",
            "plain",
        ),  # the reasoning of 1 was left out of what it has
        ((user("1"), SAID, user("2"), THOUGHT), "fold", "fold"),
    ],
)
def test_history_is_shaped_anew_only_where_nothing_that_was_read_changes(
    messages: tuple[Message, ...], found: Strategy, taken: Strategy
) -> None:
    seen = replace(FACTS, strategy=found, context_tokens=9_000)
    assert renewed(FACTS, seen, "turn", messages).strategy == taken
    assert renewed(FACTS, seen, "step", messages).strategy == "plain"
    assert renewed(FACTS, seen, "step", messages).context_tokens == 9_000


def test_a_strategy_that_held_is_not_given_up_for_another() -> None:
    folded = replace(FACTS, strategy="fold")
    for found in ("plain", "native"):
        seen: ServerFacts = replace(FACTS, strategy=found)
        assert renewed(folded, seen, "turn", ONE).strategy == "fold"
