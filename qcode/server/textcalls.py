"""The text of an answer -> text, and the calls that leaked into it.

Works by lines, so that no cut of the stream can change what comes out: a line of prose is shown
as it comes, up to the first sign that might begin a call; from the opening of a call on, lines are
held until it is told whether they are one. Tags in code, in sentences and of unknown tools are
prose. How the two forms of a call are read is in `qwenxml` and `hermes`.
"""

import re
from dataclasses import dataclass
from typing import Literal

from qcode.server import hermes, qwenxml
from qcode.server.found import Found, Look, NotYet
from qcode.server.offered import Offered
from qcode.server.openings import (
    CLOSERS,
    HALF_CLOSER,
    JSON,
    JSON_BEGIN,
    LONE_CLOSE,
    MALFORMED,
    NAME,
    OPEN_BLOCK,
    OPENER,
    QUOTES,
    is_example,
    is_only_tags,
    is_placeholder,
    may_begin,
    may_end,
    may_open,
)
from qcode.server.prose import Prose

CLOSE = "</think>"


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of the text, in order."""

    kind: Literal["text", "call", "half", "reasoning", "close"]
    """`half` = a call without its end; `close` = a `</think>` that no block here opened."""
    raw: str
    name: str = ""
    arguments: str = ""


@dataclass(frozen=True, slots=True)
class Show:
    """For the eye: text or reasoning as it comes; or that a call is written."""

    kind: Literal["text", "reasoning", "call"]
    text: str = ""
    """The call's name, where it is one."""
    index: int = 0
    characters: int = 0
    added: str = ""
    """What came of the call since it was last shown."""


_LINES = re.compile(r"[^\n]*\n|[^\n]+")
_WORK_PER_CHARACTER, _FREE_WORK = 8, 100_000
_LONGEST_TAIL = 40
"""So much is enough to tell that a line is no mere prose."""
_NAME_WITHIN = 1_000
_MOST_WASTE = 2_000_000
"""Characters held for openings that were none, all together: then openings are prose."""


class TextCalls:
    """Feed it text as it comes, then finish; `pieces` is what the text was."""

    def __init__(self, offered: Offered) -> None:
        self.pieces: list[Piece] = []
        self.calls = 0
        """How many calls were found."""
        self._offered = offered
        self._prose = Prose()
        self._state: Literal["prose", "call", "think"] = "prose"
        self._line: list[str] = []  # of the line that has not ended
        self._line_size = 0
        self._shown = 0  # characters of it that were shown
        self._tail = ""  # of it, held back
        self._is_held = False  # the rest of it is, whatever it is
        self._before = ""  # the last line of prose with words, up to a call
        self._in_span = False  # the call that is held stands in a code span
        self._after_call = False
        self._had_words = False
        self._held: list[str] = []
        self._held_size = 0
        self._held_name = ""
        self._work = 0
        self._waste = 0
        self._suspect: int | None = None
        self._shows: list[Show] = []
        self._skip_show = 0

    def feed(self, text: str) -> list[Show]:
        """What may be shown now."""
        if "\n" not in text:
            self._partial(text)
        else:
            first, *lines, last = text.split("\n")
            self._whole("".join((*self._line, first, "\n")))
            for line in lines:
                self._whole(line + "\n")
            if last:
                self._partial(last)
        if (self._state == "call" or self._is_held) and self._name():
            size = self._held_size + self._line_size
            self._shows.append(Show("call", self._held_name, self.calls, size, text))
        shows, self._shows = self._shows, []
        return shows

    def finish(self) -> list[Show]:
        """Nothing follows: what is held is told apart now."""
        if self._line:
            self._whole("".join(self._line))
        while self._state == "call":
            self._try(is_ended=True)
        if self._state == "think":
            self._unclosed_block()
        self._cut_at_suspect()
        shows, self._shows = self._shows, []
        return shows

    # A line that has not ended.

    def _partial(self, text: str) -> None:
        self._line.append(text)
        self._line_size += len(text)
        if self._state != "prose" or self._is_held:
            return
        tail = self._tail + text
        if self._prose.in_fence or ("<" not in tail and (self._shown or not tail.startswith("{"))):
            self._tail = ""
            self._show_partial(tail)
            return
        at = self._holds_from(tail)
        self._show_partial(tail[:at])
        self._tail = tail[at:]
        self._is_held = len(self._tail) > _LONGEST_TAIL

    def _holds_from(self, tail: str) -> int:
        """Where the part begins that may be more than prose."""
        if not self._shown and tail.startswith("{") and JSON_BEGIN.fullmatch(tail):
            return 0
        at = tail.find("<")
        while at >= 0:
            is_quoted = at > 0 and tail[at - 1] in QUOTES
            if not is_quoted and may_begin(tail[at:]):
                return at
            at = tail.find("<", at + 1)
        return len(tail)

    def _show_partial(self, text: str) -> None:
        if text:
            self._shown += len(text)
            self._shows.append(Show("text", text))

    # A whole line.

    def _whole(self, line: str) -> None:
        self._line, self._line_size = [], 0
        self._tail, self._is_held = "", False
        self._skip_show, self._shown = self._shown, 0
        self._take(line)
        self._skip_show = 0

    def _take(self, line: str) -> None:
        match self._state:
            case "prose":
                self._take_prose(line)
            case "think":
                self._take_thought(line)
            case "call":
                self._hold(line)
                if len(self._held) < 4 or any(map(may_end, self._held[-2:])):
                    self._try(is_ended=False)

    def _take_prose(self, line: str) -> None:
        if self._after_call:
            line = self._without_closers(line)
            if not line:
                return
        if self._prose.takes(line):
            self._text(line)
            return
        at = 0
        if "<" not in line and not line.startswith("{"):  # by far the most
            self._prose.passes(line)
            self._text(line)
            return
        if self._waste > _MOST_WASTE:
            self._text_with_closes(line, is_code=self._prose.passes(line))
            return
        if line.startswith("{") and JSON.match(line):
            self._in_span = False
            self._open(line)
            return
        if OPEN_BLOCK.match(line) and not self._prose.passes(""):
            self._state = "think"
            self._hold(line)
            return
        for match in OPENER.finditer(line):
            is_code = self._prose.passes(line[at : match.start()])
            at = match.start()
            if may_open(line, at) and (not is_code or not at):
                self._in_span = is_code  # or a backtick has lost its partner
                self._text(line[:at])
                self._open(line[at:])
                return
        is_code = self._prose.passes(line[at:])
        self._text_with_closes(line, is_code=is_code)

    def _without_closers(self, line: str) -> str:
        """Blank lines and orphan closing tags behind a call belong to nobody."""
        while match := CLOSERS.match(line):
            line = line[match.end() :]
        if line.strip():
            self._after_call = False
            return line
        self.pieces.append(Piece("text", "\n"))
        return ""

    def _text_with_closes(self, line: str, *, is_code: bool) -> None:
        match = None if is_code or "<think>" in line else LONE_CLOSE.search(line)
        if match is None:
            self._text(line)
            return
        self._text(line[: match.start()])
        self.pieces.append(Piece("close", CLOSE))
        self._skip_show = max(0, self._skip_show - len(CLOSE))
        self._text(line[match.end() :])

    def _text(self, text: str) -> None:
        if not text:
            return
        self.pieces.append(Piece("text", text))
        if text.strip():
            self._before, self._had_words = text, True
        fresh = text[self._skip_show :]
        self._skip_show = max(0, self._skip_show - len(text))
        if fresh:
            self._shows.append(Show("text", fresh))

    # A second block of reasoning.

    def _take_thought(self, line: str) -> None:
        self._hold(line)
        if CLOSE in line:
            raw = "".join(self._held)
            inner, _, rest = raw.partition(CLOSE)
            self._drop_held()
            self._state = "prose"
            self.pieces.append(Piece("reasoning", inner.removeprefix("<think>")))
            self._shows.append(Show("reasoning", inner.removeprefix("<think>")))
            if rest.strip():
                self._take(rest)

    def _unclosed_block(self) -> None:
        """At the head of the text it is reasoning; later on, words about a mark."""
        raw = "".join(self._held)
        self._drop_held()
        self._state = "prose"
        if self._had_words:
            self._text(raw)
        else:
            self.pieces.append(Piece("reasoning", raw.removeprefix("<think>")))

    # A call.

    def _hold(self, text: str) -> None:
        self._held.append(text)
        self._held_size += len(text)

    def _drop_held(self) -> None:
        self._held, self._held_size, self._held_name, self._work = [], 0, "", 0

    def _open(self, text: str) -> None:
        self._state = "call"
        self._hold(text)
        self._try(is_ended=False)

    def _name(self) -> str:
        if not self._held_name and self._held_size + self._line_size < _NAME_WITHIN:
            line = "".join(self._line)[self._shown :]
            if match := NAME.search("".join((*self._held, line))):
                self._held_name = match[1] or match[2]
        return self._held_name

    def _try(self, *, is_ended: bool) -> None:
        size = self._held_size
        if not is_ended and self._work + size > _WORK_PER_CHARACTER * size + _FREE_WORK:
            return  # what was tried before is enough for now: the work must stay linear
        self._work += size
        text = "".join(self._held)
        found = self._look(text, is_ended=is_ended)
        if isinstance(found, NotYet):
            if is_ended:
                self._half(text, found)
        elif isinstance(found, Found):
            self._settle(text, found, is_ended=is_ended)
        else:
            self._release(text)

    def _look(self, text: str, *, is_ended: bool) -> Look:
        if text.startswith("{"):
            return hermes.look_bare(text, self._offered)
        return qwenxml.look(text, self._offered, is_ended=is_ended)

    def _settle(self, text: str, found: Found, *, is_ended: bool) -> None:
        behind = text[found.end :]
        while match := CLOSERS.match(behind):
            behind = behind[match.end() :]
        follows = self._follows(behind, is_ended=is_ended)
        known = self._offered.has(found.name)
        if follows == "unknown" and (
            not known or self._is_inline or not found.is_closed or is_example(self._before)
        ):
            return  # what follows decides
        if not self._is_call(found, follows, behind):
            self._prose_until(text, found.end)
            return
        self.pieces.append(Piece("call", text[: found.end], found.name, found.arguments))
        self._shows.append(Show("call", found.name, self.calls, len(found.arguments)))
        self.calls += 1
        self._go_on(behind, after_call=True)

    def _follows(self, behind: str, *, is_ended: bool) -> Literal["end", "call", "text", "unknown"]:
        rest = behind.lstrip()
        if not rest or (is_ended and HALF_CLOSER.match(rest)):
            return "end" if is_ended else "unknown"
        return "call" if OPENER.match(rest) else "text"

    @property
    def _is_inline(self) -> bool:
        """Whether words stand before the call on its line."""
        return bool(self._before) and not self._before.endswith("\n") and self._had_words

    def _is_call(self, found: Found, follows: str, behind: str) -> bool:
        known = self._offered.has(found.name)
        if self._in_span and behind.startswith("`"):
            return False
        if found.is_bare_json:
            return known and follows == "end" and not self._had_words
        if not known:
            return found.is_wrapped and follows != "text" and not is_placeholder(found.name)
        if follows != "text":
            return True
        words = behind.lstrip()
        goes_on = words[:1].islower() or words[:1] in ",;)"
        return not (self._is_inline or goes_on or is_example(self._before))

    def _half(self, text: str, seen: NotYet) -> None:
        """The text ended in it."""
        is_known = bool(seen.name) and self._offered.has_begin(seen.name)
        if self._in_span:
            is_half = False
        elif text.startswith("{"):
            is_half = is_known and not self._had_words
        elif self._is_inline:
            is_half = is_known
        else:
            is_half = is_known or (seen.is_wrapped and not is_placeholder(seen.name))
        if not is_half:
            self._release(text)
            return
        self._drop_held()
        self._state = "prose"
        self.pieces.append(Piece("half", text, seen.name))

    def _release(self, text: str) -> None:
        """It is no call: its opening is prose, and what follows is looked at for itself."""
        match = OPENER.match(text)
        self._waste += len(text)
        if match and not self._is_inline and not self._is_in_suspect():
            self._suspect = len(self.pieces)
        self._prose_until(text, match.end() if match else 1)

    def _is_in_suspect(self) -> bool:
        """The tag before this one was released just now."""
        if self._suspect is None or len(self.pieces) - self._suspect > 4:
            return False
        return is_only_tags("".join(piece.raw for piece in self.pieces[self._suspect :]))

    def _prose_until(self, text: str, end: int) -> None:
        """Text up to the end of the line of `end`."""
        head, rest = text[:end], text[end:]
        if not head.endswith("\n"):
            line, line_end, rest = rest.partition("\n")
            head += line + line_end
        for line in head.splitlines(keepends=True):
            self._prose.takes(line)
            self._prose.passes(line)
        self._text(head)
        self._go_on(rest, after_call=False)

    def _go_on(self, rest: str, *, after_call: bool) -> None:
        self._drop_held()
        self._state, self._after_call = "prose", after_call
        if after_call:
            self._before, self._suspect = "", None
        for line in _LINES.findall(rest):
            self._take(line)

    def _cut_at_suspect(self) -> None:
        """A body that cannot be read, of a tool that is offered, at the end of the text: a call
        that went wrong. With an ellipsis in it, words about the format."""
        if self._suspect is None:
            return
        since = self.pieces[self._suspect :]
        raw = "".join(piece.raw for piece in since)
        match = MALFORMED.fullmatch(raw)
        if (
            match is None
            or "..." in raw
            or "…" in raw
            or {piece.kind for piece in since} != {"text"}
        ):
            return
        if self._offered.has(match["name"]):
            self.pieces[self._suspect :] = [Piece("half", raw, match["name"])]
