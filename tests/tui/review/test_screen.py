"""The review screen under the fingers, at 80 and at 120 columns, and on real repositories."""

import shutil
import subprocess
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual import events
from textual.pilot import Pilot
from textual.widgets import Input

from qcode.protocol.inputs import HunkReply
from qcode.tui.palette import Depth
from qcode.tui.review.deeds import of_proposal, of_repository
from qcode.tui.review.outcome import Deeds, ReviewOutcome
from qcode.tui.review.state import ReviewState
from qcode.tui.review.view import Column, HunkEditor, PageView
from qcode.tui.review_app import ReviewApp
from qcode.workspace.diff import unified
from qcode.workspace.gitdiff import Asked, file_changes
from qcode.workspace.patches import FileChange, between, proposed
from qcode.workspace.review import Choice, merged, result
from tests.tui.until import until

SIZES = [(80, 24), (120, 40)]
OLD = "".join(f"line {number}\n" for number in range(60))
NEW = OLD.replace("line 10\n", "ten\n").replace("line 30\n", "30\nmore\n").replace("line 50\n", "")


def files() -> list[FileChange]:
    patch = unified(OLD, NEW, "src/a.py")
    return [proposed("src/a.py", patch), between("b.txt", None, "new\n")]


Reviewing = Pilot[ReviewOutcome | None]


@asynccontextmanager
async def shown(
    changes: Sequence[FileChange], size: tuple[int, int] = (80, 24), deeds: Deeds | None = None
) -> AsyncIterator[Reviewing]:
    app = ReviewApp(changes, deeds or Deeds(), None, "true")
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        yield pilot


def state(pilot: Reviewing) -> ReviewState:
    app = pilot.app
    assert isinstance(app, ReviewApp)
    return app.reviewing.state


def text(pilot: Reviewing) -> str:
    """The screen as one reads it."""
    width, height = pilot.app.size
    lines = pilot.app.screen._compositor.render_strips()
    assert len(lines) == height
    return "\n".join(line.text.ljust(width).rstrip() for line in lines)


async def press(pilot: Reviewing, *keys: str) -> None:
    await pilot.press(*keys)
    await pilot.app.workers.wait_for_complete()
    await pilot.pause()


@pytest.mark.parametrize("size", SIZES)
async def test_a_whole_review_by_keys(size: tuple[int, int]) -> None:
    async with shown(files(), size) as pilot:
        assert "2 files   4 hunks   4 left" in text(pilot)
        await press(pilot, "a", "c", *"why", "enter", "r")
        assert state(pilot).mark(0) == "keep"
        assert state(pilot).mark(1) == "drop"
        await press(pilot, "A", "n", "p", "enter")
    assert pilot.app.return_value == ReviewOutcome(
        (
            HunkReply(0, "keep"),
            HunkReply(1, "drop", "", "why"),
            HunkReply(2, "keep"),
            HunkReply(3, "keep"),
        ),
        "src/a.py lines 31-32: why",
    )


def foot(pilot: Reviewing) -> str:
    return text(pilot).split("\n")[-1]


@pytest.mark.parametrize("title", ["review", "review before it is applied", "review since main"])
async def test_the_head_is_not_cut_at_60_columns(title: str) -> None:
    async with shown(files(), (60, 20), Deeds(title)) as pilot:
        await press(pilot, "a", "r", "e", "x", "ctrl+s")
        head = text(pilot).split("\n")[0]
        assert "1 accepted · 1 edited · 1 refused · 1 left" in head
        assert head.endswith("? keys")
        assert "…" not in head


async def test_a_hunk_says_what_was_decided_about_it() -> None:
    async with shown(files(), (80, 50)) as pilot:
        await press(pilot, "a", "r", "e", "x", "ctrl+s", "[")
        heads = [row.split()[-1] for row in text(pilot).split("\n") if "@@" in row]
        assert heads == ["accepted", "refused", "edited"]


async def test_a_scroll_bar_is_no_sign_beside_a_row() -> None:
    async with shown(files(), (60, 20)) as pilot:
        for _ in range(3):
            assert not set(text(pilot)) & set("▁▂▃▄▅▆▇")
            await press(pilot, "n")


async def test_enter_asks_once_about_what_nobody_decided() -> None:
    async with shown(files(), (60, 20)) as pilot:
        assert foot(pilot).endswith("⏎ apply all 4")
        await press(pilot, "a")
        assert foot(pilot).endswith("⏎ apply 1, 3 undecided")
        await press(pilot, "enter")
        assert foot(pilot) == " 3 undecided: ⏎ keep them too   r refuse them   esc back"
        await press(pilot, "n", "a", "e", "c", "R", "u")
        assert state(pilot).choices == {0: Choice("keep")}
        await press(pilot, "escape")
        assert foot(pilot).endswith("⏎ apply 1, 3 undecided")
        await press(pilot, "enter", "enter")
    assert pilot.app.return_value is not None
    assert [one.choice for one in pilot.app.return_value.hunks] == ["keep"] * 4


async def test_what_nobody_decided_is_refused_by_one_key() -> None:
    async with shown(files()) as pilot:
        await press(pilot, "a", "enter", "r")
    assert pilot.app.return_value is not None
    assert [one.choice for one in pilot.app.return_value.hunks] == ["keep", *["drop"] * 3]


@pytest.mark.parametrize("keys", [("enter",), ("a", "r", "A", "enter")])
async def test_enter_asks_nothing_of_who_decided_nothing_or_all(keys: tuple[str, ...]) -> None:
    async with shown(files()) as pilot:
        await press(pilot, *keys)
    assert pilot.app.return_value is not None
    assert len(pilot.app.return_value.hunks) == 4


@pytest.mark.parametrize("size", SIZES)
async def test_moving_between_hunks_and_files(size: tuple[int, int]) -> None:
    async with shown(files(), size) as pilot:
        await press(pilot, "n", "n")
        assert state(pilot).cursor == 2
        assert "line 50" in text(pilot)
        await press(pilot, "n")
        assert "+ new" in text(pilot)
        await press(pilot, "left_square_bracket")
        assert state(pilot).cursor == 0
        await press(pilot, "right_square_bracket", "p")
        assert state(pilot).cursor == 2
        await press(pilot, "k", "j", "up", "down", "space", "b")
        assert state(pilot).cursor == 2


@pytest.mark.parametrize("size", SIZES)
async def test_a_hunk_is_edited_in_place(size: tuple[int, int]) -> None:
    async with shown(files(), size) as pilot:
        await press(pilot, "n", "e")
        editor = pilot.app.screen.query_one(HunkEditor)
        assert editor.text == "30\nmore"
        assert editor.line_number_start == 31
        assert "line 29" in text(pilot)
        await press(pilot, "x", "ctrl+s")
        assert state(pilot).choices[1] == Choice("edited", "x30\nmore\n")
        assert state(pilot).cursor == 2
        await press(pilot, "p")
        assert "+ x30" in text(pilot)
        await press(pilot, "A", "enter")
    assert pilot.app.return_value is not None
    assert pilot.app.return_value.hunks[1] == HunkReply(1, "edited", "x30\nmore\n")


@pytest.mark.parametrize("last", ["ctrl+s", "escape"])
async def test_keys_that_come_in_one_read_keep_their_order(last: str) -> None:
    """A terminal over a slow line hands over words and the key behind them at once."""
    async with shown(files()) as pilot:
        await press(pilot, "e")
        for sign in "quick":
            pilot.app.post_message(events.Key(sign, sign))
        pilot.app.post_message(events.Key(last, None))
        view = pilot.app.screen.query_one(PageView)
        while pilot.app.screen.focused is not view:
            await pilot.pause(0.01)
        if last == "ctrl+s":
            assert state(pilot).choices[0] == Choice("edited", "quickten\n")
            await press(pilot, "p")
            assert "+ quickten" in text(pilot)
        else:
            await press(pilot, "e")
            assert pilot.app.screen.query_one(HunkEditor).text == "quickten"


@pytest.mark.parametrize("size", SIZES)
async def test_the_lines_of_the_person_are_drawn_without_another_key(size: tuple[int, int]) -> None:
    async with shown(files()[1:], size) as pilot:
        await press(pilot, "e")
        for key in ("x", "ctrl+s"):
            pilot.app.post_message(events.Key(key, key if key == "x" else None))
        view = pilot.app.screen.query_one(PageView)
        while pilot.app.screen.focused is not view:
            await pilot.pause(0.01)
        await pilot.pause(0.1)
        assert "1 edited" in text(pilot)
        assert "+ xnew" in text(pilot)


async def test_the_editor_has_no_row_below_the_last_line() -> None:
    new = between("a.txt", "a\n", "a\n\nb\n")
    async with shown([new, between("b.txt", "a", "b")]) as pilot:
        await press(pilot, "e")
        editor = pilot.app.screen.query_one(HunkEditor)
        assert editor.text == "\nb"
        await press(pilot, "ctrl+s", "e")
        assert state(pilot).choices[0] == Choice("edited", "\nb\n")
        assert editor.text == "b"
        await press(pilot, "x", "ctrl+s")
        assert state(pilot).choices[1] == Choice("edited", "xb")


async def test_all_lines_of_a_hunk_can_be_deleted() -> None:
    async with shown(files()) as pilot:
        await press(pilot, "n", "e")
        editor = pilot.app.screen.query_one(HunkEditor)
        editor.select_all()
        await press(pilot, "delete", "ctrl+s")
        assert state(pilot).choices[1] == Choice("edited", "")


async def test_the_keys_at_the_foot_are_those_that_work() -> None:
    async with shown(files()) as pilot:
        await press(pilot, "c")
        assert "Enter keep it" in text(pilot)
        assert "accept" not in text(pilot).splitlines()[-1]
        await press(pilot, "escape")
        assert "accept" in text(pilot).splitlines()[-1]
    async with shown([]) as pilot:
        assert text(pilot).splitlines()[-1].split() == ["Esc", "leave"]


async def test_an_edit_that_is_left_is_found_again() -> None:
    async with shown(files()) as pilot:
        await press(pilot, "e", *"abc", "escape")
        assert state(pilot).mark(0) == "left"
        assert pilot.app.screen.focused is pilot.app.screen.query_one(PageView)
        await press(pilot, "e")
        assert pilot.app.screen.query_one(HunkEditor).text == "abcten"


async def test_lines_that_an_editor_would_change_are_not_edited() -> None:
    odd = between("a.txt", "a\n", "a\x0cb\u2028c\n")
    async with shown([odd]) as pilot:
        await press(pilot, "e")
        assert pilot.app.screen.focused is pilot.app.screen.query_one(PageView)
        assert "takes for line ends" in text(pilot)


async def test_windows_line_ends_survive_an_edit() -> None:
    before, after = OLD.replace("\n", "\r\n"), NEW.replace("\n", "\r\n")
    async with shown([between("a.txt", before, after)]) as pilot:
        await press(pilot, "n", "e", "x", "ctrl+s", "R", "enter")
    assert pilot.app.return_value is not None
    hunks = between("a.txt", before, after).hunks
    made = {reply.hunk: Choice(reply.choice, reply.text) for reply in pilot.app.return_value.hunks}
    assert result(before, hunks, made) == before.replace("line 30\r\n", "x30\r\nmore\r\n")


async def test_a_comment_is_kept_by_enter_and_left_by_escape() -> None:
    async with shown(files()) as pilot:
        await press(pilot, "c", *"use q", "enter")
        assert state(pilot).comments == {0: "use q"}
        assert "✉ “use q”" in text(pilot)
        await press(pilot, "c", *"xyz", "escape")
        assert state(pilot).comments == {0: "use q"}
        assert not isinstance(pilot.app.screen.focused, Input)


async def test_undo_takes_back_one_after_the_other() -> None:
    async with shown(files()) as pilot:
        await press(pilot, "a", "R", "u")
        assert [state(pilot).mark(number) for number in range(4)] == ["keep", *["left"] * 3]
        await press(pilot, "u", "u")
        assert state(pilot).choices == {}


@pytest.mark.parametrize("key", ["escape", "q"])
async def test_leaving_decides_nothing(key: str) -> None:
    async with shown(files()) as pilot:
        await press(pilot, "a", "r", key)
    assert pilot.app.return_value is None


async def test_side_by_side_by_key_and_by_width() -> None:
    async with shown(files(), (120, 40)) as pilot:
        assert "11 - line 10" not in text(pilot)
        assert "   - line 10" in text(pilot)
        await press(pilot, "s")
        assert any("- line 10" in row and "+ ten" in row for row in text(pilot).split("\n"))
        await pilot.resize_terminal(150, 40)
        await press(pilot, "s")
        assert not any("- line 10" in row and "+ ten" in row for row in text(pilot).split("\n"))
    async with shown(files(), (150, 40)) as pilot:
        assert any("- line 10" in row and "+ ten" in row for row in text(pilot).split("\n"))


async def test_the_list_of_files_comes_with_the_width() -> None:
    async with shown(files(), (80, 24)) as pilot:
        assert not pilot.app.screen.query_one("#files").display
        assert "file 1 of 2" in text(pilot)
        await pilot.resize_terminal(120, 40)
        await pilot.pause()
        assert pilot.app.screen.query_one("#files").display
        assert "b.txt" in text(pilot)
    async with shown(files()[:1], (120, 40)) as pilot:
        assert not pilot.app.screen.query_one("#files").display


async def test_more_context_comes_from_the_file(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src/a.py").write_text(OLD)
    async with shown(files(), (120, 60), of_proposal(tmp_path)) as pilot:
        await press(pilot, "n")
        assert "line 24" not in text(pilot)
        await press(pilot, "plus")
        rows = text(pilot).split("\n")
        assert any("25   line 24" in row for row in rows)
        assert any("40   line 38" in row for row in rows)
        await press(pilot, "minus")
        assert "line 24" not in text(pilot)


async def test_clicks_choose_hunks_files_and_keys() -> None:
    async with shown(files(), (120, 50)) as pilot:
        owners = pilot.app.screen.query_one(PageView).page.owners
        await pilot.click("#page", offset=(10, owners.index(1)))
        await pilot.pause()
        assert state(pilot).cursor == 1
        await pilot.click("#files", offset=(3, 1))
        await pilot.pause()
        assert state(pilot).cursor == 3
        await pilot.click("#keys", offset=(3, 0))
        await pilot.pause()
        assert state(pilot).mark(3) == "keep"
        assert pilot.app.screen.query_one("#keys", Column) is not None


async def test_lines_of_the_page_can_be_selected() -> None:
    async with shown(files()) as pilot:
        page = pilot.app.screen.query_one(PageView)
        await pilot.mouse_down(page, offset=(7, 4))
        await pilot.hover(page, offset=(30, 5))
        await pilot.mouse_up(page, offset=(30, 5))
        await pilot.pause()
        chosen = pilot.app.screen.get_selected_text()
        assert chosen is not None
        assert chosen == "line 10\nten"


async def test_the_keys_are_told_and_each_has_an_action() -> None:
    async with shown(files()) as pilot:
        await press(pilot, "question_mark")
        told = text(pilot)
        for words in ("accept the hunk", "edit the hunk's new lines", "the next file", "leave;"):
            assert words in told
        assert "stage" not in told
        await press(pilot, "escape")
        assert state(pilot).items
        assert "4 left" in text(pilot)


async def test_new_files_that_are_left_out_are_told_at_the_head() -> None:
    async with shown(files(), (80, 24), of_repository(Path(), Asked(), 234)) as pilot:
        assert "⚠ 234 more new files, not read" in text(pilot)


async def test_nothing_to_review_says_what_to_do() -> None:
    async with shown([], (80, 24), of_repository(Path(), Asked("staged"))) as pilot:
        assert "`git add` stages files" in text(pilot)
        await press(pilot, "a", "n", "e", "c", "t", "u", "plus", "enter")
    assert pilot.app.return_value is None


async def test_a_file_that_changed_under_the_proposal_offers_what_still_applies(
    tmp_path: Path,
) -> None:
    (tmp_path / "src").mkdir()
    now = OLD.replace("line 11\n", "somebody else's\n")
    (tmp_path / "src/a.py").write_bytes(now.replace("\n", "\r\n").encode())
    change = files()[0]
    async with shown([change], (120, 40), of_proposal(tmp_path)) as pilot:
        await press(pilot, "n", "p")
        assert "! does not apply: its lines near line 8 are not in the file any more" in text(pilot)
        assert "1 in conflict" in text(pilot)
        await press(pilot, "a", "A", "enter")
    assert pilot.app.return_value is not None
    made = {reply.hunk: Choice(reply.choice, reply.text) for reply in pilot.app.return_value.hunks}
    assert made[0].kind == "drop"
    expected = now.replace("line 30\n", "30\nmore\n").replace("line 50\n", "")
    assert merged(now, change.hunks, made) == expected


async def test_a_conflict_that_comes_up_late_is_shown_before_anything_is_sent(
    tmp_path: Path,
) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src/a.py").write_text(OLD)
    async with shown(files()[:1], (120, 40), of_proposal(tmp_path)) as pilot:
        await press(pilot, "A")
        assert "in conflict" not in text(pilot)
        (tmp_path / "src/a.py").unlink()
        await press(pilot, "enter")
        assert "3 in conflict" in text(pilot)
        assert "! does not apply: the file is gone" in text(pilot)
        await press(pilot, "enter")
    assert pilot.app.return_value is not None
    assert {reply.choice for reply in pilot.app.return_value.hunks} == {"drop"}


async def test_the_editor_stands_where_the_lines_stood() -> None:
    async with shown(files()) as pilot:
        await press(pilot, "n", "e")
        rows = text(pilot).split("\n")
        columns = [
            row.index(word)
            for word in ("line 30", "more", "line 31")
            for row in rows
            if word in row
        ]
        assert len(columns) == 3
        assert len(set(columns)) == 1


@pytest.mark.parametrize("depth", ["16", "none"])
async def test_it_is_read_without_colours_too(depth: Depth) -> None:
    app = ReviewApp(files(), Deeds(), None, depth)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert "- line 10" in text(pilot)
        await press(pilot, "question_mark", "escape", "e", "escape", "c", "escape", "escape")


async def test_hostile_text_draws_no_control_sequences() -> None:
    evil = between("a\x1b[2Jb", "x\n", "\x1b]0;title\x07\x1b[31mred\u202e\udc80\n")
    async with shown([evil], (120, 40)) as pilot:
        await press(pilot, "c", *"ok", "enter")
        assert all(sign.isprintable() for sign in text(pilot).replace("\n", ""))


async def test_a_file_of_many_lines_opens_at_once() -> None:
    large = between("big.txt", None, "".join(f"row {number}\n" for number in range(100_000)))
    many = between("many.txt", "x\n" * 20_000, "x\nx\nx\nx\nx\nx\nx\nx\nx\ny\n" * 2000)
    async with shown([large, many], (120, 40)) as pilot:
        lines = pilot.app.screen.query_one(PageView).page.lines
        assert len(lines) < 1100
        assert "99,000 more lines" in lines[-2].text
        await press(pilot, "right_square_bracket", "n")
        assert len(pilot.app.screen.query_one(PageView).page.lines) < 3000


# -- on a repository


def git(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=n", "-c", "user.email=e@example.org")
    done = subprocess.run(
        ["git", "-C", str(folder), *identity, *arguments], check=True, capture_output=True
    )
    return done.stdout.decode()


needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="there is no git to ask")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    git(tmp_path, "init", "-q", "-b", "main")
    (tmp_path / "a.py").write_text(OLD)
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "first")
    (tmp_path / "a.py").write_text(NEW)
    return tmp_path


@asynccontextmanager
async def reviewed(root: Path, asked: Asked) -> AsyncIterator[Reviewing]:
    changes = (await file_changes(root, asked)).files
    async with shown(changes, (120, 40), of_repository(root, asked)) as pilot:
        yield pilot


@needs_git
async def test_hunks_are_taken_back_and_edited_in_the_working_tree(root: Path) -> None:
    async with reviewed(root, Asked()) as pilot:
        await press(pilot, "r", "e", "x", "ctrl+s", "c", *"why", "enter", "enter")
    outcome = pilot.app.return_value
    assert outcome is not None
    expected = OLD.replace("line 30\n", "x30\nmore\n").replace("line 50\n", "")
    assert (root / "a.py").read_text() == expected
    assert outcome.prompt == "a.py at line 52 (lines removed): why"
    assert outcome.done[0].startswith("a.py: 2 hunks changed; as it was: git cat-file -p ")


@needs_git
async def test_what_could_not_be_taken_back_stays_on_the_screen(root: Path) -> None:
    async with reviewed(root, Asked()) as pilot:
        (root / "a.py").write_text(NEW.replace("ten\n", "TEN\n"))
        await press(pilot, "r", "r", "enter")
        assert "! its lines near line 8 are not in the file any more" in text(pilot)
        assert (root / "a.py").read_text() == NEW.replace("ten\n", "TEN\n").replace(
            "30\nmore\n", "line 30\n"
        )
        await press(pilot, "u", "u", "enter")
    assert pilot.app.return_value is not None


@needs_git
async def test_hunks_are_staged_and_unstaged_at_once(root: Path) -> None:
    async with reviewed(root, Asked()) as pilot:
        await press(pilot, "n", "t")
        assert git(root, "show", ":a.py") == OLD.replace("line 30\n", "30\nmore\n")
        assert "staged" in text(pilot)
        await press(pilot, "t")
        assert git(root, "diff", "--cached") == ""
        await press(pilot, "escape")
    assert (root / "a.py").read_text() == NEW


@needs_git
async def test_of_what_is_staged_single_hunks_leave_the_index(root: Path) -> None:
    git(root, "add", ".")
    async with reviewed(root, Asked("staged")) as pilot:
        await press(pilot, "n", "r", "enter")
    assert git(root, "show", ":a.py") == NEW.replace("30\nmore\n", "line 30\n")
    assert (root / "a.py").read_text() == NEW


async def test_at_the_foot_of_a_single_change_no_key_leads_to_others() -> None:
    async with shown([between("b.txt", None, "new\n")]) as pilot:
        assert "n/p" not in foot(pilot)
        assert "]/[" not in foot(pilot)
        assert "side by side" in foot(pilot)
    async with shown(files()) as pilot:
        assert "n/p hunk   ]/[ file" in foot(pilot)


async def test_words_in_one_burst_with_the_key_before_them_are_a_comment() -> None:
    async with shown(files()) as pilot:
        for sign in "cnot\n":  # as one read of the terminal brings them
            pilot.app.post_message(events.Key("enter" if sign == "\n" else sign, sign))
        await until(lambda: state(pilot).comments)
        assert state(pilot).comments == {0: "not"}


async def test_words_in_one_burst_with_the_key_before_them_are_written_into_the_hunk() -> None:
    async with shown(files()) as pilot:
        for sign in "exyr":
            pilot.app.post_message(events.Key(sign, sign))
        await until(lambda: pilot.app.screen.query_one(HunkEditor).text.startswith("xyr"))
        assert state(pilot).mark(0) != "drop"
