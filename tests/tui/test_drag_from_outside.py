"""A selection begun in the prompt takes what is seen of the conversation."""

from qcode.protocol.events import Notice
from tests.tui.conftest import Enter, House


async def talked(h: House) -> None:
    """A conversation of many screens."""
    await h.begun()
    h.app.show([Notice("info", f"note {number:03}") for number in range(200)])
    await h.until(lambda: "note 199" in h.screen)


def selected(h: House) -> list[str]:
    return (h.app.screen.get_selected_text() or "").split("\n")


async def test_from_the_prompt_it_ends_with_the_last_row_that_is_seen(house: Enter) -> None:
    async with house(size=(80, 24)) as h:
        await talked(h)
        await h.press("pageup", "pageup")
        await h.until(lambda: "note 199" not in h.screen)
        height = h.app.chat.view.size.height
        await h.pilot.mouse_down(h.app.chat.prompt, offset=(60, 0))
        await h.pilot.hover(h.app.chat.view, offset=(0, height - 3))
        await h.pilot.mouse_up(h.app.chat.view, offset=(0, height - 3))
        notes = [row for row in selected(h) if row]
        assert 1 <= len(notes) <= 5
        assert all(row.startswith("note 1") for row in notes)
        assert "note 199" not in notes
