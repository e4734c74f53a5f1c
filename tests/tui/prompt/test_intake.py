"""Pastes, pictures, clipboard, search, vim keys, drafts, the editor: as the person meets them."""

import asyncio
import os
import sys
from pathlib import Path

import pytest
from textual import events

from qcode.protocol.errors import InputError
from qcode.tui.prompt import messages, pictures
from qcode.tui.prompt.editor import editor
from qcode.tui.prompt.writing import Writing
from tests.tui.prompt.room import Room

PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)
posix = pytest.mark.skipif(sys.platform != "linux", reason="the tools are those of Linux")


def picture(folder: Path, name: str = "shot.png") -> Path:
    path = folder / name
    path.write_bytes(PNG)
    return path


def script(folder: Path, name: str, body: str) -> Path:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


async def test_a_long_paste_is_a_token_that_is_sent_whole_and_deleted_whole(tmp_path: Path) -> None:
    app = Room(tmp_path)
    long = "\n".join(f"line {number}" for number in range(42))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press(*"see ")
        app.post_message(events.Paste(long.replace("\n", "\r\n") + "\x1b[31m"))
        await pilot.pause()
        assert app.box.text == "see [pasted #1: 42 lines]"
        await pilot.press("backspace")
        assert app.box.text == "see "
        await pilot.press("ctrl+underscore", "enter")
        assert app.heard == [
            messages.Submitted(f"see {long}", (), "see [pasted #1: 42 lines]"),
        ]
        await pilot.press("up")
        assert app.box.writing.expanded() == f"see {long}"


async def test_a_dragged_picture_is_attached_and_sent(tmp_path: Path) -> None:
    app = Room(tmp_path)
    path = picture(tmp_path, "my shot.png")
    async with app.run_test(size=(80, 24)) as pilot:
        app.post_message(events.Paste(f"'{path}'"))
        await pilot.pause()
        await app.quiet()
        assert app.box.text == "[image #1: my shot.png] "
        await pilot.press(*"what", "enter")
        await app.quiet()
        await pilot.pause()
        [sent] = app.heard
        assert isinstance(sent, messages.Submitted)
        assert sent.text == "[image #1: my shot.png] what"
        assert [one.media_type for one in sent.pictures] == ["image/png"]


async def test_enter_waits_for_a_picture_that_is_still_looked_at(tmp_path: Path) -> None:
    app = Room(tmp_path)
    path = picture(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        app.post_message(events.Paste(str(path)))
        app.post_message(events.Key("enter", "\r"))
        async with asyncio.timeout(10):
            while not app.heard:
                await pilot.pause(0.01)
        [sent] = app.heard
        assert isinstance(sent, messages.Submitted)
        assert len(sent.pictures) == 1


async def test_what_is_named_like_a_picture_and_is_none_stays_text(tmp_path: Path) -> None:
    app = Room(tmp_path)
    (tmp_path / "fake.png").write_text("no picture", encoding="utf-8")
    async with app.run_test(size=(80, 24)) as pilot:
        for name in ("fake.png", "absent.png"):
            app.post_message(events.Paste(f"{tmp_path}/{name}"))
            await pilot.pause()
            await app.quiet()
            assert app.box.text == f"{tmp_path}/{name}"
            app.box.clear()


async def test_a_picture_that_is_named_in_the_text_goes_along(tmp_path: Path) -> None:
    app = Room(tmp_path)
    picture(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        app.box.turn = "running"
        app.box.write("see @shot.png and @absent.png")
        await pilot.press("enter")
        await app.quiet()
        await pilot.pause()
        [sent] = app.heard
        assert isinstance(sent, messages.Queued)  # words alone could steer
        assert len(sent.pictures) == 1


async def test_a_picture_that_is_gone_keeps_the_prompt_and_says_so(tmp_path: Path) -> None:
    app = Room(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        app.box.write(Writing("[image #1: a.png] look", {}, {1: str(tmp_path / "a.png")}))
        await pilot.press("enter")
        await app.quiet()
        await pilot.pause()
        assert [type(told) for told in app.heard] == [messages.Said]
        assert app.box.text == "[image #1: a.png] look"


@posix
async def test_the_clipboard_gives_its_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = picture(tmp_path, "clip.png")
    script(tmp_path, "wl-paste", f"cat {source}")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    app = Room(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("ctrl+v")
        await app.quiet()
        assert app.box.text.startswith("[image #1: clipboard-")
        [kept] = (tmp_path / ".state" / "pictures").iterdir()
        assert kept.read_bytes() == PNG
        assert kept.stat().st_mode & 0o777 == 0o600


@posix
@pytest.mark.parametrize("body", ["exit 1", "echo words"])
def test_a_clipboard_without_picture_is_said(tmp_path: Path, body: str) -> None:
    script(tmp_path, "xclip", body)
    environ = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "DISPLAY": ":0"}
    (tmp_path / "p").mkdir()
    os.environ["PATH"], before = environ["PATH"], os.environ["PATH"]
    try:
        with pytest.raises(InputError, match="no picture"):
            pictures.from_clipboard(tmp_path / "p", environ)
    finally:
        os.environ["PATH"] = before
    assert list((tmp_path / "p").iterdir()) == []


@posix
def test_without_a_tool_there_is_a_sentence_that_names_one(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="xclip"):
        pictures.from_clipboard(tmp_path / "p", {"PATH": str(tmp_path)})


async def test_search_shows_matches_takes_one_or_goes_back(tmp_path: Path) -> None:
    app = Room(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        for text in ("fix pages", "run tests", "fix api"):
            await pilot.press(*text, "enter")
        await pilot.press(*"draft", "ctrl+r", *"fix")
        assert app.box.text == "fix api"
        await pilot.press("ctrl+r")
        assert app.box.text == "fix pages"
        await pilot.press("escape")
        assert app.box.text == "draft"
        await pilot.press("ctrl+r", *"tests", "enter")
        assert app.box.text == "run tests"
        assert len(app.heard) == 3


async def test_escape_is_the_prompts_with_vim_keys(tmp_path: Path) -> None:
    app = Room(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        app.box.use_vim("on")
        await pilot.press(*"one two", "escape", "b", "x")
        assert (app.box.text, str(app.box.vim)) == ("one wo", "normal")
        await pilot.press("0", "c", "w", *"six", "enter")
        assert app.heard == [messages.Submitted("six wo", (), "six wo")]
        assert str(app.box.vim) == "insert"
        await pilot.press("escape", "k")
        assert app.box.text == "six wo"


async def test_a_draft_of_a_crash_is_offered_at_the_next_start(tmp_path: Path) -> None:
    app = Room(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press(*"unsent")
        await pilot.pause(0.7)
    [kept] = (tmp_path / ".state" / "drafts").iterdir()
    kept.rename(kept.with_name(kept.name.replace(f".{os.getpid()}.", ".99999999.")))
    again = Room(tmp_path)
    async with again.run_test(size=(80, 24)) as pilot:
        await again.quiet()
        await pilot.pause()
        assert again.box.text == "unsent"
        assert [type(told) for told in again.heard] == [messages.Said]
        await pilot.press("enter")
    assert list((tmp_path / ".state" / "drafts").iterdir()) == []


def test_the_editor_is_the_persons(tmp_path: Path) -> None:
    assert editor({"VISUAL": "code --wait", "EDITOR": "vi"}) == ["code", "--wait"]
    assert editor({"EDITOR": "'/my editor/ed' -x"}) == ["/my editor/ed", "-x"]
    with pytest.raises(InputError, match="VISUAL"):
        editor({"PATH": str(tmp_path)})


async def test_a_terminal_that_cannot_be_handed_over_is_said(tmp_path: Path) -> None:
    app = Room(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press(*"text", "ctrl+g")
        await app.quiet()
        await pilot.pause()
        assert [type(told) for told in app.heard] == [messages.Said]
        assert app.box.text == "text"


async def test_what_vims_visual_mode_marks_is_selected_and_goes(tmp_path: Path) -> None:
    app = Room(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        app.box.use_vim("on")
        await pilot.press(*"one two six", "escape", "0", "v", "e")
        assert (str(app.box.vim), app.box.selected_text) == (
            "visual",
            "on",
        )  # the cursor is on the e
        await pilot.press("d", "full_stop")
        assert (app.box.text, str(app.box.vim)) == ("o six", "normal")
        await pilot.press("V", "escape", "u", "u")
        assert app.box.text == "one two six"
