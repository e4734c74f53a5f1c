"""A session begins before the first prompt: found, not found, cancelled, tried again."""

from pathlib import Path

from qcode.protocol.events import (
    ModeChanged,
    ModelChanged,
    NotBegun,
    Notice,
    ServerState,
    SessionStarted,
    SettingsChanged,
    TextDelta,
    TurnFinished,
    TurnStarted,
)
from qcode.protocol.inputs import (
    Begin,
    Cancel,
    Prompt,
    Rename,
    SetMode,
    SetModel,
    SetSampling,
    SetThinking,
    Steer,
)
from qcode.session.store import Store
from tests.engine.rig import configured, rig, started
from tests.support.llama_words import About
from tests.support.script import Reply
from tests.support.scripted_server import ScriptedServer, StartScripted

LLAMA = About(kind="llamacpp", model="first")


async def test_the_server_is_found_without_a_prompt(
    scripted: StartScripted, tmp_path: Path
) -> None:
    server = scripted(Reply(text="ok"), about=LLAMA)
    async with rig(configured(server.base_url), started(tmp_path)) as run:
        run.engine.submit(Begin())
        begun = await run.until(SessionStarted)
        assert (begun.model, begun.server) == ("first", "llamacpp b11549")
        run.engine.submit(Begin())  # begun already: nothing more is said
        await run.turn("go")
    assert len(run.said(SessionStarted)) == 1
    assert server.requests[0].messages[-1]["content"].endswith("go")


async def test_a_server_that_is_not_there_may_come_and_is_found_the_next_time(
    tmp_path: Path,
) -> None:
    with ScriptedServer() as early:
        address = early.base_url
    late = ScriptedServer(Reply(text="ok"))
    async with rig(configured(address), started(tmp_path)) as run:
        run.engine.submit(Begin())
        told = await run.until(NotBegun)
        assert told.error == "ServerGone"
        assert address in told.text
        late.start(int(address.rpartition(":")[2].removesuffix("/v1")))
        try:
            run.engine.submit(Begin())
            await run.until(SessionStarted)
            assert (await run.turn("go")).reason == "end_turn"
        finally:
            late.close()
    assert len(run.said(TurnFinished)) == 1


async def test_a_prompt_waits_for_the_server_that_is_looked_for(
    scripted: StartScripted, tmp_path: Path
) -> None:
    server = scripted(Reply(text="ok"), about=LLAMA)
    server.loading = True
    async with rig(configured(server.base_url), started(tmp_path)) as run:
        run.engine.submit(Begin())
        await run.until(ServerState)
        run.engine.submit(Steer("go"))  # no turn runs: the words begin one
        server.loading = False
        assert (await run.rest()).reason == "end_turn"
    kinds = [type(event) for event in run.events]
    assert kinds.index(SessionStarted) < kinds.index(TurnStarted)
    assert len(server.requests) == 1


async def test_a_prompt_behind_a_vain_search_searches_itself(tmp_path: Path) -> None:
    async with rig(configured("http://127.0.0.1:9/v1"), started(tmp_path)) as run:
        run.engine.submit(Begin())
        run.engine.submit(Prompt("go"))
        end = await run.rest()
    assert end.error == "ServerGone"
    assert [type(event) for event in run.events] == [NotBegun, TurnFinished]


async def test_the_search_is_cancelled_and_with_it_the_prompt_that_waits(
    scripted: StartScripted, tmp_path: Path
) -> None:
    server = scripted(Reply(text="ok"), about=LLAMA)
    server.loading = True
    async with rig(configured(server.base_url), started(tmp_path)) as run:
        run.engine.submit(Begin())
        await run.until(ServerState)
        run.engine.submit(Cancel())
        assert (await run.until(NotBegun)).error == ""
        run.engine.submit(Begin())
        run.engine.submit(Prompt("never"))
        run.engine.submit(Cancel())
        assert (await run.rest()).reason == "cancelled"
        server.loading = False
        run.engine.submit(Begin())
        await run.until(SessionStarted)
        assert (await run.turn("go")).reason == "end_turn"
    assert len(run.said(NotBegun)) == 2
    assert server.requests[0].messages[-1]["content"].endswith("go")


async def test_while_a_turn_runs_a_begin_does_nothing(
    scripted: StartScripted, tmp_path: Path
) -> None:
    server = scripted(Reply(text="ok"))
    async with rig(configured(server.base_url), started(tmp_path)) as run:
        run.engine.submit(Prompt("go"))
        run.engine.submit(Begin())
        assert (await run.rest()).reason == "end_turn"
    assert len(run.said(SessionStarted)) == 1
    assert run.said(NotBegun) == []


async def test_what_is_set_before_the_session_holds_in_it_and_is_said(
    scripted: StartScripted, tmp_path: Path
) -> None:
    server = scripted(Reply(text="ok"), about=LLAMA)
    async with rig(configured(server.base_url), started(tmp_path, person="present")) as run:
        run.engine.submit(SetThinking(1_000))
        assert (await run.until(SettingsChanged)).thinking_budget == 1_000
        run.engine.submit(SetMode("plan"))
        assert (await run.until(ModeChanged)).mode == "plan"
        run.engine.submit(SetSampling(temperature=0.25))
        run.engine.submit(Begin())
        assert (await run.until(SessionStarted)).mode == "plan"
        told = await run.until(SettingsChanged)
        assert (told.thinking_budget, told.sampling["temperature"]) == (1_000, 0.25)
        await run.turn("go")
    assert server.requests[0].body["temperature"] == 0.25


async def test_what_is_said_of_the_settings_is_what_is_sent(
    scripted: StartScripted, tmp_path: Path
) -> None:
    about = About(kind="llamacpp", model="Qwen3.6-27B")
    server = scripted(Reply(text="ok"), about=about)
    async with rig(configured(server.base_url), started(tmp_path)) as run:
        run.engine.submit(Begin())
        told = await run.until(SettingsChanged)
        await run.turn("go")
    assert told.sampling
    body = server.requests[0].body
    assert {name: body[name] for name in told.sampling} == told.sampling


async def test_another_model_is_there_at_once_where_nothing_runs(
    scripted: StartScripted, tmp_path: Path
) -> None:
    server = scripted(about=LLAMA)
    other = scripted(Reply(text="ok"), about=About(kind="llamacpp", model="second"))
    async with rig(configured(server.base_url), started(tmp_path)) as run:
        run.engine.submit(Begin())
        await run.until(SettingsChanged)
        run.engine.submit(SetModel("second", other.base_url))
        assert (await run.until(ModelChanged)).model == "second"
        await run.until(SettingsChanged)
        assert (await run.turn("go")).reason == "end_turn"
    assert len(other.requests) == 1


async def test_another_server_is_chosen_after_the_first_was_not_found(
    scripted: StartScripted, tmp_path: Path
) -> None:
    server = scripted(Reply(text="ok"), about=LLAMA)
    async with rig(configured("http://127.0.0.1:9/v1"), started(tmp_path)) as run:
        run.engine.submit(Begin())
        await run.until(NotBegun)
        run.engine.submit(SetModel("", server.base_url))
        assert "answers from the next turn on" in (await run.until(Notice)).text
        run.engine.submit(Begin())
        assert (await run.until(SessionStarted)).model == "first"
        await run.turn("go")


async def test_a_server_that_another_model_needs_and_is_not_there_changes_nothing(
    scripted: StartScripted, tmp_path: Path
) -> None:
    server = scripted(Reply(text="ok"), about=LLAMA)
    async with rig(configured(server.base_url), started(tmp_path)) as run:
        run.engine.submit(Begin())
        await run.until(SettingsChanged)
        run.engine.submit(SetModel("other", "http://127.0.0.1:9/v1"))
        assert "The model of before goes on." in (await run.until(Notice)).text
        assert (await run.turn("go")).reason == "end_turn"


async def test_a_session_without_a_turn_leaves_no_file(
    scripted: StartScripted, tmp_path: Path
) -> None:
    store = Store(tmp_path / "sessions")
    log = store.create(tmp_path)
    server = scripted()
    async with rig(configured(server.base_url), started(tmp_path, log=log)) as run:
        run.engine.submit(Begin())
        await run.until(SessionStarted)
        run.engine.submit(Rename("nothing yet"))
        assert log.path.exists()
    assert [path for path in (tmp_path / "sessions").rglob("*") if path.is_file()] == []
    assert store.list() == ()


async def test_a_session_whose_turn_was_cancelled_stays(
    scripted: StartScripted, tmp_path: Path
) -> None:
    store = Store(tmp_path / "sessions")
    log = store.create(tmp_path)
    server = scripted(Reply(text="half", end="hang"))
    async with rig(configured(server.base_url), started(tmp_path, log=log)) as run:
        await run.turn("go", lambda event: Cancel() if isinstance(event, TextDelta) else None)
    assert [found.id for found in store.list()] == [log.session_id]


async def test_a_session_that_goes_on_stays_though_nothing_is_said_in_it(
    scripted: StartScripted, tmp_path: Path
) -> None:
    store = Store(tmp_path / "sessions")
    log = store.create(tmp_path)
    server = scripted(Reply(text="ok"))
    async with rig(configured(server.base_url), started(tmp_path, log=log)) as run:
        await run.turn("go")
    resumed = store.resume(log.session_id)
    # as if a defect had lost its turns: what the log itself knows keeps the file
    async with rig(configured(server.base_url), started(tmp_path, log=resumed.log)) as run:
        run.engine.submit(Begin())
        await run.until(SessionStarted)
    assert log.path.exists()


async def test_what_the_person_should_know_is_told_once_the_session_has_begun(
    scripted: StartScripted, tmp_path: Path
) -> None:
    server = scripted(Reply(text="ok"), Reply(text="ok"))
    start = started(tmp_path, remarks=("a rule was left out.",))
    async with rig(configured(server.base_url), start) as run:
        await run.turn("one")
        await run.turn("two")
    assert run.said(Notice).count(Notice("warning", "a rule was left out.")) == 1
