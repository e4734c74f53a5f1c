"""What the chat says before anything is said."""

from pathlib import Path

from qcode.protocol.events import NotBegun, Notice, TurnFinished, TurnStarted
from qcode.protocol.messages import user
from qcode.session.store import Store
from qcode.tui.home import Home, Opened, Wanted
from qcode.tui.shelf import before
from qcode.tui.status import Status
from qcode.tui.widgets.welcome import welcome_lines
from tests.session.histories import one_turn, started
from tests.tui.conftest import Engine, Enter


async def test_it_says_what_to_do_and_who_answers_until_something_is_said(house: Enter) -> None:
    async with house() as h:
        await h.begun()
        await h.until(lambda: "qwen answers, with room for 131k tokens" in h.screen)
        assert "Ask something" in h.screen
        h.engine.say(Notice("info", "AGENTS.md is read"))
        await h.until(lambda: "AGENTS.md is read" in h.screen)
        assert "Ask something" in h.screen
        h.engine.say(TurnStarted(1, user("hello")), TurnFinished("end_turn"))
        await h.until(lambda: "hello" in h.screen)
        await h.until(lambda: "Ask something" not in h.screen)


async def test_it_gives_way_to_what_can_be_done_without_a_server(house: Enter) -> None:
    engine = Engine(begun=(NotBegun("No server answers.", "ServerGone"),))
    async with house(engine) as h:
        await h.until(lambda: "watch the demo" in h.screen)
        await h.until(lambda: "Ask something" not in h.screen)
        assert "no server yet" in h.screen


async def test_a_small_terminal_keeps_its_rows(house: Enter) -> None:
    async with house(size=(60, 17)) as h:
        await h.begun()
        assert "Ask something" not in h.screen


def test_the_last_session_of_the_folder_is_named(tmp_path: Path) -> None:
    def nobody(_: Wanted) -> Opened:
        raise NotImplementedError

    home = Home(tmp_path, nobody, tmp_path / "state", tmp_path / "sessions")
    assert before(home) is None
    with Store(tmp_path / "sessions").create(tmp_path) as log:
        log.append(started(log.path.stem, str(tmp_path)))
        for event in one_turn(1, "Mend the basket"):
            log.append(event)
    found = before(home)
    assert found is not None
    assert found[0] == "Mend the basket"


def test_it_has_always_as_many_rows() -> None:
    known = Status(model="qwen", mode="ask", context_tokens=4096)
    bare = list(welcome_lines(Status(), ("", ""), 80))
    for width in (24, 60, 80, 200):
        full = list(welcome_lines(known, ("x" * 90, "14:05"), width))
        assert len(full) == len(bare)
        assert all(row.width <= width for row in full)
