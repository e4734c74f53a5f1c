"""Which blocks are said when: each once, in their order; answers paragraph by paragraph."""

import re
from collections.abc import Sequence

from qcode.tui.blocks import (
    AnswerBlock,
    Block,
    CallBlock,
    NoteBlock,
    PromptBlock,
    ReasoningBlock,
    ShellBlock,
)
from qcode.tui.folding import State
from qcode.tui.phases import phase_words
from qcode.tui.plain_rows import rows
from qcode.tui.plain_voice import Voice
from qcode.tui.status import Status
from qcode.tui.transcript import Change, Cut

PAST_BLOCKS = 12
"""Of a session that goes on, its last."""
FIRST_SECONDS = 5.0
"""A phase that lasts so long is told, and again whenever its time has doubled."""
_FENCE = re.compile(r"^ {0,3}(```|~~~)", re.MULTILINE)


class Printer:
    """Says what a transcript shows."""

    def __init__(self, voice: Voice) -> None:
        self._voice = voice
        self._next = 0
        """Index of the first block that was not said nor put off."""
        self._put_off: set[int] = set()
        """Indexes of blocks that still run."""
        self._thought = False
        """The reasoning of the running answer was said."""
        self._said = ""
        """What was said of the running answer."""
        self._told: tuple[float, float] = (0.0, 0.0)
        """Of which phase was last told, by its beginning, and at which age it is told next."""

    def past(self, blocks: Sequence[Block]) -> None:
        """What was there before."""
        earlier = len(blocks) - PAST_BLOCKS
        if earlier > 0:
            self._voice.line(f"{earlier} earlier entries are in the session.", "dim")
        for block in blocks[-PAST_BLOCKS:]:
            self._say(block)
        self._next, self._put_off = len(blocks), set()

    def show(self, changed: Sequence[Change], state: State, blocks: Sequence[Block]) -> None:
        """Say what has become ready to be said."""
        for change in changed:
            if isinstance(change, Cut):
                self._next = min(self._next, change.count)
                self._put_off = {index for index in self._put_off if index < change.count}
            elif change.index >= self._next:
                self._stream(change.block)
            elif isinstance(change.block, NoteBlock):  # one that took the place of another
                self._say(change.block)
            elif change.index in self._put_off:
                self._perhaps(change.index, change.block)
        while self._next < state.settled:
            self._settle(self._next, blocks[self._next])
            self._next += 1
        if state.asked is None:
            self._thought, self._said = False, ""

    def tick(self, status: Status, now: float) -> None:
        """A word on what takes long."""
        since, due = self._told
        if status.since != since:
            self._told = (status.since, FIRST_SECONDS)
        elif status.phase not in ("idle", "asking") and now - since >= due:
            self._told = (since, 2 * due)
            self._voice.line(f"… {phase_words(status, now).replace(' · ', ', ')}", "dim")

    def _stream(self, block: Block) -> None:
        """An answer in the making."""
        if isinstance(block, ReasoningBlock) and block.state == "done" and not self._thought:
            self._thought = True
            self._say(block)
        elif isinstance(block, AnswerBlock) and block.state == "open":
            self._paragraphs(block.text)

    def _paragraphs(self, text: str) -> None:
        """Those that are whole by now, and were not said."""
        self._said = self._said if text.startswith(self._said) else ""
        new = text[len(self._said) :]
        new = new[: _end_of_paragraphs(new)]
        if new.strip():
            self._paragraph(new)
            self._said += new

    def _paragraph(self, text: str) -> None:
        """Parted from the one before."""
        if self._said:
            self._voice.line("")
        self._voice.line(text.strip("\n"))

    def _settle(self, index: int, block: Block) -> None:
        if isinstance(block, CallBlock | ShellBlock):
            self._put_off.add(index)
            self._perhaps(index, block)
        elif isinstance(block, ReasoningBlock):
            if not self._thought:
                self._say(block)
        elif isinstance(block, AnswerBlock):
            self._rest(block)
        elif not (isinstance(block, PromptBlock) and block.kind != "qcode"):
            self._say(block)  # the person has just typed their own words

    def _rest(self, block: AnswerBlock) -> None:
        """What was not said yet; a void answer ends where it was."""
        text = block.text.lstrip() if block.state != "void" else self._said
        self._said = self._said if text.startswith(self._said) else ""
        if (rest := text[len(self._said) :]).strip():
            self._paragraph(rest)
        self._said = ""

    def _perhaps(self, index: int, block: Block) -> None:
        """Say it if it runs no more."""
        runs = ("writing", "queued", "waiting", "running")
        if isinstance(block, CallBlock | ShellBlock) and block.state not in runs:
            self._put_off.discard(index)
            self._say(block)

    def _say(self, block: Block) -> None:
        for text, style in rows(block):
            self._voice.line(text, style)


def _end_of_paragraphs(text: str) -> int:
    """Where the last paragraph that is whole ends; one in a fence is not."""
    end = text.rfind("\n\n")
    while end > 0 and len(_FENCE.findall(text, 0, end)) % 2:
        end = text.rfind("\n\n", 0, end)
    return max(end, 0)
