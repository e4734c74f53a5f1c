"""`--output-format text`: progress on stderr, the answer alone on stdout."""

import sys
import time
from collections.abc import Callable
from typing import TextIO

from qcode.engine import telling
from qcode.headless import prose, words
from qcode.headless.live import Live
from qcode.headless.result import Result
from qcode.headless.talk import columns_of, wrapped
from qcode.protocol.cells import cells, fit
from qcode.protocol.errors import QcodeError
from qcode.protocol.events import (
    AnyEvent,
    ApprovalRequested,
    BudgetReached,
    Compacted,
    Connected,
    Elided,
    LoopSeen,
    MessageCompleted,
    Notice,
    PromptProgress,
    ReasoningDelta,
    Repaired,
    Retried,
    ServerState,
    SessionStarted,
    StepStarted,
    TextDelta,
    ToolCallDelta,
    ToolCallFinished,
    ToolCallProgress,
    ToolCallStarted,
    TurnFinished,
    Usage,
    Verified,
)
from qcode.protocol.text import legible, one_line, plain

VERIFY_ROWS = 5
"""Of a failed check's output, its last lines; the model gets more of it."""

MARKS = {"ok": "●", "error": "✗", "denied": "⊘", "cancelled": "○"}
MOST_CHARACTERS = 300
"""Of a line where there is no terminal that has a width."""
ERROR_ROWS = 2
"""Of a terminal, for what a tool says to the model about a call that went wrong."""
MOST_HINTS = 3
"""On what would allow what was denied; the JSON result has all of them."""


class Progress:
    """One line a call on stderr and, on a terminal, a live line that says what happens now."""

    def __init__(self, out: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self.live = Live(out, clock)
        self._summaries: dict[str, str] = {}
        self._because: dict[str, str] = {}
        self._state = ""
        self._reread_why = ""
        """As last told."""
        self._repaired = ""
        """What was last; that it is asked for again need not be said in the same words."""

    def take(self, event: AnyEvent) -> None:
        """Show one event, or nothing."""
        match event:
            case StepStarted():
                self.live.show("waiting for the model")
            case ReasoningDelta():
                self.live.count("thinking")
            case TextDelta():
                self.live.count("writing")
            case ToolCallDelta(_, name, characters):
                call = f"writing a call of {name}" if name else "writing a call"
                self.live.show(call, f"{characters:,} characters" if characters else "")
            case PromptProgress():
                self.live.show("reading the prompt", telling.reading(event))
            case ToolCallProgress(call_id, text):
                self._running(call_id, text)
            case ServerState():
                self._server(event)
            case TurnFinished():
                self.live.clear()
            case _:
                self._lines(event)

    def _verified(self, event: Verified) -> None:
        """The outcome; of a failure also the end of what the command printed."""
        said = "passed" if event.exit_code == 0 else f"failed (exit {event.exit_code})"
        self.line(f"verify {event.attempt}: {event.command} · {said}")
        if event.exit_code != 0:
            for row in [row for row in event.tail.splitlines() if row.strip()][-VERIFY_ROWS:]:
                self.wrapped(one_line(row, MOST_CHARACTERS))

    def _lines(self, event: AnyEvent) -> None:
        match event:
            case SessionStarted():
                where = f" on {event.server}" if event.server else ""
                model = telling.model(event.model)
                self.line(f"qcode {event.version} · {model}{where} · mode {event.mode}")
            case MessageCompleted(message) if message.calls and message.text.strip():
                self.wrapped(one_line(message.text, MOST_CHARACTERS), indent="")
            case ToolCallStarted(call, summary):
                self._summaries[call.id] = summary
                self._running(call.id)
            case ApprovalRequested(_, call, _, because):
                self._because[call.id] = because
            case ToolCallFinished():
                self._finished(event)
            case Usage(reread_tokens=int(count), reread_why=why) if count:
                self._reread(count, why)
            case Verified():
                self._verified(event)
            case Repaired(what):
                self._repaired = what
                self.wrapped(telling.repaired(event))
            case Retried(because=because) if because not in self._repaired:
                self.wrapped(telling.retried(event))
            case LoopSeen():
                self._looped(event)
            case BudgetReached(why="budget" | "person"):
                self.wrapped(telling.budget(event))
            case Elided() | Compacted():
                self.wrapped(telling.room(event))
            case Connected(host, port, "command", "deny", because):
                self.wrapped(f"no way to {host}:{port} ({because})")
            case Notice(level, text):
                self.wrapped(text if level == "info" else f"{level}: {text}")

    def _reread(self, count: int, why: str) -> None:
        """The reason is told once: with a server that keeps no cache it is the same each time."""
        self.wrapped(
            f"read {count:,} tokens again" + (f": {why}" if why != self._reread_why else "")
        )
        self._reread_why = why

    def _looped(self, event: LoopSeen) -> None:
        """What was repeated in one line, below it what was done."""
        repeated, done = telling.loop(event)
        self.wrapped(self._cut(repeated, 1))
        if done:
            self.wrapped(done)

    def _running(self, call_id: str, output: str = "") -> None:
        summary = self._summaries.get(call_id, "a call")
        rows = [row for row in plain(output).splitlines() if row.strip()]
        self.live.show(f"running {fit(summary, 48)}", rows[-1].strip() if rows else "")

    def _finished(self, event: ToolCallFinished) -> None:
        message = event.message
        summary = self._summaries.pop(message.call_id, message.name)
        head = f"{MARKS[message.status]} {summary}"
        if message.status == "ok":
            self.line(head, telling.told(event.blocks))
        else:
            self.line(head)
            because = self._because.pop(message.call_id, "")
            self.wrapped(because or self._cut(message.text, ERROR_ROWS))

    def _server(self, event: ServerState) -> None:
        """On the live line; where there is none, a line when the state changes. That a server was
        gone is never only on the live line: who looks later should know."""
        stays = not self.live.columns or "gone" in (event.state, self._state)
        if stays and self._state != event.state:
            self.wrapped(telling.state(event))
        if self.live.columns:
            self.live.show("" if event.state == "back" else telling.STATES[event.state])
        self._state = event.state

    def end(self, result: Result) -> None:
        """The live line goes; what the run took, and what would allow what was denied, stay."""
        self.live.clear()
        if result.steps:
            self._summed_up(words.summary(result))
        flags = [denial.allowing for denial in result.denials if denial.allowing]
        for flag in list(dict.fromkeys(flags))[:MOST_HINTS]:
            self.wrapped(f"allow it with: {flag}")
        if self.live.columns and sys.stdout.isatty() and (result.answer or result.last_text):
            self.live.write("\n")  # the answer begins a line of its own on the same terminal

    def _summed_up(self, said: str) -> None:
        """In one line; where it is too long for the terminal, the tokens take a second."""
        columns = self.live.columns
        head, sign, tokens = said.partition(words.TOKENS)
        if sign and columns and cells(said) >= columns:
            self.line(head)
            self.wrapped(f"{words.TOKENS.lstrip(' ·')}{tokens}")
        else:
            self.line(said)

    def line(self, text: str, end: str = "") -> None:
        """One line that stays. A terminal cuts it to its width, but never its `end`."""
        self.live.clear()
        columns = self.live.columns
        cut = fit(text, columns - 1 - cells(end)) if columns else one_line(text, MOST_CHARACTERS)
        self.live.write(f"{cut}{end}\n")

    def _cut(self, text: str, rows: int) -> str:
        """As much of `text` as so many rows hold when they are broken between words."""
        columns = self.live.columns
        return (
            fit(text, rows * (columns - 4 * rows)) if columns else one_line(text, MOST_CHARACTERS)
        )

    def wrapped(self, text: str, indent: str = "  ") -> None:
        """Words that should be read whole; indented, they belong to the line above."""
        columns = self.live.columns
        said = f"{indent}{legible(text)}"
        said = wrapped(said, columns, indent) if columns else said
        self.live.clear()
        self.live.write(said + "\n")


def answer(text: str) -> None:
    """Print the answer on stdout, free of control sequences. Raises QcodeError: it cannot be."""
    said = legible(text).rstrip("\n")
    columns = columns_of(sys.stdout)
    give_out(prose.wrapped(said, columns) if columns else said)


def give_out(text: str) -> None:
    """One result on stdout, in UTF-8 where stdout can be anything else. BrokenPipeError passes."""
    try:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except (OSError, ValueError) as error:
        because = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise QcodeError(f"The result could not be written to stdout ({because}).") from error
