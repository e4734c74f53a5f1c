"""What is typed, and what becomes of it."""

from pathlib import Path

from textual import events

from qcode.tui.prompt import messages
from tests.tui.prompt.room import Room
from tests.tui.until import until


async def test_enter_sends_and_empties(tmp_path: Path) -> None:
    app = Room(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press(*"hello", "enter")
        assert app.heard == [messages.Submitted("hello", (), "hello")]
        assert app.box.text == ""


async def test_keys_that_come_at_once_are_answered_in_their_order(tmp_path: Path) -> None:
    app = Room(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        for key in ("a", "b", "backspace", "c", "left", "d", "enter", "e", "up", "f"):
            app.post_message(events.Key(key, key if len(key) == 1 else None))
        await pilot.pause()
        assert app.heard == [messages.Submitted("adc", (), "adc")]
        assert app.box.text == "adcf"


async def test_other_enters_and_a_backslash_make_a_new_line(tmp_path: Path) -> None:
    app = Room(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("a", "shift+enter", "b", "alt+enter", "c", "ctrl+j", "d", "\\", "enter")
        assert app.box.text == "a\nb\nc\nd\n"
        assert app.heard == []


async def test_it_grows_to_a_third_of_the_screen(tmp_path: Path) -> None:
    app = Room(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        assert app.box.size.height == 1
        await pilot.press("a", "ctrl+j", "b")
        assert app.box.size.height == 2
        await pilot.press(*["ctrl+j"] * 20)
        assert app.box.size.height == 24 // 3


async def test_while_a_turn_runs_enter_steers_and_tab_queues(tmp_path: Path) -> None:
    app = Room(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        app.box.turn = "running"
        await pilot.press(*"go", "enter", *"then", "tab")
        assert app.heard == [messages.Steered("go", "go"), messages.Queued("then", (), "then")]


async def test_commands_and_shell(tmp_path: Path) -> None:
    app = Room(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        app.box.write("/model qwen")
        await pilot.press("enter")
        app.box.write("!ls")
        await pilot.press("enter")
        app.box.write("!!pytest -q")
        await pilot.press("enter")
        assert app.heard == [
            messages.CommandWanted("model", "qwen"),
            messages.ShellWanted("ls", "keep"),
            messages.ShellWanted("pytest -q", "tell"),
        ]


async def test_an_unknown_command_stays_and_is_told(tmp_path: Path) -> None:
    app = Room(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        app.box.write("/nope")
        await pilot.press("enter")
        assert app.box.text == "/nope"
        [said] = app.heard
        assert isinstance(said, messages.Said)
        assert "/nope" in said.text


async def test_up_and_down_walk_through_earlier_prompts_and_back(tmp_path: Path) -> None:
    app = Room(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press(*"one", "enter", *"two", "enter", *"unsent", "up")
        assert app.box.text == "two"
        await pilot.press("up", "up")
        assert app.box.text == "one"
        await pilot.press("down", "down", "down")
        assert app.box.text == "unsent"


async def test_another_start_knows_the_earlier_prompts(tmp_path: Path) -> None:
    app = Room(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press(*"kept", "enter", "space", *"secret", "enter")
    again = Room(tmp_path)
    async with again.run_test(size=(80, 24)) as pilot:
        await again.workers.wait_for_complete()
        await pilot.press("up")
        assert again.box.text == "kept"


async def test_clearing_is_told_once_and_can_be_undone(tmp_path: Path) -> None:
    app = Room(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press(*"draft")
        app.box.clear()
        await pilot.pause()
        assert [type(told) for told in app.heard] == [messages.Emptied]
        await pilot.press("ctrl+underscore")
        assert app.box.text == "draft"


async def test_a_draft_that_was_cleared_just_before_the_end_does_not_come_back(
    tmp_path: Path,
) -> None:
    app = Room(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press(*"draft")
        await until(lambda: list(tmp_path.glob(".state/drafts/*.json")))
        app.box.clear()
        await pilot.pause()
    assert not list(tmp_path.glob(".state/drafts/*.json"))
