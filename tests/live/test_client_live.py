"""qcode's own client and shapes of history against a real engine: protocol, never wording."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import pytest

from qcode.protocol.errors import ContextOverflow, ServerGone
from qcode.protocol.events import (
    Notice,
    PromptProgress,
    ReasoningDelta,
    Retried,
    ServerState,
    TextDelta,
)
from qcode.protocol.messages import (
    AssistantMessage,
    Message,
    ToolMessage,
    ToolSpec,
    user,
)
from qcode.server.ask import Asker
from qcode.server.base import Answer, Request, Server, ServerFacts, Strategy, Streamed
from qcode.server.client import connect
from qcode.server.door import make_http
from qcode.server.endpoint import Patience
from qcode.server.liveness import doing, why_dead
from qcode.server.shape import template_kwargs, wire_messages, wire_tools
from tests.support.llama import LlamaServer, Options, StartLlama, make_model
from tests.support.plain_http import get
from tests.support.proxy import RecordingProxy
from tests.support.script import Call, Reply
from tests.support.vocabulary import CALLS, NO_CALLS

pytestmark = pytest.mark.llamacpp

SYSTEM = "You are tested. " * 40
READ = ToolSpec(
    "read",
    "Read a file.",
    '{"type":"object","properties":{"path":{"type":"string"}},"required":["path"]}',
)
ENDLESS = [["!\n", False]]
"""A `logit_bias` that bars the way out of the reasoning."""
HASTY = Patience(connect_seconds=1, tries=2, first_wait_seconds=0.05)


@asynccontextmanager
async def client_of(base_url: str, patience: Patience | None = None) -> AsyncIterator[Server]:
    client = connect(base_url, patience=patience)
    try:
        yield client
    finally:
        await client.close()


def request(
    facts: ServerFacts,
    messages: Sequence[Message],
    strategy: Strategy | None = None,
    thinking: Literal["on", "off"] = "on",
    **extra: Any,
) -> Request:
    """What the engine's history sends, with the strategy that was found unless one is named."""
    used = strategy or facts.strategy
    wired = wire_messages(SYSTEM, messages, used, facts.reasoning_field)
    kwargs = {"chat_template_kwargs": template_kwargs(used, thinking), "max_tokens": 500}
    return Request(facts.model, wired, wire_tools((READ,)), extra={**kwargs, **extra})


async def everything(client: Server, asked: Request) -> tuple[list[Streamed], Answer]:
    items = [item async for item in client.stream(asked)]
    last = items[-1]
    assert isinstance(last, Answer)
    return items, last


def result(answer: AssistantMessage) -> ToolMessage:
    return ToolMessage(answer.calls[0].id, "read", "1: a line\n2: and one more")


async def test_the_facts_are_what_the_engine_tells(llama: LlamaServer) -> None:
    async with client_of(llama.base_url) as client:
        facts = await client.facts()
    assert facts.kind == "llamacpp"
    assert facts.context_tokens == 65536
    assert facts.slots == 1
    assert facts.reasoning_field == "reasoning_content"


async def test_the_strategy_is_found_by_rendering(llama: LlamaServer, llama36: LlamaServer) -> None:
    async with client_of(llama.base_url) as older, client_of(llama36.base_url) as newer:
        assert (await older.facts()).strategy == "fold"
        assert (await newer.facts()).strategy == "native"


async def test_what_is_streamed_is_what_the_message_holds(llama: LlamaServer) -> None:
    async with client_of(llama.base_url) as client:
        asked = request(await client.facts(), [user("Hello")], logit_bias=NO_CALLS)
        items, answer = await everything(client, asked)
    reasoning = "".join(item.text for item in items if isinstance(item, ReasoningDelta))
    text = "".join(item.text for item in items if isinstance(item, TextDelta))
    assert reasoning.strip()
    assert answer.message.reasoning.strip() == reasoning.strip()
    assert answer.message.text.strip() == text.strip() != ""
    assert answer.message.finish == "stop"
    assert answer.usage.prompt_tokens
    assert answer.usage.generated_tokens
    assert answer.usage.generated_per_second


async def test_a_call_of_the_engine_arrives_as_a_call(llama: LlamaServer) -> None:
    async with client_of(llama.base_url) as client:
        asked = request(await client.facts(), [user("Hello")], logit_bias=CALLS)
        _, answer = await everything(client, asked)
    (call,) = answer.message.calls
    assert (call.name, call.arguments) == ("read", '{"path":"notes.txt"}')
    assert answer.message.finish == "tool_calls"


async def test_with_thinking_off_there_is_no_reasoning(llama: LlamaServer) -> None:
    async with client_of(llama.base_url) as client:
        asked = request(await client.facts(), [user("Hello")], thinking="off", logit_bias=NO_CALLS)
        _, answer = await everything(client, asked)
    assert not answer.message.reasoning
    assert answer.message.text


async def test_reading_a_long_prompt_is_told(llama: LlamaServer) -> None:
    async with client_of(llama.base_url) as client:
        asked = request(await client.facts(), [user("A long question. " * 400)])
        items, _ = await everything(client, asked)
    told = [item for item in items if isinstance(item, PromptProgress)]
    assert told[-1].total > 6000
    assert [item.processed for item in told] == sorted(item.processed for item in told)


async def test_closing_the_stream_frees_the_slot_soon(llama: LlamaServer) -> None:
    async with client_of(llama.base_url) as client:
        asked = request(await client.facts(), [user("Go on")], max_tokens=9999, logit_bias=ENDLESS)
        async with aclosing(client.stream(asked)) as items:
            async for item in items:
                if isinstance(item, ReasoningDelta):
                    break
        closed = time.monotonic()
        while any(slot["is_processing"] for slot in get(llama.origin, "/slots")):
            assert time.monotonic() - closed < 2


async def test_a_prompt_too_long_is_an_overflow(llama: LlamaServer) -> None:
    async with client_of(llama.base_url) as client:
        asked = request(await client.facts(), [user("x" * 70000)])
        with pytest.raises(ContextOverflow):
            await everything(client, asked)


async def test_a_server_that_dies_is_gone_after_the_tries(start_llama: StartLlama) -> None:
    engine = start_llama()
    seen: list[Streamed] = []
    async with client_of(engine.base_url, HASTY) as client:
        asked = request(await client.facts(), [user("Go on")], max_tokens=9999, logit_bias=ENDLESS)
        with pytest.raises(ServerGone):
            await watch(client, asked, seen, engine)
    assert any(isinstance(item, Retried) for item in seen)


async def watch(client: Server, asked: Request, seen: list[Streamed], engine: LlamaServer) -> None:
    """Kill the engine at its first words."""
    async for item in client.stream(asked):
        if isinstance(item, ReasoningDelta) and not engine.process.returncode:
            engine.kill()
        seen.append(item)


@pytest.mark.parametrize("thinking", ["on", "off"])
@pytest.mark.parametrize("style", ["3.5", "3.6"])
async def test_an_answer_of_the_engine_is_continued_without_loss(
    llama: LlamaServer, llama36: LlamaServer, style: str, thinking: Literal["on", "off"]
) -> None:
    """Law 3: a call, its result, words, a new question; nothing that was read is read again."""
    engine = llama if style == "3.5" else llama36
    messages: list[Message] = [user(f"What is in the notes, {style} {thinking}?")]
    async with client_of(engine.base_url) as client:
        facts = await client.facts()
        held = 0
        for bias in (CALLS, CALLS, NO_CALLS, NO_CALLS):
            asked = request(facts, messages, thinking=thinking, logit_bias=bias)
            _, answer = await everything(client, asked)
            usage = answer.usage
            assert (usage.cached_tokens or 0) >= held
            # all but the token that ends the turn, which is sampled and never read
            held = (usage.prompt_tokens or 0) + (usage.generated_tokens or 0) - 1
            calls = answer.message.calls
            messages += [answer.message, result(answer.message) if calls else user("And then?")]
    assert held > 0


TURNS = 3
CALLS_A_TURN = 6


def script() -> list[Reply]:
    look = "I look at the next file, since the one before did not show it. " * 6
    replies = []
    for turn in range(TURNS):
        for step in range(CALLS_A_TURN):
            call = Call("read", {"path": f"file-{turn}-{step}.txt"})
            words = "" if step % 2 else "Next."
            replies.append(Reply(words, f"{turn}.{step}: {look}".strip(), (call,)))
        replies.append(Reply(f"Turn {turn} is done.", "That is all."))
    return replies


async def converse(proxy: RecordingProxy, strategy: Strategy | None) -> None:
    messages: list[Message] = []
    async with client_of(proxy.base_url) as client:
        facts = await client.facts()
        for turn in range(TURNS):
            messages.append(user(f"Question {turn}"))
            for _ in range(CALLS_A_TURN + 1):
                _, answer = await everything(client, request(facts, messages, strategy))
                messages.append(answer.message)
                if answer.message.calls:
                    call = answer.message.calls[0]
                    messages.append(ToolMessage(call.id, "read", "1: line\n" * 60))


@pytest.mark.parametrize("style", ["3.5", "3.6"])
async def test_three_turns_of_six_calls_read_at_most_64_tokens_again_each(
    llama: LlamaServer, llama36: LlamaServer, style: str
) -> None:
    """Law 2, with the strategy that the client found."""
    engine = llama if style == "3.5" else llama36
    with RecordingProxy(engine.origin, *script()) as proxy:
        await converse(proxy, None)
        proxy.check()
    assert max(proxy.by_turn(lambda step: step.read_again)) <= 64


async def test_under_plain_the_same_run_reads_thousands_again(llama: LlamaServer) -> None:
    """Law 2, the other half: without it the first proves nothing."""
    with RecordingProxy(llama.origin, *script()) as proxy:
        await converse(proxy, "plain")
        proxy.check()
    assert min(proxy.by_turn(lambda step: step.read_again)[1:]) > 2000


async def test_unattended_an_engine_that_is_killed_and_started_again_goes_on(
    models: Path, tmp_path: Path
) -> None:
    """On the same port, with another model and a smaller context: the step ends well."""
    first = Options(str(make_model(models, "3.5")))
    killed = asyncio.Event()
    engines = [LlamaServer(first, tmp_path / "first.log")]
    port = urlsplit(engines[0].origin).port or 0
    after = Options(str(make_model(models, "3.6")), n_ctx=8192, port=port)

    async def start_again() -> None:
        await killed.wait()
        await asyncio.sleep(1)
        engines.append(await asyncio.to_thread(LlamaServer, after, tmp_path / "second.log"))

    starting = asyncio.create_task(start_again())
    patience = Patience(connect_seconds=1, tries=2, first_wait_seconds=0.1, unattended=True)
    items: list[Streamed] = []
    try:
        async with client_of(engines[0].base_url, patience) as client:
            facts = await client.facts()
            asked = request(facts, [user("Go on")], logit_bias=ENDLESS, max_tokens=2000)
            async for item in client.stream(asked):
                if isinstance(item, ReasoningDelta) and not killed.is_set():
                    engines[0].kill()
                    killed.set()
                items.append(item)
            found = await client.facts()
    finally:
        await starting
        for engine in engines:
            engine.close()
    assert isinstance(items[-1], Answer)
    states = [item.state for item in items if isinstance(item, ServerState)]
    assert states[0] == "gone"
    assert states[-1] == "back"
    (notice,) = [item.text for item in items if isinstance(item, Notice)]
    assert "8,192 tokens in place of 65,536" in notice
    assert (found.context_tokens, found.strategy) == (8192, "native")


async def test_an_engine_that_sleeps_is_found_asleep_and_answers(
    models: Path, tmp_path: Path
) -> None:
    options = Options(str(make_model(models, "3.5")), sleep_idle_seconds=1)
    with LlamaServer(options, tmp_path / "sleeper.log") as engine:
        async with client_of(engine.base_url) as client:
            facts = await client.facts()
            await asyncio.to_thread(asleep, engine)
            async with make_http(engine.base_url, 1) as http:
                assert await doing(Asker(http, "", 1), facts) == "waking"
                assert await why_dead(Asker(http, "", 1), facts, 1) == ""
            assert get(engine.origin, "/props")["is_sleeping"], "it was woken by a question"
            asked = request(facts, [user("Hello")], logit_bias=NO_CALLS)
            _, answer = await everything(client, asked)
    assert answer.message.text


def asleep(engine: LlamaServer) -> None:
    """Until it sleeps."""
    deadline = time.monotonic() + 30
    while not get(engine.origin, "/props")["is_sleeping"]:
        assert time.monotonic() < deadline
        time.sleep(0.1)


async def test_an_engine_at_work_for_another_says_busy_and_then_answers(
    start_llama: StartLlama,
) -> None:
    engine = start_llama()
    patience = Patience(taking_seconds=0.2)
    async with client_of(engine.base_url) as other, client_of(engine.base_url, patience) as client:
        facts = await client.facts()
        endless = request(facts, [user("Go on")], max_tokens=60000, logit_bias=ENDLESS)

        async def occupy() -> None:
            async with aclosing(other.stream(endless)) as items:
                started = time.monotonic()
                async for _ in items:
                    occupied.set()
                    if time.monotonic() - started > 1.5:
                        break

        occupied = asyncio.Event()
        occupying = asyncio.create_task(occupy())
        await occupied.wait()
        items, _ = await everything(client, request(facts, [user("Hi")], logit_bias=NO_CALLS))
        await occupying
    states = [item.state for item in items if isinstance(item, ServerState)]
    assert states[0] == "busy"
    assert states[-1] == "back"
    assert not [item for item in items if isinstance(item, Retried)]


async def test_an_engine_that_generates_in_silence_is_not_stalled(start_llama: StartLlama) -> None:
    engine = start_llama()
    async with client_of(engine.base_url) as client:
        facts = await client.facts()
        asked = request(facts, [user("Go on")], max_tokens=60000, logit_bias=ENDLESS)
        async with make_http(engine.base_url, 1) as http:
            asker = Asker(http, "", 1)
            async with aclosing(client.stream(asked)) as items:
                async for item in items:
                    if isinstance(item, ReasoningDelta):
                        break
                assert await why_dead(asker, facts, 1) == ""
