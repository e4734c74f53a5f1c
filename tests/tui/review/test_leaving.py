"""Ways out of a review, and what becomes of what was decided."""

from collections.abc import Callable

import pytest
from textual.widgets import Input

from qcode.tui.picker.frame import Sheet
from qcode.tui.review.help import KeysScreen
from qcode.tui.review.outcome import Deeds
from qcode.tui.review_app import ReviewApp
from qcode.tui.screens.page import Page
from qcode.tui.screens.pickers import About, Picker
from qcode.workspace.gitactions import Done
from tests.tui.picking import Below
from tests.tui.review.test_screen import files, press, shown, text


async def nothing(*_: object) -> Done:
    raise AssertionError("nothing is carried out here")


GIT = Deeds(rewrite=nothing, drops="take back")


@pytest.mark.parametrize("key", ["escape", "q", "ctrl+c"])
async def test_decisions_about_git_are_not_left_without_a_question(key: str) -> None:
    async with shown(files(), deeds=GIT) as pilot:
        await press(pilot, "r", "a", key)
        assert "2 decisions not carried out" in text(pilot)
        assert pilot.app.is_running
        await press(pilot, "n")
        assert "not carried out" not in text(pilot)
        await press(pilot, key)
        assert pilot.app.is_running
        await press(pilot, key)
        assert not pilot.app.is_running
    assert pilot.app.return_value is None


async def test_a_review_without_decisions_is_left_at_once() -> None:
    async with shown(files(), deeds=GIT) as pilot:
        await press(pilot, "n", "escape")
        assert not pilot.app.is_running


async def test_ctrl_c_interrupts_the_turn_and_leaves_the_review_alone() -> None:
    app = ReviewApp(files(), GIT, None, "true")
    interrupted: list[str] = []

    def interrupt() -> bool:
        interrupted.append("yes")
        return True

    app.reviewing._interrupt = interrupt
    async with app.run_test() as pilot:
        await press(pilot, "ctrl+c")
        await press(pilot, "c", "w", "ctrl+c")
        assert interrupted == ["yes", "yes"]
        assert app.is_running
        assert app.screen.query_one(Input).value == "w"


async def test_ctrl_c_copies_what_is_selected_in_a_comment() -> None:
    async with shown(files(), deeds=GIT) as pilot:
        await press(pilot, "c", *"why", "shift+home", "ctrl+c")
        assert pilot.app.clipboard == "why"
        assert pilot.app.is_running


class Suspended(Below):
    """Counts what would send it to the background."""

    count = 0

    def action_suspend_process(self) -> None:
        self.count += 1


@pytest.mark.parametrize("make", [Page, Picker, KeysScreen])
async def test_ctrl_z_works_on_every_screen(make: type) -> None:
    made: dict[type, Callable[..., object]] = {
        Page: lambda paint: Page(paint, "page", lambda _: ()),
        Picker: lambda paint: Picker(About(Sheet("list"), []), paint),
        KeysScreen: lambda paint: KeysScreen((), paint),
    }
    app = Suspended(made[make])  # type: ignore[arg-type] # each is a screen
    async with app.run_test() as pilot:
        await pilot.press("ctrl+z")
        assert app.count == 1


async def test_ctrl_z_works_in_a_review() -> None:
    class Reviewed(ReviewApp):
        count = 0

        def action_suspend_process(self) -> None:
            self.count += 1

    app = Reviewed(files(), Deeds(), None, "true")
    async with app.run_test() as pilot:
        await press(pilot, "ctrl+z")
        assert app.count == 1
