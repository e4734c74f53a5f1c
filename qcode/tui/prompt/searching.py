"""Search through earlier prompts: the text is the match, the row above it what is looked for."""

from qcode.protocol.text import one_line
from qcode.tui.lines import Line, Span
from qcode.tui.prompt.field import Field
from qcode.tui.prompt.history import Recall
from qcode.tui.prompt.strip import Strip
from qcode.tui.prompt.writing import Writing


class Search:
    """One search, from Ctrl+R to Enter or Esc."""

    def __init__(self, field: Field, strip: Strip, recall: Recall, before: Writing) -> None:
        self._field = field
        self._strip = strip
        self._recall = recall
        self._before = before
        self._letters = ""
        self._matches: list[Writing] = []
        self._at = 0
        self._show()

    @property
    def result(self) -> Writing:
        """The match; what was there before, where nothing matches."""
        return self._matches[self._at] if self._matches else self._before

    @property
    def before(self) -> Writing:
        """What was there before."""
        return self._before

    def press(self, key: str, character: str | None) -> bool:
        """False = it is over, and the key was not for it."""
        if key == "ctrl+r":
            self._at = min(self._at + 1, max(0, len(self._matches) - 1))
        elif key == "ctrl+s":
            self._at = max(self._at - 1, 0)
        elif key in ("backspace", "ctrl+h"):
            self._look_for(self._letters[:-1])
        elif character and character.isprintable():
            self._look_for(self._letters + character)
        else:
            return False
        self._show()
        return True

    def _look_for(self, letters: str) -> None:
        self._letters, self._at = letters, 0
        self._matches = self._recall.matches(letters) if letters else []

    def _show(self) -> None:
        self._strip.say(Line(tuple(self._spans())))
        text = self.result.text
        at = text.lower().find(self._letters.lower())
        self._field.show(text, len(text) if at < 0 else at + len(self._letters))

    def _spans(self) -> list[Span]:
        spans = [Span("   earlier prompts: ", "dim"), Span(one_line(self._letters), "match")]
        if not self._letters:
            spans.append(Span("type what to look for", "dim"))
        elif not self._matches:
            spans.append(Span("  none has this", "warning"))
        else:
            count = f"  {self._at + 1} of {len(self._matches)}"
            spans.append(Span(f"{count}   Ctrl+R older   Enter take   Esc back", "dim"))
        return spans
