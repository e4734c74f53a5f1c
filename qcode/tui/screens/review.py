"""Changes, hunk by hunk: before they are applied, and after."""

from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.events import Resize
from textual.screen import Screen
from textual.widgets import Input

from qcode.tui.lines import Line, Span
from qcode.tui.paint import Paint
from qcode.tui.review.carrying import Carrying
from qcode.tui.review.chrome import (
    FilesLines,
    file_line,
    head_line,
    keys_line,
)
from qcode.tui.review.editing import above, below, draft_of, refusal
from qcode.tui.review.help import KeysScreen
from qcode.tui.review.keys import KEYS, NOTHING_TO_DO, WHILE_COMMENTING, WHILE_EDITING, offered
from qcode.tui.review.outcome import Deeds, ReviewOutcome, prompt_of
from qcode.tui.review.page import Look, page
from qcode.tui.review.state import ReviewState
from qcode.tui.review.view import Bar, Column, CommentInput, HunkEditor, PageView

LIST_FROM, BESIDE_FROM = 100, 140
"""Columns from which there is room for the list of files, and for two sides."""
LIST_SHARE = 0.3


class ReviewScreen(Screen[ReviewOutcome | None]):
    """Ends with a `ReviewOutcome`, or None when the person leaves."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(key.key, key.what, key.help, show=False) for key in KEYS
    ]
    DEFAULT_CSS = """
    ReviewScreen #rule, ReviewScreen #rule2 { height: 1; }
    ReviewScreen #files { display: none; border-right: solid $foreground 15%; }
    ReviewScreen #files.shown { display: block; }
    ReviewScreen #right { width: 1fr; }
    ReviewScreen #page { height: 1fr; }
    ReviewScreen #edit { display: none; height: 1fr; }
    ReviewScreen #edit.open { display: block; }
    ReviewScreen #above, ReviewScreen #below { height: 0; }
    ReviewScreen #comment { display: none; height: 1; border: none; padding: 0 2; }
    ReviewScreen #comment.open { display: block; }
    """

    def __init__(self, state: ReviewState, paint: Paint, deeds: Deeds | None = None) -> None:
        super().__init__()
        self.state = state
        self._paint = paint
        self._deeds = deeds or Deeds()
        self._keys = offered(self._deeds)
        self._carrying = Carrying(state, self._deeds)
        self._drafts: dict[int, str] = {}
        self._beside: bool | None = None
        self._busy = False

    def compose(self) -> ComposeResult:
        yield Bar(self._paint, id="head")
        yield Bar(self._paint, id="rule")
        with Horizontal(id="body"):
            yield Column(self._paint, id="files")
            with Vertical(id="right"):
                yield Bar(self._paint, id="file")
                yield PageView(self._paint, id="page")
                with Vertical(id="edit"):
                    yield Bar(self._paint, id="above")
                    yield HunkEditor()
                    yield Bar(self._paint, id="below")
        yield CommentInput(id="comment", placeholder="comment for the model: Enter keeps it")
        yield Bar(self._paint, id="rule2")
        yield Bar(self._paint, id="keys")

    def on_mount(self) -> None:
        self.query_one(PageView).focus()
        self._look_for_conflicts()

    def on_resize(self, _: Resize) -> None:
        self.call_after_refresh(self._draw)

    # -- what it shows

    def _draw(self) -> None:
        """All of it; cheap, for only what is near the cursor is drawn."""
        width = self.size.width
        self._show("#head", [head_line(self.state, self._deeds, width)])
        self._show("#rule", [_rule(width)])
        self._show("#rule2", [_rule(width)])
        self._foot(width)
        self._draw_files(width)
        self.call_after_refresh(self._draw_page)

    def on_descendant_focus(self) -> None:
        """Other keys work where one writes."""
        self._foot(self.size.width)

    def _foot(self, width: int) -> None:
        """What the keys do that work now."""
        keys = self._keys if self.state.items else NOTHING_TO_DO
        if isinstance(self.focused, CommentInput):
            keys = WHILE_COMMENTING
        elif isinstance(self.focused, HunkEditor):
            keys = WHILE_EDITING
        self._show("#keys", [keys_line(keys, width)])

    def _draw_files(self, width: int) -> None:
        column = self.query_one("#files", Column)
        shown = width >= LIST_FROM and len(self.state.files) > 1
        column.set_class(shown, "shown")
        if shown:
            column.styles.width = int(width * LIST_SHARE)
            column.show(FilesLines(self.state, int(width * LIST_SHARE) - 2))
            here = self.state.item.file if self.state.item else 0
            column.reveal(here, here + 1)

    def _draw_page(self) -> None:
        view = self.query_one(PageView)
        width = view.scrollable_content_region.width
        if not width:  # the editor stands in its place
            return
        if not self.state.items:
            words = Span(f"  {self._deeds.empty}", "dim")
            view.show([Line(), Line((words,))])
            return
        self._show("#file", [file_line(self.state, self.query_one("#file").size.width)])
        view.turn(page(self.state, self._look(width)))
        view.reveal(*view.page.span(self.state.cursor))

    def _look(self, width: int) -> Look:
        beside = self.size.width >= BESIDE_FROM if self._beside is None else self._beside
        return self._carrying.look(width, beside=beside)

    def _show(self, where: str, lines: list[Line]) -> None:
        self.query_one(where, Column).show(lines)

    # -- keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """While something is carried out, nothing is decided; while one writes, nothing else."""
        writing = self._is_writing
        if action in {key.what.partition("(")[0] for key in KEYS}:
            return not writing and (not self._busy or action in ("move", "file", "page", "help"))
        return True

    @property
    def _is_writing(self) -> bool:
        return isinstance(self.focused, (Input, HunkEditor))

    def action_move(self, step: int) -> None:
        self.state.move(step)
        self._draw()

    def action_file(self, step: int) -> None:
        self.state.move_file(step)
        self._draw()

    def action_page(self, step: int) -> None:
        view = self.query_one(PageView)
        view.scroll_relative(y=step * max(view.size.height - 1, 1), animate=False)

    def action_decide(self, kind: str) -> None:
        if self.state.cursor in self._carrying.settled:
            return
        self.state.decide("keep" if kind == "keep" else "drop")
        self._draw()

    def action_rest(self, kind: str) -> None:
        self.state.rest("keep" if kind == "keep" else "drop")
        self._draw()

    def action_undo(self) -> None:
        if not self.state.undo():
            self.app.bell()
        self._draw()

    def action_beside(self) -> None:
        item = self._look(1)
        self._beside = not item.beside
        self._draw()

    async def action_expand(self, lines: int) -> None:
        item = self.state.item
        if item is None or item.hunk is None or self._deeds.look is None:
            return
        await self._carrying.read(item)
        self.state.expand(lines)
        self._draw()

    def action_help(self) -> None:
        self.app.push_screen(KeysScreen(self._keys, self._paint))

    def action_cancel(self) -> None:
        self.dismiss(None)

    # -- comment

    def action_comment(self) -> None:
        if self.state.item is None:
            return
        field = self.query_one(CommentInput)
        field.value = self.state.comments.get(self.state.cursor, "")
        field.add_class("open")
        field.focus()

    @on(Input.Submitted, "#comment")
    def _commented(self, event: Input.Submitted) -> None:
        event.stop()
        self.state.comment(event.value)
        self._leave_comment()

    @on(CommentInput.Left)
    def _leave_comment(self) -> None:
        self.query_one(CommentInput).remove_class("open")
        self.query_one(PageView).focus()
        self._draw()

    # -- edit in place

    def action_edit(self) -> None:
        item = self.state.item
        if item is None or item.hunk is None or item.number in self._carrying.settled:
            return
        editor = self.query_one(HunkEditor)
        given = draft_of(self.state, item, self._drafts)
        editor.begin(given)
        if why := refusal(self.state, item, given, editor.lines):
            self._note(item.number, why)
            return
        editor.line_number_start = item.hunk.new_start + item.hunk.lead
        width, indent = self.query_one(PageView).size.width, editor.gutter_width + 1
        self._around("#above", above(item.hunk, width, indent))
        self._around("#below", below(item.hunk, width, indent))
        self._swap(editing=True)
        editor.focus()

    def _around(self, where: str, lines: list[Line]) -> None:
        self.query_one(where).styles.height = len(lines)
        self._show(where, lines)

    @on(HunkEditor.Kept)
    def _edited(self, event: HunkEditor.Kept) -> None:
        self._drafts.pop(self.state.cursor, None)
        self.state.decide("edited", event.text)
        self._swap(editing=False)

    @on(HunkEditor.Left)
    def _left(self, event: HunkEditor.Left) -> None:
        self._drafts[self.state.cursor] = event.text
        self._swap(editing=False)

    def _swap(self, *, editing: bool) -> None:
        view = self.query_one(PageView)
        view.display = not editing
        self.query_one("#edit").set_class(editing, "open")
        if not editing:
            view.focus()
            self._draw()

    # -- what is carried out

    @work
    async def _look_for_conflicts(self) -> None:
        """A file may have changed under the proposal."""
        if await self._carrying.new_conflicts():
            self._draw()

    @work
    async def _hand_over(self) -> None:
        """Not before the person has seen what does not apply any more."""
        if await self._carrying.new_conflicts():
            self.app.bell()
            self.state.go(max(self.state.conflicts))
            self._draw()
            return
        self.dismiss(ReviewOutcome(self.state.replies(), prompt_of(self.state)))

    def action_apply(self) -> None:
        if self._deeds.rewrite is None:
            self._hand_over()
        elif self.state.items:
            self._carry_out()
        else:
            self.dismiss(None)

    @work
    async def _carry_out(self) -> None:
        self._busy = True
        await self._carrying.carry_out()
        self._busy = False
        if self._carrying.notes:
            self.state.go(min(self._carrying.notes))
            self._draw()
            return
        done = self._carrying.said
        self.dismiss(ReviewOutcome(self.state.replies(), prompt_of(self.state), done))

    @work
    async def action_stage(self) -> None:
        item = self.state.item
        if item is not None:
            self._busy = True
            await self._carrying.stage(item)
            self._busy = False
            self._draw()

    def _note(self, number: int, why: str) -> None:
        self._carrying.notes[number] = why
        self._draw()

    # -- mouse

    @on(Column.Clicked)
    def _clicked(self, event: Column.Clicked) -> None:
        event.stop()
        if self._is_writing:
            return
        if event.column.id == "files":
            self.state.go_file(event.line)
        elif event.column.id == "page":
            owners = self.query_one(PageView).page.owners
            owner = owners[event.line] if event.line < len(owners) else None
            if owner is not None:
                self.state.go(owner)
        self._draw()

    @on(Bar.Followed)
    async def _followed(self, event: Bar.Followed) -> None:
        event.stop()
        await self.run_action(event.link)


def _rule(width: int) -> Line:
    return Line((Span("─" * width, "rule"),))
