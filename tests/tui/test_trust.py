"""The question of what a folder may configure: asked first, answered by who reads it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import TextArea

from qcode.tui.app import QcodeApp
from qcode.tui.home import Configured, Home, Opened, Wanted
from qcode.tui.lines import Line
from qcode.tui.screens.trust import QUIET_SECONDS, TrustScreen, configured_lines
from tests.tui.conftest import STARTED, Engine
from tests.tui.until import until

LEFT_OUT = ".qcode/config.toml:2: a project may not set server.base_url. It is left out."
PATCH = ("--- /dev/null", "+++ b/.qcode/config.toml", "@@ -0,0 +1,2 @@", "+[agent]", "+x = 1")


@dataclass
class Asked:
    """An app, and what came of its question."""

    app: QcodeApp
    pilot: Pilot[int]
    words: list[str] = field(default_factory=list)
    opened: list[Wanted] = field(default_factory=list)

    @property
    def screen(self) -> TrustScreen:
        """The question."""
        assert isinstance(self.app.screen, TrustScreen)
        return self.app.screen

    async def ready(self) -> None:
        """One could have read it."""
        await until(lambda: isinstance(self.app.screen, TrustScreen) and self.screen.is_ready)

    async def press(self, *keys: str) -> None:
        """As if pressed."""
        await self.pilot.press(*keys)

    async def begun(self) -> None:
        """The session is open, and the prompt is there."""
        await until(lambda: self.opened and self.app.screen is self.app.chat)

    @property
    def prompt(self) -> str:
        """What is written there."""
        return self.app.chat.prompt.query_one(TextArea).text


Ask = Callable[..., AbstractAsyncContextManager[Asked]]


@pytest.fixture
def ask(tmp_path: Path) -> Ask:
    """`async with ask() as a:` the app runs, and the folder configures something."""

    @asynccontextmanager
    async def enter(trouble: str = "") -> AsyncIterator[Asked]:
        made: list[Asked] = []

        def settle(word: str) -> str:
            made[0].words.append(word)
            assert not made[0].opened  # the word comes before the session
            return trouble

        def open_(what: Wanted) -> Opened:
            made[0].opened.append(what)
            return Opened(Engine(begun=(STARTED,)), session_id="s1")

        asked = Configured(('agent.thinking = "low"',), (LEFT_OUT,), PATCH, "", settle)
        app = QcodeApp(Home(tmp_path, open_, tmp_path / "state", configured=asked))
        async with app.run_test(size=(80, 24)) as pilot:
            made.append(Asked(app, pilot))
            yield made[0]
            await app.holder.close()

    return enter


async def test_enter_alone_goes_on_without_it_and_is_kept(ask: Ask) -> None:
    async with ask() as a:
        await a.ready()
        await a.press("enter")
        await a.begun()
        assert a.words == ["without"]


async def test_trust_needs_a_step_and_enter(ask: Ask) -> None:
    async with ask() as a:
        await a.ready()
        await a.press("down", "enter")
        await a.begun()
        assert a.words == ["trust"]


async def test_escape_goes_on_and_keeps_nothing(ask: Ask) -> None:
    async with ask() as a:
        await a.ready()
        await a.press("escape")
        await a.begun()
        assert a.words == []


async def test_no_session_is_opened_before_the_answer(ask: Ask) -> None:
    async with ask() as a:
        await a.ready()
        await asyncio.sleep(0.1)  # as long as it takes to open one
        assert not a.opened


async def test_a_line_that_was_typed_too_early_answers_nothing_and_is_kept(ask: Ask) -> None:
    async with ask() as a:
        await until(lambda: isinstance(a.app.screen, TrustScreen))
        await a.press(*"t", *"rust", "space", *"yes", "enter")
        assert a.words == []
        assert isinstance(a.app.screen, TrustScreen)
        assert not a.screen.is_ready
        await asyncio.sleep(QUIET_SECONDS)
        await a.ready()
        await a.press("enter")
        await a.begun()
        assert a.words == ["without"]
        await until(lambda: a.prompt == "trust yes")


async def test_a_key_that_was_on_its_way_to_the_prompt_is_not_lost(ask: Ask) -> None:
    async with ask() as a:
        await until(lambda: isinstance(a.app.screen, TrustScreen))
        a.app.chat.prompt.write("t")  # the question came before the prompt had taken it
        await a.press(*"rust")
        await a.ready()
        await a.press("escape")
        await a.begun()
        await until(lambda: a.prompt == "trust")


async def test_what_stood_in_the_prompt_stays_ahead_of_it(ask: Ask) -> None:
    async with ask() as a:
        await until(lambda: isinstance(a.app.screen, TrustScreen))
        a.screen.dismiss("later")
        await a.begun()
        a.app.chat.prompt.write("fix ")
        a.app.run_worker(a.app.first(Wanted()))
        await until(lambda: isinstance(a.app.screen, TrustScreen))
        await a.press("i", "t", "escape")
        await until(lambda: a.prompt == "fix it")


async def test_a_word_that_cannot_be_kept_is_said(ask: Ask) -> None:
    async with ask("The disk is full.") as a:
        await a.ready()
        await a.press("down", "enter")
        await a.begun()
        assert a.words == ["trust"]


async def test_ctrl_c_leaves_without_a_session(ask: Ask) -> None:
    async with ask() as a:
        await a.ready()
        await a.press("ctrl+c")
        await until(lambda: a.app._exit)
        assert a.words == []
        assert a.opened == []


def shown(asked: Configured, width: int = 60) -> str:
    """All of it, as text."""
    return "\n".join(line.text for line in configured_lines(asked, width))


def test_nothing_that_was_not_trusted_is_cut_or_hidden() -> None:
    row = "+" + "x" * 200 + "\u202e\x1b]0;t\x07end"
    text = shown(Configured((), (), ("--- a", "+++ b", row), "", lambda _: ""))
    assert "x" * 200 in text.replace("\n     ", "")
    assert "‹U+202E›‹U+001B›]0;t‹U+0007›end" in text.replace("\n     ", "")


def test_a_change_says_when_it_was_trusted() -> None:
    text = shown(Configured((), (), PATCH, "2026-11-02T10:00:00+00:00", lambda _: ""))
    assert "2026-11-02" in text
    assert "What has changed" in text


def test_no_row_is_wider_than_the_screen() -> None:
    asked = Configured(("a" * 500,), ("b c " * 90,), ("+" + "語" * 99,), "", lambda _: "")
    rows: list[Line] = [*configured_lines(asked, 40)]
    assert all(row.width <= 40 for row in rows)
