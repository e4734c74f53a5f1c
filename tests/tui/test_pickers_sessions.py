"""The list of sessions and the list of prompts: real logs in a folder."""

from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from msgspec import structs
from textual.pilot import Pilot

from qcode.protocol.errors import InputError, SessionError
from qcode.protocol.events import Rewound
from qcode.protocol.inputs import Rename, Rewind
from qcode.session.said import Said, said
from qcode.session.store import Store
from qcode.tui.home import Wanted
from qcode.tui.screens.rewind import Back, RewindTo
from qcode.tui.screens.sessions import Sessions
from qcode.tui.shelf import Shelf, when
from tests.session.histories import one_turn, started
from tests.tui.picking import SIZES, Below, seen, until, until_seen


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    folder = tmp_path / "acme"
    folder.mkdir()
    return Shelf(Store(tmp_path / "sessions"), folder)


def saved(shelf: Shelf, prompt: str, answer: str = "Done.", turns: int = 1) -> str:
    with shelf.store.create(shelf.folder) as log:
        session_id = log.path.stem
        log.append(structs.replace(started(), session_id=session_id, folder=str(shelf.folder)))
        for turn in range(1, turns + 1):
            for event in one_turn(turn, prompt if turn == 1 else f"step {turn}", answer):
                log.append(event)
    return session_id


def app_of(shelf: Shelf, words: str = "") -> Below:
    return Below(lambda paint: Sessions(shelf, paint, words))


async def at_hand(pilot: Pilot[None], title: str) -> None:
    await pilot.press(*title)
    await until_seen(pilot, title)


@pytest.mark.parametrize("size", SIZES)
async def test_a_session_is_found_and_opened(shelf: Shelf, size: tuple[int, int]) -> None:
    wanted = saved(shelf, "Mend the basket")
    saved(shelf, "Why is it slow?")
    app = app_of(shelf)
    async with app.run_test(size=size) as pilot:
        await until_seen(pilot, "Why is it slow?")
        await at_hand(pilot, "basket")
        await pilot.press("enter")
        assert app.answers == [Wanted(wanted)]


async def test_words_of_answers_are_found_below_their_session(shelf: Shelf) -> None:
    wanted = saved(shelf, "Mend the basket", "The pagination was rounded down.")
    saved(shelf, "Why is it slow?")
    app = app_of(shelf)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "Mend the basket")
        await pilot.press(*"pagination")
        await until_seen(pilot, "The pagination was rounded down.")
        await pilot.press("enter")
        assert app.answers == [Wanted(wanted)]


async def test_a_search_may_be_given_along(shelf: Shelf) -> None:
    wanted = saved(shelf, "Mend the basket", "The pagination was rounded down.")
    saved(shelf, "Why is it slow?")
    app = app_of(shelf, "pagination")
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "was rounded down.")
        await pilot.press("enter")
        assert app.answers == [Wanted(wanted)]


async def test_the_preview_shows_what_was_said_last(shelf: Shelf) -> None:
    saved(shelf, "Mend the basket", "It is mended.", turns=9)
    app = app_of(shelf)
    async with app.run_test(size=(120, 40)) as pilot:
        await until_seen(pilot, "step 9")
        rows = "\n".join(seen(app))
        assert "3 earlier" in rows
        assert "It is mended." in rows
        assert "step 3\n" not in rows


async def test_a_fork_is_asked_of_whoever_opens(shelf: Shelf) -> None:
    wanted = saved(shelf, "Mend the basket")
    app = app_of(shelf)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "Mend the basket")
        await pilot.press("ctrl+f")
        assert app.answers == [Wanted(wanted, fork=True)]


async def test_a_session_gets_a_name(shelf: Shelf) -> None:
    session_id = saved(shelf, "Mend the basket")
    app = app_of(shelf)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "Mend the basket")
        await pilot.press("ctrl+r")
        await until_seen(pilot, "new name:")
        await pilot.press(*"Cart", "enter")
        await until(pilot, lambda: any(row.strip().startswith("❯ Cart") for row in seen(app)))
        assert shelf.store.list()[0].name == "Cart"
        await pilot.press("ctrl+r", "escape")
        await until(pilot, lambda: "new name" not in "\n".join(seen(app)))
        assert app.answers == []
    assert shelf.store.find("Cart") == session_id


async def test_the_open_session_is_renamed_by_the_engine(shelf: Shelf) -> None:
    session_id = saved(shelf, "Mend the basket")
    app = app_of(opened(shelf, session_id))
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "● Mend the basket")
        await pilot.press("ctrl+r", *"Cart", "enter")
        assert app.answers == [Rename("Cart")]


def opened(shelf: Shelf, current: str) -> Shelf:
    return Shelf(shelf.store, shelf.folder, current)


async def test_nothing_is_deleted_unasked(shelf: Shelf) -> None:
    saved(shelf, "Mend the basket")
    kept = saved(shelf, "Why is it slow?")
    app = app_of(shelf)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "Mend the basket")
        await pilot.press("down", "ctrl+d")
        await until_seen(pilot, "for good?")
        await pilot.press("n")
        assert len(shelf.store.list()) == 2
        await pilot.press("ctrl+d", "y")
        await until(pilot, lambda: not any("Mend" in row for row in seen(app)))
    assert [one.id for one in shelf.store.list()] == [kept]


async def test_a_session_in_use_stays_and_says_so(shelf: Shelf) -> None:
    session_id = saved(shelf, "Mend the basket")
    with shelf.store.resume(session_id).log:
        app = app_of(shelf)
        async with app.run_test(size=(80, 24)) as pilot:
            await until_seen(pilot, "Mend the basket")
            await pilot.press("ctrl+d", "y")
            await until(pilot, lambda: "in use" in seen(app)[-1] or "open" in seen(app)[-1])
    assert len(shelf.store.list()) == 1


@pytest.mark.parametrize(("key", "end"), [("m", ".md"), ("h", ".html"), ("j", ".json")])
async def test_a_session_is_exported_into_the_folder(shelf: Shelf, key: str, end: str) -> None:
    session_id = saved(shelf, "Mend the basket")
    app = app_of(shelf)
    async with app.run_test(size=(120, 40)) as pilot:
        await until_seen(pilot, "Mend the basket")
        await pilot.press("ctrl+e", key)
        await until(pilot, lambda: "Written to" in seen(app)[-1])
    (path,) = shelf.folder.iterdir()
    assert path.name == f"qcode-{session_id}{end}"
    assert "Mend the basket" in path.read_text(encoding="utf-8")


async def test_other_folders_are_a_key_away(shelf: Shelf, tmp_path: Path) -> None:
    saved(shelf, "Mend the basket")
    other = Shelf(shelf.store, tmp_path / "other")
    app = app_of(other)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "There are no sessions of this folder yet.")
        await pilot.press("ctrl+a")
        await until_seen(pilot, "Mend the basket")
        assert any("acme" in row for row in seen(app))


async def test_titles_of_models_and_tools_draw_nothing_of_their_own(shelf: Shelf) -> None:
    saved(shelf, "\x1b[31mred\x1b]0;owned\x07 \u202egnp.exe", "\x1b[2Jgone")
    app = app_of(shelf)
    async with app.run_test(size=(120, 40)) as pilot:
        await until_seen(pilot, "gone")
        rows = "\n".join(seen(app))
        assert "\x1b" not in rows
        assert "\u202e" not in rows


def test_an_export_overwrites_nothing(shelf: Shelf) -> None:
    session_id = saved(shelf, "Mend the basket")
    names = [shelf.export(session_id, "markdown").name for _ in range(3)]
    assert len(set(names)) == 3
    (shelf.folder / "mine.json").write_text("mine")
    with pytest.raises(InputError, match="is there already"):
        shelf.export(session_id, "mine.json")
    assert (shelf.folder / "mine.json").read_text() == "mine"
    assert msgspec.json.decode(shelf.export(session_id, "other.json").read_bytes())
    with pytest.raises(InputError, match=r"end it in \.md"):
        shelf.export(session_id, "notes.txt")
    with pytest.raises(InputError, match="cannot be written"):
        shelf.export(session_id, "missing/notes.md")


def test_a_session_that_is_gone_is_a_sentence(shelf: Shelf) -> None:
    with pytest.raises(SessionError, match="There is no session"):
        shelf.preview("20260101-0000-aaaa", 40)


def test_moments_are_said_as_people_say_them() -> None:
    now = datetime.now(UTC).astimezone().replace(year=2026, month=5, day=14, hour=18, minute=0)
    at = now.replace(hour=14, minute=5)
    assert when(at.isoformat(), now) == "14:05"
    assert when(at.replace(day=13).isoformat(), now) == "Wed 14:05"
    assert when(at.replace(day=3).isoformat(), now) == "3 May"
    assert when(at.replace(year=2025, day=3).isoformat(), now) == "3 May 2025"
    assert when("long ago", now) == "long ago"


TURNS = [Said(at, f"prompt {at}", f"answer {at}") for at in (1, 2, 3)]


async def test_rewinding_begins_at_the_last_prompt_and_gives_its_words_back() -> None:
    app = Below(lambda paint: RewindTo(TURNS, paint))
    async with app.run_test(size=(60, 20)) as pilot:
        await pilot.press("enter")
        assert app.answers == [Back(Rewind(3), "prompt 3")]


async def test_rewinding_further_back() -> None:
    app = Below(lambda paint: RewindTo(TURNS, paint))
    async with app.run_test(size=(60, 20)) as pilot:
        await pilot.press("up", "up", "ctrl+f", "enter")
        assert app.answers == [Back(Rewind(1), "prompt 1")]


@pytest.mark.parametrize(
    ("key", "given"),
    [
        ("c", Back(Rewind(3), "prompt 3")),
        ("f", Back(Rewind(3, "files"), "")),
        ("b", Back(Rewind(3, "both"), "prompt 3")),
    ],
)
async def test_where_files_were_kept_it_is_asked_what_goes_back(key: str, given: Back) -> None:
    app = Below(lambda paint: RewindTo(TURNS, paint, files="can go back"))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("enter", "x")
        assert app.answers == []
        await pilot.press("enter")
        await until_seen(pilot, "put back:")
        await pilot.press(key)
        assert app.answers == [given]


async def test_a_copy_goes_back_and_the_session_stays() -> None:
    app = Below(lambda paint: RewindTo(TURNS, paint, session_id="one"))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("up", "ctrl+f")
        assert app.answers == [Back(Wanted("one", fork=True, before_turn=2), "prompt 2")]


def test_turns_that_were_rewound_are_not_among_what_was_said() -> None:
    events = [started(), *one_turn(1, "one", "a"), *one_turn(2, "two", "b"), Rewound(2)]
    events += one_turn(3, "three", "c")
    assert said(events) == (Said(1, "one", "a"), Said(3, "three", "c"))
