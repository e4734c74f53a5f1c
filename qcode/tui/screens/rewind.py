"""Back to before a prompt of this conversation."""

from collections.abc import Sequence

import msgspec
from textual.binding import Binding

from qcode.protocol.inputs import Rewind
from qcode.session.said import Said
from qcode.tui.home import Wanted
from qcode.tui.paint import Paint
from qcode.tui.picker.frame import Hint, Question, Sheet
from qcode.tui.picker.keys import REWIND
from qcode.tui.picker.rows import Row
from qcode.tui.screens.pickers import About, Picker


class Back(msgspec.Struct, frozen=True):
    """What was chosen."""

    given: Rewind | Wanted
    """For the engine; or a copy to be opened."""
    prompt: str
    """The words that leave the conversation: they go back into the prompt."""


class RewindTo(Picker[Back]):
    """The prompts of a conversation, the last at hand."""

    WHERE = "rewind"
    BINDINGS = [Binding(key, what, words, show=False) for key, what, words in REWIND]  # noqa: RUF012 - Textual's own form

    def __init__(
        self, turns: Sequence[Said], paint: Paint, *, session_id: str = "", files: str = "stay"
    ) -> None:
        """`files="can go back"` = they were kept, and it is asked what to put back."""
        hints = (Hint("⏎", "go back to before it"), Hint("^F", "in a copy"), Hint("esc", "back"))
        sheet = Sheet(
            "rewind",
            empty="Nothing was said in this session yet.",
            placeholder="go back to before which prompt?",
            hints=hints if session_id else (hints[0], hints[2]),
        )
        rows = [_row(one) for one in turns]
        super().__init__(About(sheet, rows, order="as given"), paint)
        self.choices.to(len(rows) - 1)
        self._session_id = session_id
        self._files = files

    def choose(self, value: Back) -> None:
        """Ask what goes back, where files can."""
        if self._files != "can go back" or isinstance(value.given, Wanted):
            self.dismiss(value)
            return
        words = "put back:  c conversation  f files  b both"
        self.ask(Question(words, kind="key"), lambda key: self._restored(value, key))

    def _restored(self, value: Back, key: str) -> None:
        if isinstance(value.given, Rewind) and key in ("c", "f", "b"):
            turn = value.given.turn
            prompt = "" if key == "f" else value.prompt
            match key:
                case "c":
                    self.dismiss(Back(Rewind(turn), prompt))
                case "f":
                    self.dismiss(Back(Rewind(turn, "files"), prompt))
                case _:
                    self.dismiss(Back(Rewind(turn, "both"), prompt))

    def action_fork(self) -> None:
        """The same in a copy of the session."""
        row = self.choices.row
        if row and self._session_id and isinstance(row.value.given, Rewind):
            turn = row.value.given.turn
            wanted = Wanted(self._session_id, fork=True, before_turn=turn)
            self.dismiss(Back(wanted, row.value.prompt))


def _row(one: Said) -> Row[Back]:
    return Row(Back(Rewind(one.turn), one.prompt), one.prompt, f"turn {one.turn}", words=one.answer)
