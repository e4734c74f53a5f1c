"""Changes, hunk by hunk: before they are applied, and after."""

from typing import ClassVar

from textual import on, work
from textual.actions import SkipAction
from textual.binding import Binding, BindingType
from textual.widgets import Input

from qcode.tui.lines import Line
from qcode.tui.review.editing import above, below, draft_of, refusal
from qcode.tui.review.help import KeysScreen
from qcode.tui.review.keys import KEYS
from qcode.tui.review.outcome import ReviewOutcome, prompt_of
from qcode.tui.review.pane import ReviewPane
from qcode.tui.review.view import Bar, Column, CommentInput, HunkEditor, PageView

_MAKES = ("rest", "undo", "edit", "comment", "stage")
"""Actions that make something other of what is decided."""
_FIRST = ("stop", "comment", "edit")
"""Before what has the focus has them: Ctrl+C in a field would only copy, and words that come in
one read with the key before them would go to the page."""


class ReviewScreen(ReviewPane):
    """Ends with a `ReviewOutcome`, or None when the person leaves."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(key.key, key.what, key.help, show=False, priority=key.what in _FIRST)
        for key in KEYS
    ]

    def on_mount(self) -> None:
        self.query_one(PageView).focus()
        self._look_for_conflicts()

    # -- keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """While something is carried out, nothing is decided; while one writes, nothing else; while
        one is asked, only what answers, or shows what it is about."""
        writing = self._is_writing
        if self._asked and action in ("decide", *_MAKES):
            return (action, parameters) == ("decide", ("drop",))
        if action == "stop":
            return True
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
        if self._asked:
            self.state.rest("drop")
            self.action_apply()
            return
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
        if self._asked:
            self._asked = False
            self._foot(self.size.width)
            return
        if self._deeds.rewrite is None or self._leaving or not self._decisions:
            self.dismiss(None)
            return
        self._leaving = True
        self._foot(self.size.width)

    def action_stop(self) -> None:
        """Copy what is selected, else interrupt the turn, else leave."""
        if text := self.get_selected_text():
            self.app.copy_to_clipboard(text)
            self.clear_selection()
        elif getattr(self.focused, "selected_text", ""):
            raise SkipAction  # the field's own
        elif not self._interrupt() and not self._is_writing:
            self.action_cancel()

    # -- comment

    def action_comment(self) -> None:
        if self.state.item is None:
            return
        field = self.query_one(CommentInput)
        field.value = self.state.comments.get(self.state.cursor, "")
        field.add_class("open")
        self.set_focus(field)  # at once: `focus` would be a turn late, and the words behind the key

    @on(Input.Submitted, "#comment")
    def _commented(self, event: Input.Submitted) -> None:
        event.stop()
        self.state.comment(event.value)
        self._leave_comment()

    @on(CommentInput.Left)
    def _leave_comment(self) -> None:
        self.query_one(CommentInput).remove_class("open")
        self.set_focus(self.query_one(PageView))
        self._draw()

    # -- edit in place

    def action_edit(self) -> None:
        item = self.state.item
        if item is None or item.hunk is None or item.number in self._carrying.settled:
            return
        editor = self.query_one(HunkEditor)
        given = draft_of(self.state, item, self.state.drafts)
        editor.begin(given)
        if why := refusal(self.state, item, given, editor.lines):
            self._note(item.number, why)
            return
        editor.line_number_start = item.hunk.new_start + item.hunk.lead
        width, indent = self.query_one(PageView).size.width, editor.gutter_width + 1
        self._around("#above", above(item.hunk, width, indent))
        self._around("#below", below(item.hunk, width, indent))
        self._swap(editing=True)
        self.set_focus(editor)

    def _around(self, where: str, lines: list[Line]) -> None:
        self.query_one(where).styles.height = len(lines)
        self._show(where, lines)

    @on(HunkEditor.Kept)
    def _edited(self, event: HunkEditor.Kept) -> None:
        self.state.drafts.pop(self.state.cursor, None)
        self.state.decide("edited", event.text)
        self._swap(editing=False)

    @on(HunkEditor.Left)
    def _left(self, event: HunkEditor.Left) -> None:
        self.state.drafts[self.state.cursor] = event.text
        self._swap(editing=False)

    def _swap(self, *, editing: bool) -> None:
        view = self.query_one(PageView)
        view.display = not editing
        self.query_one("#edit").set_class(editing, "open")
        if not editing:
            self.set_focus(view)
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
        """What nobody looked at is not applied without a word beside what somebody did, nor where
        several calls wait: their files may not even have been on the screen."""
        state, asked = self.state, self._asked
        proposed = self._deeds.rewrite is None
        is_told = bool(state.choices) or self._deeds.calls > 1
        self._asked = proposed and not asked and is_told and bool(state.undecided)
        if self._asked:
            self._foot(self.size.width)
        elif proposed:
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
