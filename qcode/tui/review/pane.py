"""What a review shows: head, list of files, the hunks, the keys. It decides nothing."""

from collections.abc import Callable

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.events import Resize
from textual.screen import Screen

from qcode.tui.lines import Line, Span
from qcode.tui.paint import Paint
from qcode.tui.review.carrying import Carrying
from qcode.tui.review.chrome import (
    FilesLines,
    asked_line,
    file_line,
    head_line,
    keys_line,
    leaving_line,
)
from qcode.tui.review.keys import (
    NOTHING_TO_DO,
    WHILE_ASKED,
    WHILE_COMMENTING,
    WHILE_EDITING,
    WHILE_LEAVING,
    at_the_foot,
    offered,
)
from qcode.tui.review.outcome import Deeds, ReviewOutcome
from qcode.tui.review.page import Look, page
from qcode.tui.review.state import ReviewState
from qcode.tui.review.view import Bar, Column, CommentInput, HunkEditor, PageView

LIST_FROM, BESIDE_FROM = 100, 140
"""Columns from which there is room for the list of files, and for two sides."""
LIST_SHARE = 0.3

Interrupt = Callable[[], bool]
"""Ends the turn that runs; False = none does."""


class ReviewPane(Screen[ReviewOutcome | None]):
    """Shows a `ReviewState`. What the person does with it is `screens.review`'s."""

    DEFAULT_CSS = """
    ReviewPane #rule, ReviewPane #rule2 { height: 1; }
    ReviewPane #files { display: none; border-right: solid $foreground 15%; }
    ReviewPane #files.shown { display: block; }
    ReviewPane #right { width: 1fr; }
    ReviewPane #page { height: 1fr; }
    ReviewPane #edit { display: none; height: 1fr; }
    ReviewPane #edit.open { display: block; }
    ReviewPane #above, ReviewPane #below { height: 0; }
    ReviewPane #comment { display: none; height: 1; border: none; padding: 0 2; }
    ReviewPane #comment.open { display: block; }
    """

    def __init__(
        self,
        state: ReviewState,
        paint: Paint,
        deeds: Deeds | None = None,
        interrupt: Interrupt = lambda: False,
    ) -> None:
        super().__init__()
        self._interrupt = interrupt
        self.state = state
        self._paint = paint
        self._deeds = deeds or Deeds()
        self._keys = offered(self._deeds)
        self._carrying = Carrying(state, self._deeds)
        self._beside: bool | None = None
        self._busy = False
        self._leaving = False
        """Whether to leave what was decided, on the foot."""
        self._asked = False
        """What becomes of the undecided hunks, on the foot."""

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

    def on_resize(self, _: Resize) -> None:
        self.call_after_refresh(self._draw)

    def _draw(self) -> None:
        """All of it; cheap, for only what is near the cursor is drawn."""
        if not self.query("#head"):  # it is being left: what it had waited for comes too late
            return
        self._leaving = False
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
        if self._leaving:
            self._show("#keys", [leaving_line(self._decisions, WHILE_LEAVING, width)])
            return
        if self._asked:
            self._show("#keys", [asked_line(len(self.state.undecided), WHILE_ASKED, width)])
            return
        keys = self._keys if self.state.items else NOTHING_TO_DO
        keys = at_the_foot(keys, self.state, self._deeds)
        if isinstance(self.focused, CommentInput):
            keys = WHILE_COMMENTING
        elif isinstance(self.focused, HunkEditor):
            keys = WHILE_EDITING
        self._show("#keys", [keys_line(keys, width)])

    @property
    def _decisions(self) -> int:
        """Those that nothing has come of yet."""
        settled = self._carrying.settled.keys()
        return len((self.state.choices.keys() | self.state.comments.keys()) - settled)

    def _draw_files(self, width: int) -> None:
        column = self.query_one("#files", Column)
        shown = width >= LIST_FROM and len(self.state.files) > 1
        column.set_class(shown, "shown")
        if shown:
            column.styles.width = int(width * LIST_SHARE)
            column.show(FilesLines(self.state, int(width * LIST_SHARE) - 2))
            here = self.state.item.file if self.state.item else 0
            column.reveal(here, here + 1)

    @on(PageView.Sized)
    def _draw_page(self) -> None:
        if not self.query(PageView):
            return
        view = self.query_one(PageView)
        width = view.scrollable_content_region.width
        if not width:  # the editor stands in its place
            return
        if not self.state.items:
            words = Span(f"  {self._deeds.empty}", "dim")
            view.show([Line(), Line((words,))])
            return
        room = self.query_one("#file").size.width
        self._show("#file", [file_line(self.state, room, self._deeds.untold)])
        view.turn(page(self.state, self._look(width)))
        view.reveal(*view.page.span(self.state.cursor))

    def _look(self, width: int) -> Look:
        beside = self.size.width >= BESIDE_FROM if self._beside is None else self._beside
        return self._carrying.look(width, beside=beside)

    def _show(self, where: str, lines: list[Line]) -> None:
        self.query_one(where, Column).show(lines)


def _rule(width: int) -> Line:
    return Line((Span("─" * width, "rule"),))
