"""The text of an answer -> text, and the calls that leaked into it.

Works by lines, so that no cut of the stream can change what comes out: from the opening of a call
on, lines are held until it is told whether they are one. Tags in code, in sentences and of unknown
tools are prose. How the two forms of a call are read is in `qwenxml` and `hermes`, whether one is
meant in `judgement`, what is shown meanwhile in `screen`.
"""

import re
from collections import deque
from typing import Literal

from qcode.server import hermes, qwenxml
from qcode.server.found import Found, Look, NotYet
from qcode.server.held import Held
from qcode.server.judgement import is_half, verdict
from qcode.server.offered import Offered
from qcode.server.openings import CLOSERS, JSON, OPEN_BLOCK, OPENER, may_open, name_in
from qcode.server.pieces import CLOSE, Piece, Pieces
from qcode.server.prose import Prose
from qcode.server.screen import Screen, Show
from qcode.server.wreck import Wreck

_LINES = re.compile(r"[^\n]*\n|[^\n]+")
_NAME_WITHIN = 1_000
_MOST_WASTE = 2_000_000
"""Characters held for openings that were none, all together: then openings are prose."""


class TextCalls:
    """Feed it text as it comes, then finish; `pieces` is what the text was."""

    def __init__(self, offered: Offered) -> None:
        self._offered = offered
        self._screen = Screen()
        self._pieces = Pieces(self._screen)
        self._wreck = Wreck(self._pieces.all)
        self._prose = Prose()
        self._state: Literal["prose", "call", "think"] = "prose"
        self._line: list[str] = []  # the line that has not ended
        self._line_size = 0
        self._lines: deque[str] = deque()  # whole lines that are to be told apart
        self._held = Held()
        self._place = self._pieces.place(in_span=False)  # of the call that is held
        self._after_call = False
        self._waste = 0

    @property
    def pieces(self) -> list[Piece]:
        """What was told apart so far."""
        return self._pieces.all

    @property
    def calls(self) -> int:
        """How many calls were found."""
        return self._pieces.calls

    def feed(self, text: str) -> list[Show]:
        """What may be shown now."""
        last = text
        if "\n" in text:
            *ends, last = text.split("\n")
            for end in ends:
                self._line.append(end + "\n")
                self._end_line()
        if last:
            self._line.append(last)
            self._line_size += len(last)
            if self._state == "prose":
                self._screen.grow(last, in_fence=self._prose.in_fence)
        if self._state == "call" or self._screen.is_held:
            self._show_call(text)
        return self._screen.take()

    def finish(self) -> list[Show]:
        """Nothing follows: what is held is told apart now."""
        if self._line:
            self._end_line()
        while self._state == "call":
            self._look(is_ended=True)
            self._take_lines()
        if self._state == "think":
            self._pieces.open_thought(self._drop())
        self._wreck.cut(self._offered)
        return self._screen.take()

    def _show_call(self, added: str) -> None:
        """That a call grows, once its name is told."""
        held, size = self._held, self._held.size + self._line_size
        if not held.name and size < _NAME_WITHIN:
            held.name = name_in(held.text() + "".join(self._line)[self._screen.shown :])
        if held.name:
            self._screen.call(held.name, self.calls, size, added)

    # Whole lines.

    def _end_line(self) -> None:
        self._lines.append("".join(self._line))
        self._line, self._line_size = [], 0
        self._screen.end_line()
        self._take_lines()
        self._screen.begin_line()

    def _take_lines(self) -> None:
        while self._lines:
            line = self._lines.popleft()
            match self._state:
                case "prose":
                    self._take_prose(line)
                case "think":
                    self._take_thought(line)
                case "call":
                    self._held.add(line)
                    if self._held.is_due:
                        self._look(is_ended=False)

    def _again(self, text: str) -> None:
        """`text` is to be told apart before the lines that wait."""
        self._lines.extendleft(reversed(_LINES.findall(text)))

    def _take_prose(self, line: str) -> None:
        if self._after_call:
            line = _without_closers(line)
            if not line.strip():
                self._pieces.blank()
                return
            self._after_call = False
        if self._prose.takes(line):
            self._pieces.text(line)
        elif "<" not in line and not line.startswith("{"):  # by far the most
            self._prose.passes(line)
            self._pieces.text(line)
        elif line.startswith("{") and JSON.match(line) and self._may_hold:
            self._open(line, in_span=False)
        elif OPEN_BLOCK.match(line) and not self._prose.passes("") and self._may_hold:
            self._state = "think"
            self._held.add(line)
        else:
            self._take_tags(line)

    @property
    def _may_hold(self) -> bool:
        return self._waste <= _MOST_WASTE

    def _take_tags(self, line: str) -> None:
        """A line with tags in it, which may open a call."""
        at = 0
        for tag in OPENER.finditer(line) if self._may_hold else ():
            in_span = self._prose.passes(line[at : tag.start()])
            at = tag.start()
            if may_open(line, at) and (not in_span or not at):  # or a backtick lost its partner
                self._pieces.text(line[:at])
                self._open(line[at:], in_span=in_span)
                return
        if self._prose.passes(line[at:]):
            self._pieces.text(line)
        else:
            self._pieces.prose(line)

    def _take_thought(self, line: str) -> None:
        """A later block of reasoning goes on."""
        self._held.add(line)
        if CLOSE in line:
            self._state = "prose"
            rest = self._pieces.thought(self._drop())
            if rest.strip():
                self._again(rest)

    # Calls.

    def _open(self, text: str, *, in_span: bool) -> None:
        self._state = "call"
        self._place = self._pieces.place(in_span=in_span)
        self._held.add(text)
        self._look(is_ended=False)

    def _drop(self) -> str:
        """What was held; nothing is from here on."""
        text, self._held = self._held.text(), Held()
        return text

    def _look(self, *, is_ended: bool) -> None:
        """Whether what is held can be told apart now."""
        text = self._held.look()
        found = _read(text, self._offered, is_ended=is_ended)
        match found:
            case Found():
                self._judge(text, found, is_ended=is_ended)
            case NotYet():
                if is_ended:
                    self._end_within(text, found)
            case _:
                self._give_up(text)

    def _judge(self, text: str, found: Found, *, is_ended: bool) -> None:
        behind = _without_closers(text[found.end :])
        match verdict(found, self._place, behind, self._offered, is_ended=is_ended):
            case "call":
                self._pieces.call(text[: found.end], found)
                self._wreck.is_over()
                self._go_on(behind, after_call=True)
            case "text":
                self._quote(text, found.end)

    def _end_within(self, text: str, seen: NotYet) -> None:
        if is_half(seen, self._place, self._offered, is_bare_json=text.startswith("{")):
            self._pieces.half(self._drop(), seen.name)
            self._state = "prose"
        else:
            self._give_up(text)

    def _give_up(self, text: str) -> None:
        """It is no call: its opening is prose, and what follows is looked at for itself."""
        tag = OPENER.match(text)
        self._waste += len(text)
        if tag and not self._place.is_inline:
            self._wreck.begins()
        self._quote(text, tag.end() if tag else 1)

    def _quote(self, text: str, end: int) -> None:
        """The lines up to `end` are prose, as a whole."""
        line_end = text.find("\n", end - 1) + 1 or len(text)
        for line in _LINES.findall(text[:line_end]):
            self._prose.takes(line)
            self._prose.passes(line)
        self._pieces.text(text[:line_end])
        self._go_on(text[line_end:], after_call=False)

    def _go_on(self, rest: str, *, after_call: bool) -> None:
        self._drop()
        self._state, self._after_call = "prose", after_call
        self._again(rest)


def _read(text: str, offered: Offered, *, is_ended: bool) -> Look:
    if text.startswith("{"):
        return hermes.look_bare(text, offered)
    return qwenxml.look(text, offered, is_ended=is_ended)


def _without_closers(text: str) -> str:
    """Orphan closing tags at its start belong to nobody."""
    while match := CLOSERS.match(text):
        text = text[match.end() :]
    return text
