"""A server that loads its model: told as a state, cancelled if wanted, and not for ever."""

from pathlib import Path

from qcode.engine.limits import Limits
from qcode.protocol.events import (
    AnyEvent,
    Notice,
    PromptProgress,
    ServerState,
    SessionStarted,
    StepStarted,
    TurnFinished,
)
from qcode.protocol.inputs import Cancel, Input
from qcode.session.store import Store
from tests.engine.rig import configured, rig, started
from tests.support.llama_words import About
from tests.support.script import Reply
from tests.support.scripted_server import StartScripted

LLAMACPP = About(kind="llamacpp")


async def test_a_model_that_loads_at_the_start_is_waited_for(
    scripted: StartScripted, tmp_path: Path
) -> None:
    server = scripted(Reply(text="Hello."), about=LLAMACPP)
    server.loading = True

    def loaded(event: AnyEvent) -> None:
        server.loading = server.loading and not isinstance(event, ServerState)

    async with rig(configured(server.base_url), started(tmp_path)) as run:
        end = await run.turn("hi", loaded)
    assert end == TurnFinished("end_turn")
    assert [state.state for state in run.said(ServerState)][:1] == ["loading"]
    assert run.said(SessionStarted)[0].server == "llamacpp b11549"


async def test_a_model_that_loads_between_two_turns_is_waited_for(
    scripted: StartScripted, tmp_path: Path
) -> None:
    server = scripted(Reply(text="Hello."), Reply(text="Again."), about=LLAMACPP)

    def loaded(event: AnyEvent) -> None:
        server.loading = server.loading and not isinstance(event, ServerState)

    async with rig(configured(server.base_url), started(tmp_path)) as run:
        await run.turn("hi")
        server.loading = True  # as a router does that has put the model to sleep
        assert (await run.turn("hi again", loaded)).reason == "end_turn"
    assert [state.state for state in run.said(ServerState)] == ["loading", "back"]
    assert len(run.said(StepStarted)) == 2
    assert len(server.requests) == 2


async def test_waiting_for_a_model_can_be_cancelled(
    scripted: StartScripted, tmp_path: Path
) -> None:
    server = scripted(about=LLAMACPP)
    server.loading = True

    def leave(event: AnyEvent) -> Input | None:
        return Cancel() if isinstance(event, ServerState) else None

    async with rig(configured(server.base_url), started(tmp_path)) as run:
        assert (await run.turn("hi", leave)).reason == "cancelled"
        assert not run.said(PromptProgress)


async def test_a_model_that_never_loads_is_an_error_and_leaves_no_session(
    scripted: StartScripted, tmp_path: Path
) -> None:
    server = scripted(about=LLAMACPP)
    server.loading = True
    store = Store(tmp_path / "sessions")
    config = configured(server.base_url, server={"loading_seconds": 0.5})
    async with rig(config, started(tmp_path, log=store.create(tmp_path))) as run:
        end = await run.turn("hi")
    assert (end.reason, end.error) == ("error", "ServerGone")
    assert "still loads its model" in end.detail
    assert store.list() == ()


async def test_waiting_for_a_model_counts_as_wall_time(
    scripted: StartScripted, tmp_path: Path
) -> None:
    server = scripted(about=LLAMACPP)
    server.loading = True
    start = started(tmp_path, limits=Limits(max_wall_seconds=0.5))
    async with rig(configured(server.base_url), start) as run:
        run.seconds = 5.0
        assert (await run.turn("hi")).reason == "max_wall_time"


async def test_a_model_name_that_the_server_ignores_is_told(
    scripted: StartScripted, tmp_path: Path
) -> None:
    server = scripted(Reply(text="ok"), about=About(kind="llamacpp"))
    config = configured(server.base_url, server={"model": "another"})
    async with rig(config, started(tmp_path)) as run:
        await run.turn("go")
    told = [notice.text for notice in run.said(Notice) if notice.level == "warning"]
    assert len(told) == 1
    assert "no model another" in told[0]
