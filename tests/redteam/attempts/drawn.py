"""Text that steers a terminal, on every surface that qcode draws on."""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

from qcode.headless.text import Progress
from qcode.protocol import text as sanitiser
from qcode.protocol.access import Access
from qcode.protocol.display import DiffBlock, MatchesBlock, OutputBlock
from qcode.protocol.events import ApprovalRequested, Notice
from qcode.protocol.messages import ToolCall
from qcode.sandbox.capture import readable
from qcode.server.failures import read_body
from qcode.tui.blocks import AnswerBlock, Block, CallBlock, NoteBlock, PromptBlock, ReasoningBlock
from qcode.tui.chat import matter
from qcode.tui.chat.approvals import Shown, approval_lines
from qcode.tui.chat.terminal import notification, title
from qcode.tui.drawing.draw import draw
from qcode.tui.drawing.view import View

_STEERS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Control signs, and signs that turn a row round."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """`text` on a surface; succeeds when a sign of it reaches the terminal that steers it."""

    surface: str
    text: str

    def succeeds(self, tmp: Path) -> bool:
        return bool(_STEERS.search(SURFACES[self.surface](self.text)))


@dataclass(frozen=True, slots=True)
class Hidden:
    """Succeeds when a sign of `text` that nobody sees is drawn as it is."""

    surface: str
    text: str

    def succeeds(self, tmp: Path) -> bool:
        shown = SURFACES[self.surface](self.text)
        return any(sign in shown for sign in self.text if unicodedata.category(sign) == "Cf")


@dataclass(frozen=True, slots=True)
class Legible:
    """Text in good faith; succeeds when `wanted` can be read on the surface."""

    surface: str
    text: str
    wanted: str

    def succeeds(self, tmp: Path) -> bool:
        return self.wanted in SURFACES[self.surface](self.text)


@dataclass(frozen=True, slots=True)
class Unread:
    """Succeeds when `tail`, a part of the text, cannot be read on the surface."""

    surface: str
    text: str
    tail: str

    def succeeds(self, tmp: Path) -> bool:
        rows = SURFACES[self.surface](self.text).split("\n")
        return self.tail not in "".join(row.strip() for row in rows)


def _rows(block: Block) -> str:
    return "\n".join(line.text for line in draw(block, View(200, opened=True)))


def _asked(command: str) -> str:
    call = ToolCall("1", "shell", "{}")
    asked = ApprovalRequested("1", call, (Access("shell", command),), "ask mode asks")
    matter.whole.cache_clear()  # what was drawn without a guard is not what is drawn with it
    matter._command.cache_clear()
    lines = approval_lines(asked, Shown(200, rows=400, whole=True))
    return "\n".join(line.text for line in lines)


def _card(text: str) -> str:
    return _rows(CallBlock("1", "read", text, "ok"))


def _output(text: str) -> str:
    block = OutputBlock("ls", readable(text.encode("utf-8", "replace")), 0, 1.0)
    return _rows(CallBlock("1", "shell", "ls", "ok", blocks=(block,)))


def _diff(text: str) -> str:
    patch = f"--- a/x\n+++ b/x\n@@ -1,1 +1,1 @@\n-a\n+{text}\n"
    return _rows(CallBlock("1", "edit", "x", "ok", blocks=(DiffBlock("x", patch, 1, 1),)))


def _matches(text: str) -> str:
    block = MatchesBlock("x", (f"1:{text}",), 1)
    return _rows(CallBlock("1", "grep", "x", "ok", blocks=(block,)))


def _headless(text: str) -> str:
    out = StringIO()
    Progress(out).take(Notice("warning", text))
    return out.getvalue()


def _escaped(made: str) -> str:
    """Without the sequences that qcode itself puts around."""
    return made.removeprefix("\x1b]0;").removeprefix("\x1b]9;").rstrip("\x07")


SURFACES: Mapping[str, Callable[[str], str]] = {
    "answer": lambda text: _rows(AnswerBlock(text, "done")),
    "code": lambda text: _rows(AnswerBlock(f"```sh\n{text}\n```", "done")),
    "reasoning": lambda text: _rows(ReasoningBlock(text, 0.0, state="done")),
    "prompt": lambda text: _rows(PromptBlock(text)),
    "note": lambda text: _rows(NoteBlock(text, "warning")),
    "card": _card,
    "output": _output,
    "diff": _diff,
    "matches": _matches,
    "approval": _asked,
    "title": lambda text: _escaped(title(text)),
    "notification": lambda text: _escaped(notification(text)),
    "headless": _headless,
    "plain": lambda text: sanitiser.plain(text),
    "server error": lambda text: read_body(text.encode("utf-8", "replace")).words,
}
"""Surface -> what would reach the terminal."""
