"""No control sequence reaches the terminal, whichever widget shows the text."""

from collections.abc import Iterable

from textual.strip import Strip
from textual.widgets import Input

from qcode.tui.review.outcome import Deeds
from qcode.tui.review.view import HunkEditor, PageView
from qcode.tui.review_app import ReviewApp
from qcode.workspace.patches import between
from tests.tui.conftest import Enter
from tests.tui.until import until

HOSTILE = "a\x1b]52;c;aGVsbG8=\x1b\\b\x1b[2Jc\x9b31md\udc80\u200b\u202e\U000e0041e"


def written(strips: Iterable[Strip]) -> str:
    """What goes to the terminal as text."""
    return "".join(part.text for strip in strips for part in strip if not part.control)


async def test_the_prompt_shows_no_control_sequences_of_an_earlier_prompt(house: Enter) -> None:
    async with house() as h:
        await h.begun()
        h.app.write(HOSTILE)
        await h.until(lambda: "b[2Jc31md\ufffde" in h.screen)
        shown = written(h.app.screen._compositor.render_strips())
        assert shown.isprintable()


async def test_the_editor_of_a_hunk_writes_no_control_sequences_of_the_hunk() -> None:
    change = between("a.txt", "one\n", f"{HOSTILE.replace(chr(0xDC80), '')}\n")
    app = ReviewApp([change], Deeds(), None, "true")
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press("e")
        await until(lambda: isinstance(app.focused, HunkEditor))
        await pilot.pause()
        shown = written(app.screen._compositor.render_strips())
        assert "b[2Jc31mde" in shown
        assert shown.isprintable()
        await pilot.press("escape")
        await until(lambda: isinstance(app.focused, PageView))
        await pilot.press("c")
        app.reviewing.query_one("#comment", Input).value = "x\x1b]0;title\x07y"
        await until(lambda: "x]0;titley" in written(app.screen._compositor.render_strips()))
        assert written(app.screen._compositor.render_strips()).isprintable()
