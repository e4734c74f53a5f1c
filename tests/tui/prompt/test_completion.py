"""Files and commands are offered while they are typed."""

import asyncio
from pathlib import Path

from textual import events
from textual.pilot import Pilot

from qcode.tui.prompt import messages
from qcode.tui.prompt.field import Field
from qcode.tui.prompt.strip import Strip
from qcode.workspace.fuzzy import Found
from tests.tui.prompt.room import Room


def shown(app: Room) -> list[str]:
    strip = app.query_one(Strip)
    return [strip.render_line(y).text.strip() for y in range(strip.size.height)]


async def until_shown(app: Room, pilot: Pilot[None], text: str) -> list[str]:
    async with asyncio.timeout(10):
        while not any(text in row for row in shown(app)):
            await pilot.pause(0.01)
    return shown(app)


def files(folder: Path) -> Path:
    for path in ("src/app/pages.py", "src/app/api.py", "tests/test_pages.py", "my notes.md"):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text("", encoding="utf-8")
    (folder / ".gitignore").write_text(".state/\n", encoding="utf-8")
    return folder


async def test_a_file_is_completed_by_a_few_letters(tmp_path: Path) -> None:
    app = Room(files(tmp_path))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press(*"fix @pages")
        rows = await until_shown(app, pilot, "src/app/pages.py")
        assert rows == ["src/app/pages.py", "tests/test_pages.py"]
        await pilot.press("down", "tab")
        assert app.box.text == "fix @tests/test_pages.py "
        assert shown(app) == []
        await pilot.press("enter")
        assert app.heard == [
            messages.Submitted("fix @tests/test_pages.py", (), "fix @tests/test_pages.py ")
        ]


async def test_the_chosen_row_stays_chosen_where_a_better_answer_comes(tmp_path: Path) -> None:
    app = Room(files(tmp_path))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press(*"@pages")
        await until_shown(app, pilot, "src/app/pages.py")
        await pilot.press("down")
        better = ("pages.py", "src/app/pages.py", "tests/test_pages.py")
        app.box._completer._found([Found(path) for path in better])
        await until_shown(app, pilot, "tests/test_pages.py")
        await pilot.press("tab")
        assert app.box.text == "@tests/test_pages.py "


async def test_a_folder_leads_on_into_it(tmp_path: Path) -> None:
    app = Room(files(tmp_path))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press(*"@app")
        await until_shown(app, pilot, "src/app/")
        await pilot.press("enter")
        assert app.box.text == "@src/app/"
        await until_shown(app, pilot, "api.py")


async def test_a_name_with_blanks_is_quoted(tmp_path: Path) -> None:
    app = Room(files(tmp_path))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press(*"@notes")
        await until_shown(app, pilot, "my notes.md")
        await pilot.press("tab")
        assert app.box.text == '@"my notes.md" '


async def test_escape_closes_it_for_that_word_and_the_text_stays(tmp_path: Path) -> None:
    app = Room(files(tmp_path))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press(*"@pag")
        await until_shown(app, pilot, "pages")
        await pilot.press("escape", *"es")
        await pilot.pause(0.1)
        assert shown(app) == []
        assert app.box.text == "@pages"
        await pilot.press(*" @api")
        await until_shown(app, pilot, "api.py")


async def test_it_takes_room_only_while_it_is_open_and_at_most_eight_rows(tmp_path: Path) -> None:
    for number in range(30):
        (tmp_path / f"file_{number}.py").write_text("", encoding="utf-8")
    app = Room(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press(*"@file")
        await until_shown(app, pilot, "file_")
        assert app.box.size.height == 1 + 8
        await pilot.press(*["down"] * 12)
        assert app.query_one(Strip).size.height == 8
        await pilot.press("escape")
        await pilot.pause()
        assert app.box.size.height == 1


async def test_commands_are_offered_with_their_help(tmp_path: Path) -> None:
    app = Room(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press(*"/mo")
        rows = await until_shown(app, pilot, "/model [name]")
        assert len(rows) == 2
        assert "another model" in rows[0]
        await pilot.press("tab", *"qwen", "enter")
        assert app.heard == [messages.CommandWanted("model", "qwen")]


async def test_enter_on_a_command_without_argument_runs_it(tmp_path: Path) -> None:
    app = Room(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press(*"/he")
        await until_shown(app, pilot, "/help")
        await pilot.press("enter")
        assert app.heard == [messages.CommandWanted("help", "")]
        assert app.box.text == ""


async def test_a_name_in_full_is_that_command_whatever_begins_with_it(tmp_path: Path) -> None:
    app = Room(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press(*"/mode")
        rows = await until_shown(app, pilot, "/model [name]")
        assert rows[0].startswith("/mode ")
        await pilot.press("enter")
        assert app.heard == [messages.CommandWanted("mode", "")]


async def test_tab_completes_also_while_a_turn_runs(tmp_path: Path) -> None:
    app = Room(files(tmp_path))
    async with app.run_test(size=(80, 24)) as pilot:
        app.box.turn = "running"
        await pilot.press(*"see @api")
        await until_shown(app, pilot, "api.py")
        await pilot.press("tab", "tab")
        assert app.heard == [messages.Queued("see @src/app/api.py", (), "see @src/app/api.py ")]


async def test_an_earlier_command_is_not_completed_again(tmp_path: Path) -> None:
    app = Room(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press(*"first", "enter", *"/model x", "enter", "up")
        assert app.box.text == "/model x"
        await pilot.press("up")
        assert app.box.text == "first"


async def test_lines_behind_a_file_close_the_completion(tmp_path: Path) -> None:
    app = Room(files(tmp_path))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press(*"@src/app/api.py")
        await until_shown(app, pilot, "api.py")
        await pilot.press(*":10-40")
        await pilot.pause()
        assert shown(app) == []
        await pilot.press("enter")
        assert [type(told) for told in app.heard] == [messages.Submitted]


async def test_a_command_typed_in_one_burst_is_the_one_that_runs(tmp_path: Path) -> None:
    """The keys come before any news that the text has changed."""
    app = Room(files(tmp_path))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("/")
        await until_shown(app, pilot, "/help")
        for letter in "compact":
            app.box.query_one(Field).post_message(events.Key(letter, letter))
        app.box.query_one(Field).post_message(events.Key("enter", "\r"))
        await pilot.pause()
        assert app.heard == [messages.CommandWanted("compact", "")]
