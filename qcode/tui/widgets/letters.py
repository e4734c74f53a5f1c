"""Letters over a strip: alone one is an answer, several are the beginning of a sentence."""

from collections.abc import Callable, Collection, Sequence

from textual.events import Key
from textual.timer import Timer
from textual.widget import Widget

HOLD_SECONDS = 0.4
"""An answer waits so long for a second letter: hardly felt, and nobody types more slowly within a
word, save who looks for each key."""

Alone = Callable[[Key], None]
Words = Callable[[Sequence[Key]], None]


class Letters:
    """Says `alone` of an answer that stayed alone, and `words` of all that is none."""

    def __init__(self, widget: Widget, answers: Collection[str], alone: Alone, words: Words):
        self._widget, self._answers = widget, answers
        self._alone, self._words = alone, words
        self._held: Key | None = None
        self._timer: Timer | None = None

    @property
    def held(self) -> str:
        """The letter that waits; empty = none does."""
        return self._held.key if self._held else ""

    def press(self, key: Key) -> None:
        """A letter. The same one again is a key that was held down, and no word."""
        if self._held is not None and key.key == self._held.key:
            return
        if self._held is not None:
            first, self._held = self._held, None
            self.drop()
            self._words((first, key))
        elif key.key in self._answers:
            self._held = key
            self._timer = self._widget.set_timer(HOLD_SECONDS, self.settle)
        elif key.key != "space":
            self._words((key,))

    def settle(self) -> None:
        """It stayed alone."""
        key = self._held
        self.drop()
        if key is not None:
            self._alone(key)

    def drop(self) -> None:
        """It was nothing."""
        self._held = None
        if self._timer is not None:
            self._timer.stop()
            self._timer = None


def is_letter(key: Key) -> bool:
    """Whether it would be written where one writes."""
    return key.is_printable and key.key not in ("enter", "tab") and "+" not in key.key
