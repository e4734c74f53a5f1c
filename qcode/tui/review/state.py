"""What a person has decided so far in a review. Pure: no Textual, no files."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Literal

import msgspec

from qcode.protocol.inputs import HunkReply
from qcode.workspace.patches import FileChange
from qcode.workspace.review import Choice, Hunk

Kind = Literal["keep", "drop", "edited"]
Mark = Literal["left", "keep", "drop", "edited", "conflict"]
"""How a hunk stands; `left` = nothing was decided, `conflict` = it does not apply any more."""

MARKS: Mapping[Mark, str] = {"left": "·", "keep": "✓", "drop": "✗", "edited": "✎", "conflict": "!"}


class Item(msgspec.Struct, frozen=True):
    """One thing to decide: a hunk, or a file that has none and is taken as a whole."""

    number: int
    """From 0, counted through all files: the number of `HunkReply`."""
    file: int
    hunk: Hunk | None
    place: int
    """From 1, in its file."""


class _Kept(msgspec.Struct, frozen=True):
    """What `undo` goes back to."""

    cursor: int
    choices: Mapping[int, Choice]
    comments: Mapping[int, str]


class ReviewState:
    """Cursor, choices, comments, and the way back."""

    def __init__(
        self, files: Sequence[FileChange], conflicts: Mapping[int, str] | None = None
    ) -> None:
        self.files = tuple(files)
        self.items = tuple(_items(self.files))
        self._of_file = tuple(
            tuple(group) for _, group in groupby(self.items, key=lambda item: item.file)
        )
        self.conflicts = dict(conflicts or {})
        """Number of an item -> why it does not apply: it can only be left out."""
        self.choices: dict[int, Choice] = {}
        self.comments: dict[int, str] = {}
        self.drafts: dict[int, str] = {}
        """Number of an item -> its new lines as an edit was left, half done."""
        self.expanded: dict[int, int] = {}
        """Number of an item -> lines of context beyond those of the patch."""
        self.cursor = 0
        self._past: list[_Kept] = []

    # -- where it is

    @property
    def item(self) -> Item | None:
        """The one under the cursor; None = there is nothing to review."""
        return self.items[self.cursor] if self.items else None

    @property
    def file(self) -> FileChange | None:
        """The file under the cursor."""
        return self.files[self.items[self.cursor].file] if self.items else None

    def of_file(self, index: int) -> tuple[Item, ...]:
        """The items of a file."""
        return self._of_file[index]

    def mark(self, number: int) -> Mark:
        """How an item stands."""
        if number in self.conflicts:
            return "conflict"
        choice = self.choices.get(number)
        return choice.kind if choice else "left"

    def count(self, mark: Mark) -> int:
        """How many items stand so."""
        return sum(self.mark(item.number) == mark for item in self.items)

    @property
    def undecided(self) -> tuple[int, ...]:
        """Numbers of the items that could be decided and are not."""
        decided = self.choices.keys() | self.conflicts.keys()
        return tuple(item.number for item in self.items if item.number not in decided)

    # -- moving

    def move(self, step: int) -> None:
        """To the next hunk or the one before, and no further than the ends."""
        self.cursor = max(0, min(self.cursor + step, len(self.items) - 1))

    def move_file(self, step: int) -> None:
        """To the first hunk of the next file or the one before."""
        if self.items:
            self.go_file(self.items[self.cursor].file + step)

    def go_file(self, index: int) -> None:
        """To the first hunk of a file."""
        if 0 <= index < len(self.files):
            self.cursor = self._of_file[index][0].number

    def go(self, number: int) -> None:
        """To an item."""
        self.cursor = number if 0 <= number < len(self.items) else self.cursor

    # -- deciding

    def decide(self, kind: Kind, text: str = "") -> None:
        """About the hunk under the cursor; then on to the next that is left."""
        if not self.items or self.cursor in self.conflicts:
            return
        self._remember()
        self.choices[self.cursor] = Choice(kind, text)
        self._on()

    def rest(self, kind: Literal["keep", "drop"]) -> None:
        """Decide all that is left."""
        left = [item.number for item in self.items if self.mark(item.number) == "left"]
        if left:
            self._remember()
            self.choices |= dict.fromkeys(left, Choice(kind))

    def comment(self, words: str) -> None:
        """About the hunk under the cursor; empty takes the comment away."""
        words = words.strip()
        if not self.items or words == self.comments.get(self.cursor, ""):
            return
        self._remember()
        if words:
            self.comments[self.cursor] = words
        else:
            self.comments.pop(self.cursor, None)

    def expand(self, lines: int) -> None:
        """More or less context around the hunk under the cursor."""
        wanted = self.expanded.get(self.cursor, 0) + lines
        self.expanded[self.cursor] = max(0, wanted)

    def undo(self) -> bool:
        """Take the last decision back; False = there is none."""
        if not self._past:
            return False
        kept = self._past.pop()
        self.cursor = kept.cursor
        self.choices, self.comments = dict(kept.choices), dict(kept.comments)
        return True

    def _remember(self) -> None:
        self._past.append(_Kept(self.cursor, dict(self.choices), dict(self.comments)))

    def _on(self) -> None:
        """To the next item that is left, or stay where none is behind this one."""
        for item in self.items[self.cursor + 1 :]:
            if self.mark(item.number) == "left":
                self.cursor = item.number
                return

    # -- what comes of it

    def choice(self, number: int) -> Choice:
        """With its comment. What is left is kept; what does not apply is dropped."""
        said = self.comments.get(number, "")
        if number in self.conflicts:
            return Choice("drop", "", said or f"it does not apply: {self.conflicts[number]}")
        made = self.choices.get(number, Choice("keep"))
        return Choice(made.kind, made.text, said)

    def replies(self) -> tuple[HunkReply, ...]:
        """One for each hunk, in order."""
        made = [(item.number, self.choice(item.number)) for item in self.items]
        return tuple(
            HunkReply(number, choice.kind, choice.text, choice.comment) for number, choice in made
        )

    def chosen(self, index: int) -> dict[int, Choice]:
        """Of a file: number of the hunk in it -> what is not simply kept."""
        return {
            item.place - 1: self.choice(item.number)
            for item in self.of_file(index)
            if self.mark(item.number) in ("drop", "edited")
        }


def _items(files: Sequence[FileChange]) -> Iterator[Item]:
    number = 0
    for index, change in enumerate(files):
        for place, hunk in enumerate(change.hunks or (None,), 1):
            yield Item(number, index, hunk, place)
            number += 1
