"""What was done to the files under a review so far, and how it went. No Textual."""

from qcode.tui.review.chrome import past
from qcode.tui.review.deeds import conflicts
from qcode.tui.review.outcome import Beyond, Deeds
from qcode.tui.review.page import Drawn, Look
from qcode.tui.review.state import Item, ReviewState
from qcode.workspace.gitactions import Done


class Carrying:
    """Beside the state, which knows only decisions."""

    def __init__(self, state: ReviewState, deeds: Deeds) -> None:
        self.state, self.deeds = state, deeds
        self.notes: dict[int, str] = {}
        """By number of an item: what could not be done about it."""
        self.settled: dict[int, str] = {}
        """By number of an item: what was done."""
        self.staged = {
            item.number for item in state.items if item.place - 1 in state.files[item.file].staged
        }
        self.said: tuple[str, ...] = ()
        """What was done, as sentences."""
        self._beyond: dict[int, Beyond | None] = {}
        self._drawn: Drawn = {}

    def look(self, width: int, *, beside: bool) -> Look:
        """How the page is looked at."""
        item, deeds = self.state.item, self.deeds
        return Look(
            width,
            beside,
            frozenset(self.staged),
            self.notes,
            self.settled,
            self._beyond.get(item.file) if item else None,
            {"keep": past(deeds.keeps), "drop": past(deeds.drops), "edited": "edited"},
            self._drawn,
            others=deeds.others,
        )

    async def read(self, item: Item) -> None:
        """The file of an item, for more context; once."""
        if self.deeds.look is not None and item.file not in self._beyond:
            self._beyond[item.file] = await self.deeds.look(self.state.files[item.file])

    async def new_conflicts(self) -> bool:
        """Whether a file changed under its proposal since this was asked last."""
        found = await conflicts(self.state, self.deeds)
        is_news = bool(found.keys() - self.state.conflicts.keys())
        self.state.conflicts |= found
        return is_news

    async def carry_out(self) -> None:
        """What was decided, file by file. What could not be done stands in `notes`."""
        self.notes.clear()
        for index in range(len(self.state.files)):
            if said := await self._carry(index):
                self.said = (*self.said, said)

    async def _carry(self, index: int) -> str:
        change = self.state.files[index]
        numbers = {item.place - 1: item.number for item in self.state.of_file(index)}
        chosen = {
            place: choice
            for place, choice in self.state.chosen(index).items()
            if numbers[place] not in self.settled
        }
        if not chosen or self.deeds.rewrite is None:
            return ""
        made = await self.deeds.rewrite(change, chosen)
        self.notes |= {numbers[place]: why for place, why in made.failed.items()}
        good = [place for place in chosen if place not in made.failed]
        self.settled |= {numbers[place]: "done" for place in good}
        return _sentence(change.path, len(good), made) if good else ""

    async def stage(self, item: Item) -> None:
        """Into the index, or out of it."""
        deed = self.deeds.unstage if item.number in self.staged else self.deeds.stage
        if deed is None:
            return
        made = await deed(self.state.files[item.file], [item.place - 1])
        self.notes.pop(item.number, None)
        if why := made.failed.get(item.place - 1, ""):
            self.notes[item.number] = why
        else:
            self.staged ^= {item.number}


def _sentence(path: str, hunks: int, made: Done) -> str:
    was = f"; as it was: git cat-file -p {made.was[:12]}" if made.was else ""
    return f"{path}: {hunks} hunk{'' if hunks == 1 else 's'} changed{was}"
