"""The blocks of the conversation and the lines they are drawn as. Drawn once for each block, width
and way of being opened, only when somebody looks, and kept as long as there is room."""

import logging
from collections import OrderedDict
from collections.abc import Callable, Sequence

import msgspec

from qcode.protocol.text import one_line
from qcode.tui.blocks import AnswerBlock, Block, CallBlock, NoteBlock, ReasoningBlock
from qcode.tui.layout import Place
from qcode.tui.lines import BLANK, Line, Span

_log = logging.getLogger(__name__)

Draw = Callable[[Block, int, bool], Sequence[Line]]
"""Block, width, whether it is opened -> its lines, no blank ones around them."""

KEPT_LINES = 6_000
"""Lines kept at once, some 5 MB; what goes is drawn again when it is looked at."""

UNFINISHED = frozenset({"open", "writing", "queued", "waiting", "running"})
"""States of what still runs."""


def gap(above: Block | None, block: Block) -> int:
    """Blank rows between two blocks: cards and notes stand close, an answer to its reasoning."""
    close = (CallBlock, NoteBlock)
    if isinstance(above, close) and isinstance(block, close):
        return 0
    return 0 if above is None or isinstance(above, ReasoningBlock) else 1


class _Drawn(msgspec.Struct, frozen=True):
    block: Block
    opened: bool
    gap: int
    lines: Sequence[Line]


def _has_clock(block: Block) -> bool:
    return not isinstance(block, AnswerBlock) and getattr(block, "state", "") in UNFINISHED


class Sheet:
    """Blocks by their index, from 0 without holes."""

    def __init__(self, draw: Draw) -> None:
        self.blocks: list[Block] = []
        self.width = 0
        self.draws = 0
        """Blocks drawn so far."""
        self._draw = draw
        self._drawn: OrderedDict[int, _Drawn] = OrderedDict()
        self._lines = 0
        self._opened: dict[int, bool] = {}
        self._kinds: dict[type, bool] = {}

    def __len__(self) -> int:
        return len(self.blocks)

    def fit(self, width: int) -> None:
        """Lines are of this width from now on."""
        if width != self.width:
            self.width = width
            self.forget_all()

    def forget(self, index: int) -> None:
        """Draw that block anew when it is looked at."""
        if found := self._drawn.pop(index, None):
            self._lines -= len(found.lines)

    def forget_all(self) -> None:
        """Draw every block anew when it is looked at."""
        self._drawn.clear()
        self._lines = 0

    def put(self, index: int, block: Block) -> None:
        """In the place of the one with that index, or after the last."""
        if index == len(self.blocks):
            self.blocks.append(block)
        else:
            self.blocks[index] = block

    def cut(self, count: int) -> None:
        """Keep the first `count`."""
        del self.blocks[count:]
        for index in [one for one in self._drawn if one >= count]:
            self.forget(index)
        self._opened = {index: how for index, how in self._opened.items() if index < count}

    def unfinished(self) -> tuple[int, ...]:
        """Those of the drawn ones that may show a clock."""
        return tuple(index for index in self._drawn if _has_clock(self.blocks[index]))

    def opened(self, index: int) -> bool:
        """Whether that block is."""
        return self._opened.get(index, self._kinds.get(type(self.blocks[index]), False))

    def toggle(self, index: int) -> None:
        """Open that block, or close it."""
        self._opened[index] = not self.opened(index)

    def toggle_all(self, kind: type[Block]) -> None:
        """All of a kind, those to come too."""
        self._kinds[kind] = not self._kinds.get(kind, False)
        for index in [one for one in self._opened if type(self.blocks[one]) is kind]:
            del self._opened[index]

    def height(self, index: int) -> int:
        """Rows of a block, those that part it from the one above among them; 0 = it has no line."""
        drawn = self._look(index)
        return drawn.gap + len(drawn.lines) if drawn.lines else 0

    def gap(self, index: int) -> int:
        """Blank rows at its head."""
        return self._look(index).gap

    def lines(self, index: int) -> Sequence[Line]:
        """What that block is drawn as."""
        return self._look(index).lines

    def line(self, place: Place) -> Line:
        """One row; blank where there is none."""
        drawn = self._look(place.block)
        row = place.row - drawn.gap
        return drawn.lines[row] if 0 <= row < len(drawn.lines) else BLANK

    def _look(self, index: int) -> _Drawn:
        block, opened = self.blocks[index], self.opened(index)
        space = gap(self.blocks[index - 1] if index else None, block)
        found = self._drawn.get(index)
        if found and found.block is block and (found.opened, found.gap) == (opened, space):
            self._drawn.move_to_end(index)
            return found
        self.forget(index)
        drawn = self._drawn[index] = _Drawn(block, opened, space, self._safely(block, opened))
        self._lines += len(drawn.lines)
        while self._lines > KEPT_LINES and len(self._drawn) > 1:
            self.forget(next(iter(self._drawn)))
        return drawn

    def _safely(self, block: Block, opened: bool) -> Sequence[Line]:  # noqa: FBT001  as in `Draw`
        self.draws += 1
        try:
            return self._draw(block, self.width, opened)
        except Exception as error:  # noqa: BLE001  one block that cannot be drawn must not cost all
            _log.exception("a %s cannot be drawn", type(block).__name__)
            said = f"  This part cannot be drawn: {type(error).__name__}: {error}"
            return (Line((Span(one_line(said, max(self.width, 20)), "error"),), skip=2),)
