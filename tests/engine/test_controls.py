"""Inputs that are no words for the model, before, during and after a turn."""

from pathlib import Path

from qcode.protocol.events import (
    ApprovalRequested,
    ModeChanged,
    Notice,
    Renamed,
    Rewound,
    SessionStarted,
    ToolCallFinished,
)
from qcode.protocol.inputs import Queue, Rename, Rewind, SetMode, SetSampling, SetThinking
from qcode.session.store import Store
from tests.engine.rig import configured, rig, started
from tests.support.llama_words import About
from tests.support.script import Call, Reply, Usage
from tests.support.scripted_server import StartScripted


async def test_a_mode_set_before_the_first_prompt_holds(
    scripted: StartScripted, tmp_path: Path
) -> None:
    server = scripted(
        Reply(calls=(Call("write", {"path": "a", "content": "x"}),)), Reply(text="ok")
    )
    async with rig(configured(server.base_url), started(tmp_path, person="present")) as run:
        run.engine.submit(SetMode("plan"))
        await run.turn("go")
    assert not (tmp_path / "a").exists()
    assert run.said(ToolCallFinished)[0].message.status == "denied"
    assert run.said(ApprovalRequested) == []
    assert run.said(SessionStarted)[0].mode == "plan"


async def test_the_log_begins_with_the_session_whatever_came_first(
    scripted: StartScripted, tmp_path: Path
) -> None:
    store = Store(tmp_path / "sessions")
    log = store.create(tmp_path)
    server = scripted(Reply(text="ok"))
    async with rig(configured(server.base_url), started(tmp_path, log=log)) as run:
        run.engine.submit(SetMode("edit"))
        run.engine.submit(Rename("the first"))
        await run.turn("go")
    events = store.open(log.session_id).events
    assert [type(event) for event in events[:3]] == [SessionStarted, ModeChanged, Renamed]
    assert store.find("the first") == log.session_id


async def test_thinking_and_sampling_change_the_request_but_not_the_prompt(
    scripted: StartScripted, tmp_path: Path
) -> None:
    server = scripted(Reply(text="a"), Reply(text="b"), about=About(kind="llamacpp", style="3.5"))
    async with rig(configured(server.base_url), started(tmp_path)) as run:
        await run.turn("one")
        run.engine.submit(SetThinking(0))
        run.engine.submit(SetSampling(temperature=0.3))
        await run.turn("two")
    first, second = (request.body for request in server.requests)
    assert first["chat_template_kwargs"]["enable_thinking"] is True
    assert second["chat_template_kwargs"]["enable_thinking"] is False
    assert second["temperature"] == 0.3
    assert second["messages"][:2] == first["messages"]
    assert second["tools"] == first["tools"]


async def test_a_rewind_goes_back_to_before_a_turn(scripted: StartScripted, tmp_path: Path) -> None:
    server = scripted(Reply(text="a"), Reply(text="b"), Reply(text="c"))
    async with rig(configured(server.base_url), started(tmp_path)) as run:
        await run.turn("one")
        await run.turn("two")
        run.engine.submit(Rewind(2))
        await run.turn("other")
    assert run.said(Rewound) == [Rewound(2)]
    said = [m["content"] for m in server.requests[2].messages if m["role"] == "user"]
    assert said[0].endswith("one")
    assert said[1:] == ["other"]


async def test_after_a_rewind_an_answer_may_be_as_long_as_before(
    scripted: StartScripted, tmp_path: Path
) -> None:
    server = scripted(
        Reply(text="a"),
        Reply(text="b", usage=Usage(prompt=29_000, completion=1)),
        Reply(text="c"),
        about=About(kind="llamacpp", context_tokens=32_000),
    )
    config = configured(server.base_url, agent={"max_tokens": 8_000})
    async with rig(config, started(tmp_path)) as run:
        await run.turn("one")
        await run.turn("two, which fills the context")
        run.engine.submit(Rewind(2))
        await run.turn("other")
    assert [request.body["max_tokens"] for request in server.requests] == [8_000] * 3


async def test_a_queued_prompt_has_its_own_turn_after_this_one(
    scripted: StartScripted, tmp_path: Path
) -> None:
    server = scripted(Reply(text="a"), Reply(text="b"))
    async with rig(configured(server.base_url), started(tmp_path)) as run:
        run.engine.submit(Queue("one"))
        run.engine.submit(Queue("two"))
        await run.rest()
        await run.rest()
    assert [m["role"] for m in server.requests[1].messages] == [
        "system", "user", "assistant", "user",
    ]  # fmt: skip


async def test_a_run_that_keeps_no_files_says_so(scripted: StartScripted, tmp_path: Path) -> None:
    server = scripted(Reply(text="a"))
    async with rig(configured(server.base_url), started(tmp_path)) as run:
        run.engine.submit(Rewind(1, "files"))
        await run.turn("one")
    assert "not kept in this run" in run.said(Notice)[0].text
