"""The text looks as Textual would draw it, though its theme is not filled anew for each frame."""

from itertools import pairwise
from pathlib import Path

from rich.segment import Segment
from rich.style import Style
from textual.widgets import TextArea

from qcode.tui.prompt.field import Field
from tests.tui.prompt.room import Room


def ours(field: Field) -> list[Segment]:
    return [one for strip in field.render_lines(field.region.reset_offset) for one in strip]


def textuals(field: Field) -> list[Segment]:
    strips = TextArea.render_lines(field, field.region.reset_offset)
    return [one for strip in strips for one in strip]


async def test_it_follows_theme_focus_and_selection(tmp_path: Path) -> None:
    app = Room(tmp_path)
    async with app.run_test() as pilot:
        field = app.query_one(Field)
        await pilot.press(*"two words")
        seen = [ours(field)]
        for change in (
            lambda: setattr(app, "theme", "textual-light"),
            field.select_all,
            lambda: app.set_focus(None),
            lambda: setattr(field.styles, "background", "red"),
            lambda: setattr(app, "theme", "nord"),
            field.focus,
        ):
            change()
            await pilot.pause()
            seen.append(ours(field))
            assert seen[-1] == textuals(field)
        assert sum(one != before for before, one in pairwise(seen)) >= 4


async def test_a_key_does_not_fill_the_theme(tmp_path: Path) -> None:
    app = Room(tmp_path)
    async with app.run_test() as pilot:
        field = app.query_one(Field)
        await pilot.press("a")
        ours(field)
        assert field._theme is not None
        field._theme.base_style = mark = Style(color="#123456", bgcolor="#000000")
        await pilot.press("b")
        ours(field)
        assert field._theme.base_style is mark
        textuals(field)
        assert field._theme.base_style is not mark
