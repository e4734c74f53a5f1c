"""What nobody foresaw while a session was opened, and what was said meanwhile."""

import threading
from pathlib import Path

import pytest
from msgspec.structs import replace

from qcode.protocol.errors import ConfigError
from qcode.protocol.events import Returned, ToolCallFinished
from qcode.protocol.inputs import Prompt
from qcode.protocol.messages import ToolMessage
from qcode.tui.app import QcodeApp
from qcode.tui.home import Home, Opened, Wanted
from tests.tui.conftest import STARTED, Engine, Enter, House
from tests.tui.until import until


async def test_it_is_told_can_be_tried_again_and_no_word_is_lost(tmp_path: Path) -> None:
    engine, tries = Engine(begun=(STARTED,)), []

    def open_(what: Wanted) -> Opened:
        tries.append(what)
        if len(tries) < 3:
            raise RuntimeError("out of luck")
        return Opened(engine, (), "s1")

    app = QcodeApp(Home(tmp_path, open_, tmp_path / "state"), None, Prompt("first"))
    async with app.run_test(size=(100, 30)) as pilot:
        h = House(app, pilot, tries, [engine])
        for count in (1, 2):
            await h.until(lambda count=count: len(tries) == count)  # type: ignore[misc] # as here
            await h.until(lambda: "The session cannot begin yet" in h.screen)
            assert "RuntimeError: out of luck" in h.screen
            await h.until(lambda: app.chat.onboarding.has_focus)
            await h.press("r")
        await h.until(lambda: engine.inputs)
        assert engine.inputs == [Prompt("first")]
        await app.holder.close()


async def test_another_session_that_breaks_leaves_this_one_as_it_is(tmp_path: Path) -> None:
    engine, tries = Engine(begun=(STARTED,)), []

    def open_(what: Wanted) -> Opened:
        tries.append(what)
        if len(tries) > 1:
            raise RuntimeError("out of luck")
        return Opened(engine, (), "s1")

    app = QcodeApp(Home(tmp_path, open_, tmp_path / "state"))
    async with app.run_test(size=(100, 30)) as pilot:
        h = House(app, pilot, tries, [engine])
        await h.begun()
        h.app.command("new")
        await h.until(lambda: "RuntimeError: out of luck" in app.chat.notice.text)
        await h.type("go")
        await h.press("enter")
        await h.until(lambda: engine.heard(Prompt))
        await app.holder.close()


async def test_a_log_that_cannot_be_shown_leaves_this_session_and_no_other_one(
    tmp_path: Path,
) -> None:
    first, second, tries = Engine(begun=(STARTED,)), Engine(begun=(STARTED,)), []

    def open_(what: Wanted) -> Opened:
        tries.append(what)
        if len(tries) == 1:
            return Opened(first, (), "s1")
        return Opened(second, (Returned((7,)),), "s2")  # type: ignore[arg-type] # no words of anybody

    app = QcodeApp(Home(tmp_path, open_, tmp_path / "state"))
    async with app.run_test(size=(100, 30)) as pilot:
        h = House(app, pilot, tries, [first])
        await h.begun()
        h.app.command("new")
        await h.until(lambda: "could not be opened" in app.chat.notice.text)
        assert second.closed
        assert not first.closed
        await h.type("go")
        await h.press("enter")
        await h.until(lambda: first.heard(Prompt))
        await app.holder.close()


async def test_a_review_without_git_says_what_to_do(house: Enter) -> None:
    async with house() as h:
        await h.begun()
        message = ToolMessage("c1", "edit", "done")
        h.engine.say(ToolCallFinished(message, (), 0.1, edited=("a.py",)))
        await h.until(lambda: h.app.talk.edited)
        h.app.command("review")
        await h.until(lambda: "is in no git repository" in h.app.chat.notice.text)
        assert "/undo puts back the files" in h.app.chat.notice.text


@pytest.mark.parametrize("serves", [True, False])
async def test_settings_that_break_late_keep_what_was_said_meanwhile(
    tmp_path: Path, *, serves: bool
) -> None:
    engine, go, tries = Engine(begun=(STARTED,)), threading.Event(), []

    def open_(what: Wanted) -> Opened:
        tries.append(what)
        go.wait(5)
        if len(tries) == 1:
            raise ConfigError("x.toml:3: broken.")
        return Opened(engine, (), "s1")

    home = Home(tmp_path, open_, tmp_path / "state")
    app = QcodeApp(replace(home, ahead=lambda _, __: None) if serves else home)
    async with app.run_test(size=(100, 30)) as pilot:
        h = House(app, pilot, tries, [engine])
        await h.until(lambda: tries)
        if not serves:
            await h.type("hello")
            await h.press("enter")
            await h.until(lambda: app.talk.status.queued)
        go.set()
        await h.until(lambda: "x.toml:3: broken." in h.screen)
        assert app.failure is None
        await h.until(lambda: app.chat.onboarding.has_focus)
        await h.press("r")
        await h.until(lambda: engine.inputs)
        assert engine.heard(Prompt) == ([] if serves else [Prompt("hello")])
        await app.holder.close()


async def test_settings_that_break_before_anything_was_said_end_the_app(tmp_path: Path) -> None:
    def open_(what: Wanted) -> Opened:
        raise ConfigError(f"{what.resume} is broken.")

    first = Prompt("first")
    app = QcodeApp(Home(tmp_path, open_, tmp_path / "state"), Wanted("s1"), first)
    async with app.run_test(size=(100, 30)):
        await until(lambda: app.failure is not None)
        assert app.return_value == 1
