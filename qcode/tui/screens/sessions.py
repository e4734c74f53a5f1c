"""The list of sessions: search in titles and in what was said, preview, and what can be done."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime
from functools import partial

from textual.binding import Binding

from qcode.protocol.inputs import Rename
from qcode.session.summary import Hit, Summary
from qcode.tui.home import Wanted
from qcode.tui.lines import Line
from qcode.tui.paint import Paint
from qcode.tui.picker.frame import Hint, Question, Sheet
from qcode.tui.picker.keys import SESSIONS
from qcode.tui.picker.rows import Row
from qcode.tui.screens.pickers import About, Picker
from qcode.tui.shelf import ENDS, Shelf, when

HINTS = (
    Hint("⏎", "open"),
    Hint("esc", "back"),
    Hint("^F", "fork"),
    Hint("^R", "rename"),
    Hint("^D", "delete"),
    Hint("^E", "export"),
    Hint("^A", "all folders"),
)

Answer = Wanted | Rename
"""The session to open; or, of the session that is open already, its new name for the engine."""


class Sessions(Picker[Answer]):
    """All sessions. The rows' values are `Wanted`s."""

    WHERE = "sessions"
    BINDINGS = [Binding(key, what, words, show=False) for key, what, words in SESSIONS]  # noqa: RUF012 - Textual's own form

    def __init__(self, shelf: Shelf, paint: Paint, words: str = "") -> None:
        sheet = Sheet(
            "sessions",
            "page",
            placeholder="words of titles, prompts, answers, commands",
            empty="There are no sessions of this folder yet. ^A shows those of others.",
            hints=HINTS,
            preview=(),
        )
        about: About[Answer] = About(sheet, self._rows, self._preview_of, self._deeper)
        super().__init__(about, paint)
        self._shelf = shelf
        self._scope = "here"
        if words:
            self.choices.search(words)

    async def _rows(self) -> AsyncIterator[Sequence[Row[Answer]]]:
        found = await asyncio.to_thread(self._shelf.list, self._scope)
        now = datetime.now(UTC)
        yield [self._row(one, now) for one in found]

    def _row(self, one: Summary, now: datetime) -> Row[Answer]:
        folder = f"{one.folder.rpartition('/')[2]}  " if self._scope == "everywhere" else ""
        fork = "fork  " if one.parent else ""
        turns = f"{one.turns} {'turn' if one.turns == 1 else 'turns'}"
        return Row(
            Wanted(one.id),
            one.title or "(nothing said)",
            f"{folder}{fork}{turns}  {when(one.updated, now):>9}",
            words=f"{one.id} {one.model}",
            mark="now" if one.id == self._shelf.current else "" if one.usable else "bad",
        )

    async def _deeper(self, words: str) -> Sequence[Row[Answer]]:
        hits = await asyncio.to_thread(self._shelf.search, words, self._scope)
        return [self._hit(hit) for hit in hits]

    def _hit(self, hit: Hit) -> Row[Answer]:
        return Row(Wanted(hit.id), hit.snippet, hit.kind, group=hit.title or hit.id)

    async def _preview_of(self, value: Answer) -> Sequence[Line]:
        if not isinstance(value, Wanted):
            return ()
        width = max(24, self.size.width - min(self.size.width // 2, 64) - 4)
        return await asyncio.to_thread(self._shelf.preview, value.resume, min(width, 100))

    @property
    def _at_hand(self) -> str:
        row = self.choices.row
        return row.value.resume if row and isinstance(row.value, Wanted) else ""

    def action_fork(self) -> None:
        """Go on in a copy."""
        if self._at_hand and self.sheet.question is None:
            self.dismiss(Wanted(self._at_hand, fork=True))

    def action_rename(self) -> None:
        """Ask for a name."""
        if self._at_hand:
            self.ask(Question("new name:"), partial(self._renamed, self._at_hand))

    def _renamed(self, session_id: str, name: str) -> None:
        if not name.strip():
            return
        if session_id == self._shelf.current:  # the engine holds its log
            self.dismiss(Rename(name.strip()))
        else:
            self.work_on("aside", partial(self._do, self._shelf.rename, session_id, name))

    def action_delete(self) -> None:
        """Ask, then delete."""
        row = self.choices.row
        if row and self._at_hand:
            words = f"delete “{row.title[:40]}” for good?  y yes  n no"
            self.ask(Question(words, kind="key"), partial(self._deleted, self._at_hand))

    def _deleted(self, session_id: str, key: str) -> None:
        if key in ("y", "Y"):
            self.work_on("aside", partial(self._do, self._shelf.delete, session_id))

    def action_export(self) -> None:
        """Ask for the format."""
        if self._at_hand:
            words = "export as:  m Markdown  h HTML  j JSON"
            self.ask(Question(words, kind="key"), partial(self._exported, self._at_hand))

    def _exported(self, session_id: str, key: str) -> None:
        wanted = next((name for name in ENDS if name[0] == key.lower()), "")
        if wanted:
            self.work_on("aside", partial(self._export, session_id, wanted))

    async def _export(self, session_id: str, wanted: str) -> None:
        path = await asyncio.to_thread(self._shelf.export, session_id, wanted)
        self.say(f"Written to {path}.")

    async def _do(self, deed: Callable[..., None], *words: str) -> None:
        await asyncio.to_thread(deed, *words)
        self.again(self._rows)

    def action_everywhere(self) -> None:
        """This folder's sessions, or all."""
        self._scope = "here" if self._scope == "everywhere" else "everywhere"
        self.again(self._rows)
