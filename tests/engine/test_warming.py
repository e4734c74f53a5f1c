"""What is read ahead, over a real llama.cpp: the tokens that the first answer has to read itself.

Seconds are measured in the bench; here tokens are counted, by the server.
"""
# ruff: noqa: ASYNC110  what a server does can only be asked, again and again

import asyncio
import importlib.util
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from qcode.assemble import Start
from qcode.protocol.ahead import Ahead
from qcode.protocol.events import ServerState
from qcode.protocol.inputs import Rewind
from qcode.session.conversation import fold
from qcode.session.store import Store
from tests.engine.person import PROMPT, at, person, read, resting
from tests.support.llama import LlamaServer, Options, Thinks, make_model
from tests.support.plain_http import get, stream, tokenize
from tests.support.render import Style

pytestmark = pytest.mark.llamacpp

MARKS = 40
"""Tokens that a template puts behind a message, and one or two where two texts meet."""

Serve = Callable[..., LlamaServer]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not importlib.util.find_spec("xllamacpp"):
        pytest.skip("llama.cpp is not installed: pip install xllamacpp")
    return tmp_path_factory.mktemp("llama")


@pytest.fixture
def serve(models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    """Starts servers, ended with the test. Slots are kept in a folder of the test's own."""
    monkeypatch.setenv("OMP_THREAD_LIMIT", "1")  # two threads on busy cores wait for one another
    slots = tmp_path / "slots"
    slots.mkdir()
    running: list[LlamaServer] = []

    def start(style: Style = "3.6", thinks: Thinks = "a while", **options: Any) -> LlamaServer:
        model = str(make_model(models, style, thinks))
        options = {"slot_save_path": str(slots), **options}
        log = tmp_path / f"llama-{len(running)}.log"
        running.append(LlamaServer(Options(model, **options), log))
        return running[-1]

    yield start
    for server in running:
        server.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A workspace with notes for the agent, long enough to matter."""
    work = tmp_path / "work"
    work.mkdir()
    (work / "notes.txt").write_text("One line.\n")
    (work / "AGENTS.md").write_text("".join(f"{n}. Keep line {n} short.\n" for n in range(200)))
    return work


async def test_the_first_answer_reads_the_words_of_the_person_and_no_more(
    serve: Serve, folder: Path
) -> None:
    server = serve()
    async with person(server, at(folder)) as run:
        await run.begin()
        ahead = await run.pause()
        usage = await run.ask()
    words = len(tokenize(server.origin, PROMPT))
    assert ahead > 5_000, "the system text, the tools and the notes of the project"
    assert usage.cached_tokens == ahead
    assert words <= read(usage) <= words + MARKS
    assert usage.ahead is not None
    assert (usage.ahead.tokens, usage.ahead.restored_tokens) == (ahead, 0)
    assert usage.ahead.seconds > 0


@pytest.mark.parametrize(
    "fields", [{"agent": {"warm": "off"}}, {"start": {"person": "absent"}}], ids=["off", "-p"]
)
async def test_nothing_is_read_ahead_where_nobody_types_or_wants_it(
    serve: Serve, folder: Path, fields: dict[str, dict[str, Any]]
) -> None:
    server = serve()
    start = Start(folder=folder, **{"person": "present", **fields.get("start", {})})
    async with person(server, start, **fields.get("agent", {})) as run:
        await run.begin()
        await asyncio.sleep(0.3)  # time enough to have begun
        assert resting(server) == 0
        assert (await run.ask()).cached_tokens == 0


@pytest.mark.parametrize("slots", [1, 3])
async def test_a_prompt_in_the_midst_of_it_goes_on_where_the_reading_was(
    serve: Serve, folder: Path, slots: int
) -> None:
    """With several slots too: an empty one would begin anew."""
    (folder / "AGENTS.md").write_text("".join(f"{n}. Keep line {n} short.\n" for n in range(900)))
    server = serve(n_parallel=slots, n_ctx=65_536 * slots)
    async with person(server, at(folder)) as run:
        await run.begin()
        async with asyncio.timeout(60):
            while not await asyncio.to_thread(begun, server):
                await asyncio.sleep(0.005)
        usage = await run.ask()
    assert usage.prompt_tokens is not None
    assert usage.cached_tokens is not None
    assert 2_000 < usage.cached_tokens < usage.prompt_tokens - 2_000, "neither none nor all"
    assert sum(1 for slot in get(server.origin, "/slots") if slot.get("n_prompt_tokens")) == 1


def begun(server: LlamaServer) -> bool:
    return any(slot.get("n_prompt_tokens_processed") for slot in get(server.origin, "/slots"))


async def test_what_a_template_drops_is_read_again_while_the_person_types(
    serve: Serve, folder: Path
) -> None:
    """The reasoning of an earlier turn, with history sent plainly: the prompt changes there."""
    server = serve("3.5")
    words = len(tokenize(server.origin, PROMPT))
    async with person(server, at(folder), history="plain") as run:
        await run.begin()
        await run.pause()
        await run.ask()
        await run.pause()
        assert read(await run.ask()) <= words + MARKS


async def test_a_rewound_conversation_is_read_before_the_next_words(
    serve: Serve, folder: Path
) -> None:
    server = serve()
    words = len(tokenize(server.origin, PROMPT))
    async with person(server, at(folder)) as run:
        await run.begin()
        ahead = await run.pause()
        await run.ask("Something else. " * 20)
        run.engine.submit(Rewind(1))
        usage = await run.ask()
    assert usage.cached_tokens is not None
    assert usage.cached_tokens <= ahead
    assert read(usage) < words + 600, "from the last checkpoint in front of it, at worst"


async def test_somebody_else_is_answered_first(serve: Serve, folder: Path) -> None:
    server = serve(thinks="for ever")
    asked = {"messages": [{"role": "user", "content": PROMPT}], "max_tokens": 50_000}
    async with person(server, at(folder)) as run:
        with stream(server.origin, asked) as chunks:
            next(chunks)
            await run.begin()
            await asyncio.sleep(0.5)  # time enough to have got in their way
            assert begun(server)
            assert not run.was_warmed
        assert await run.pause() > 5_000, "and then it is read"


async def test_a_model_that_sleeps_is_not_woken_not_even_to_keep_a_session(
    serve: Serve, folder: Path, tmp_path: Path
) -> None:
    server = serve(sleep_idle_seconds=1)
    log = Store(tmp_path / "sessions").create(folder)
    async with person(server, at(folder, log=log, slots=tmp_path / "slots.json")) as run:
        await run.begin()
        await run.pause()
        await run.ask()
        await asyncio.to_thread(asleep, server)
    assert get(server.origin, "/props")["is_sleeping"] is True
    assert [*(tmp_path / "slots").iterdir()] == []
    async with person(server, at(folder)) as run:
        await run.begin()
        await asyncio.sleep(0.3)  # time enough to have woken it
        assert get(server.origin, "/props")["is_sleeping"] is True


@pytest.mark.parametrize("is_own", [True, False])
async def test_what_an_engine_forgets_in_its_sleep_comes_back_from_the_disk(
    serve: Serve, folder: Path, tmp_path: Path, *, is_own: bool
) -> None:
    server = serve(sleep_idle_seconds=4)
    start = at(
        folder,
        log=Store(tmp_path / "sessions").create(folder),
        slots=tmp_path / "slots.json",
        revive=str if is_own else None,
    )
    async with person(server, start, sleep_seconds=1.0) as run:
        await run.begin()
        await run.pause()
        await run.ask()
        held = resting(server)
        await asyncio.to_thread(asleep, server)
        usage = await run.ask()
        assert usage.cached_tokens is not None
        assert (usage.cached_tokens >= held - MARKS) is is_own
        assert ((usage.ahead or Ahead()).restored_tokens >= held - MARKS) is is_own
        states = [one.state for one in run.said(ServerState)]
        assert states == (["waking", "back"] if is_own else []), "nobody knows what they wait for"
        await asyncio.to_thread(asleep, server)
        assert read(await run.ask()) < 1_000 or not is_own, "once is not enough"


async def test_who_waits_for_an_engine_to_wake_is_told_its_end_though_nothing_came_back(
    serve: Serve, folder: Path, tmp_path: Path
) -> None:
    server = serve(sleep_idle_seconds=4)
    log, slots = Store(tmp_path / "sessions").create(folder), tmp_path / "slots.json"
    start = at(folder, log=log, slots=slots, revive=str)
    async with person(server, start, sleep_seconds=1.0) as run:
        await run.begin()
        await run.pause()
        await run.ask()
        await asyncio.to_thread(asleep, server)
        for file in (tmp_path / "slots").iterdir():
            file.unlink()
        usage = await run.ask()
        assert (usage.ahead or Ahead()).restored_tokens == 0
        assert [one.state for one in run.said(ServerState)] == ["waking", "back"]


def asleep(server: LlamaServer) -> None:
    end = time.monotonic() + 60
    while not get(server.origin, "/props")["is_sleeping"]:
        assert time.monotonic() < end
        time.sleep(0.05)


async def test_a_session_that_goes_on_with_a_server_that_was_started_anew_is_not_read_again(
    serve: Serve, folder: Path, tmp_path: Path
) -> None:
    store, kept = Store(tmp_path / "sessions"), tmp_path / "slots.json"
    first = serve()
    log = store.create(folder)
    async with person(first, at(folder, log=log, slots=kept)) as run:
        await run.begin()
        await run.pause()
        await run.ask()
        held = resting(first)
    assert [path.name for path in (tmp_path / "slots").iterdir()] == [names(kept)[0]]
    first.close()
    for restores in (True, False):
        server = serve(slot_save_path=str(tmp_path / "slots") if restores else "")
        resumed = store.resume(log.session_id)
        talk = fold(resumed.opened.events)
        start = at(folder, log=resumed.log, conversation=talk, slots=kept)
        async with person(server, start) as run:
            usage = await run.ask()  # at once: nothing could be read ahead
        assert usage.cached_tokens is not None
        assert (usage.cached_tokens >= held - MARKS) is restores
        ahead = usage.ahead or Ahead()
        assert (ahead.restored_tokens >= held - MARKS, ahead.tokens) == (restores, 0)


def names(file: Path) -> list[str]:
    return [row["name"] for row in json.loads(file.read_bytes())["kept"]]
