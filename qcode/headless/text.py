"""`--output-format text`: progress on stderr, the answer alone on stdout."""

import sys
import time
from typing import TextIO

from qcode.protocol.display import Block, DiffBlock, FileBlock, MatchesBlock, OutputBlock
from qcode.protocol.events import (
    AnyEvent,
    LoopSeen,
    Notice,
    PromptProgress,
    ReasoningDelta,
    Repaired,
    Retried,
    ServerState,
    SessionStarted,
    TextDelta,
    ToolCallDelta,
    ToolCallFinished,
    ToolCallStarted,
    Usage,
    Verified,
)
from qcode.protocol.text import one_line, plain

LIVE_SECONDS = 0.1
"""The live line is rewritten at most this often."""


class Progress:
    """Writes one line a call to stderr and, on a terminal, one live line that says the phase."""

    def __init__(self, out: TextIO) -> None:
        self.out = out
        self._live = out.isatty()
        self._shown = 0.0
        self._dirty = False
        self._pieces = 0
        self._summaries: dict[str, str] = {}

    def take(self, event: AnyEvent) -> None:
        """Show one event, or nothing."""
        match event:
            case ReasoningDelta():
                self._count("thinking")
            case TextDelta():
                self._count("writing")
            case ToolCallDelta(_, name):
                self._count(f"writing a call of {name}" if name else "writing a call")
            case PromptProgress(total, _, processed, seconds):
                share = 100 * processed // max(total, 1)
                self._status(f"reading prompt {share} % of {total:,} tokens · {seconds:.0f} s")
            case ServerState(state, detail, seconds):
                self._status(f"server {state} {seconds:.0f} s {detail}".rstrip())
            case _:
                self._lines(event)

    def _lines(self, event: AnyEvent) -> None:
        match event:
            case SessionStarted():
                where = f" on {event.server}" if event.server else ""
                self.line(f"qcode {event.version} · {event.model}{where} · mode {event.mode}")
            case ToolCallStarted(call, summary):
                self._summaries[call.id] = summary
                self._status(f"running {summary}")
            case ToolCallFinished(message, blocks):
                summary = self._summaries.pop(message.call_id, message.name)
                mark = {"ok": "●", "error": "✗", "denied": "⊘", "cancelled": "○"}[message.status]
                self.line(f"{mark} {summary}{_told(blocks, message.status, message.text)}")
            case Usage():
                self._usage(event)
            case Verified(command, exit_code, attempt):
                said = "passed" if exit_code == 0 else f"failed (exit {exit_code})"
                self.line(f"verify {attempt}: {command} {said}")
            case Repaired(what):
                self.line(f"  repaired: {what}")
            case Retried(attempt, because, wait_seconds):
                self.line(f"  retry {attempt} in {wait_seconds:g} s: {because}")
            case LoopSeen(kind, detail):
                self.line(f"  loop in {kind}: {detail}")
            case Notice(level, text):
                self.line(f"{level}: {text}")

    def _usage(self, usage: Usage) -> None:
        self._pieces = 0
        if usage.reread_tokens:
            self.line(f"  read {usage.reread_tokens:,} tokens again: {usage.reread_why}")

    def line(self, text: str) -> None:
        """One line that stays."""
        self.clear()
        self.out.write(one_line(text, 400) + "\n")
        self.out.flush()

    def clear(self) -> None:
        """Remove the live line."""
        if self._dirty:
            self.out.write("\r\x1b[K")
            self._dirty = False

    def _count(self, phase: str) -> None:
        self._pieces += 1
        if self._live:
            self._status(f"{phase} · {self._pieces} tokens")

    def _status(self, text: str) -> None:
        now = time.monotonic()
        if not self._live or now - self._shown < LIVE_SECONDS:
            return
        self._shown = now
        self._dirty = True
        self.out.write(f"\r\x1b[K{one_line(text, 76)}")
        self.out.flush()


def _told(blocks: tuple[Block, ...], status: str, text: str) -> str:
    """What stands behind the call on its line."""
    if status != "ok":
        return f" · {one_line(text, 160)}"
    for block in blocks:
        match block:
            case DiffBlock():
                return f" · +{block.added} −{block.removed}"
            case OutputBlock():
                code = "running" if block.exit_code is None else f"exit {block.exit_code}"
                return f" · {code} · {block.seconds:.1f} s"
            case FileBlock():
                of = f" of {block.total_lines}" if block.total_lines else ""
                return f" · {block.first_line}-{block.last_line}{of}"
            case MatchesBlock():
                return f" · {block.total} found"
    return ""


def answer(text: str) -> None:
    """Print the answer on stdout, free of control sequences."""
    sys.stdout.write(plain(text).rstrip("\n") + "\n")
    sys.stdout.flush()
