"""The progress: lines that stay, a live line that does not flicker, nothing that stops a run."""

import io
import os
import pty
import threading
from collections.abc import Callable
from contextlib import redirect_stderr, suppress
from typing import TextIO

import pytest

from qcode.headless.result import Denial, Result
from qcode.headless.talk import talk, whole, wrapped
from qcode.headless.text import Progress
from qcode.headless.words import summary
from qcode.protocol.access import Access
from qcode.protocol.cells import cells, fit
from qcode.protocol.display import DiffBlock, OutputBlock
from qcode.protocol.events import (
    AnyEvent,
    ApprovalRequested,
    BudgetReached,
    Compacted,
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
)
from qcode.protocol.messages import AssistantMessage, Text, ToolCall, ToolMessage, user
from qcode.protocol.text import plain as clean
from tests.headless.terminals import Clock, Terminal

CALL = ToolCall("c1", "shell", '{"command":"pytest -q"}')
STARTED = ToolCallStarted(CALL, "shell pytest -q")


@pytest.fixture(autouse=True)
def xterm(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal that can do more than print."""
    monkeypatch.setenv("TERM", "xterm-256color")


def finished(status: str = "ok", text: str = "exit 0", *blocks: object) -> ToolCallFinished:
    """The end of `CALL`."""
    return ToolCallFinished(ToolMessage("c1", "shell", text, status), blocks)  # type: ignore[arg-type] # literals


def plain(*events: AnyEvent) -> list[str]:
    """The lines where stderr is a file."""
    out = io.StringIO()
    progress = Progress(out)
    for event in events:
        progress.take(event)
    assert "\r" not in out.getvalue()
    assert "\x1b" not in out.getvalue()
    return out.getvalue().splitlines()


def live(*events: AnyEvent, every_seconds: float = 1.0) -> Terminal:
    """The same on a terminal, with time between the events."""
    out, clock = Terminal(), Clock()
    progress = Progress(out, clock)
    for event in events:
        progress.take(event)
        clock.now += every_seconds
    return out


def on_a_terminal(columns: int, write: Callable[[TextIO], None]) -> str:
    """What a real terminal of so many columns gets."""
    import fcntl  # noqa: PLC0415 - there is none on Windows
    import struct  # noqa: PLC0415 - beside its only use
    import termios  # noqa: PLC0415 - there is none on Windows

    reading, writing = pty.openpty()
    fcntl.ioctl(writing, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    found: list[bytes] = []

    def read() -> None:
        with suppress(OSError):  # Linux: the other side is closed
            while data := os.read(reading, 65536):
                found.append(data)

    reader = threading.Thread(target=read)
    reader.start()
    with os.fdopen(writing, "w", encoding="utf-8") as out:
        write(out)
    reader.join(5)
    os.close(reading)
    return b"".join(found).decode()


def test_a_file_gets_a_line_a_call_and_no_control_sequences() -> None:
    rows = plain(
        SessionStarted("s", "0.1.0", "/w", "tiny", "llamacpp b1", "system", (), "edit"),
        StepStarted(1, 1),
        ReasoningDelta("hm"),
        TextDelta("I run the tests."),
        ToolCallDelta(0, "shell", 10),
        MessageCompleted(AssistantMessage((Text("I run the tests."), CALL)), 10, 1.0),
        STARTED,
        ToolCallProgress("c1", "1 passed\n"),
        finished("ok", "exit 0", OutputBlock("pytest -q", "", 0, 2.04)),
        TurnFinished("end_turn"),
    )
    assert rows == [
        "qcode 0.1.0 · tiny on llamacpp b1 · mode edit",
        "I run the tests.",
        "● shell pytest -q · exit 0 · 2.0 s",
    ]


@pytest.mark.parametrize(("status", "mark"), [("error", "✗"), ("denied", "⊘"), ("cancelled", "○")])
def test_a_call_that_did_not_go_well_says_why_below(status: str, mark: str) -> None:
    rows = plain(STARTED, finished(status, "It is broken.\nDetails."))
    assert rows == [f"{mark} shell pytest -q", "  It is broken."]


def test_a_denial_is_told_in_words_for_the_person() -> None:
    access = (Access("shell", "pytest -q"),)
    asked = ApprovalRequested("a1", CALL, access, "edit mode asks before commands")
    rows = plain(STARTED, asked, finished("denied", "Denied: long words for the model."))
    assert rows[-1] == "  edit mode asks before commands"


def test_what_was_denied_is_followed_by_the_flag_once() -> None:
    out = io.StringIO()
    result = Result(steps=1, denials=[Denial(CALL, "asks", "--allowed-tools 'Bash(x)'")] * 4)
    Progress(out).end(result)
    assert out.getvalue().count("allow it with: --allowed-tools 'Bash(x)'") == 1


def test_a_loading_server_is_one_line_in_a_file_and_live_on_a_terminal() -> None:
    states = [ServerState("loading", "http://x", seconds) for seconds in (0.0, 1.0, 2.0)]
    back = ServerState("back", seconds=3.0)
    assert plain(*states, back) == [
        "  the server loads its model",
        "  the server is back after 3 s",
    ]
    out = live(*states, every_seconds=2)
    assert out.drawn[-1] == "the server loads its model · 4 s"
    assert len(out.rows) == 1


def test_that_the_server_was_gone_stays_also_on_a_terminal() -> None:
    gone, back = ServerState("gone", "http://x", 0.0), ServerState("back", seconds=42.0)
    told = ["  the server is gone", "  the server is back after 42 s"]
    assert plain(gone, gone, back) == told
    out = live(gone, gone, back, TurnFinished("end_turn"))
    assert out.rows == [*told, ""]
    assert "the server is gone" in "".join(out.drawn)


def test_what_a_server_waits_for_is_a_line_each_in_a_file() -> None:
    states = [ServerState("waking"), ServerState("busy"), ServerState("busy"), ServerState("back")]
    assert plain(*states) == [
        "  the server wakes up its model",
        "  the server is busy with others",
        "  the server is back",
    ]


def test_what_was_mended_is_a_line_each() -> None:
    rows = plain(
        Repaired("read a call of edit that was written as text\nand more", "c1", "leaked_call"),
        Repaired("closed a bracket"),
        LoopSeen("reasoning", "so I look again", "Its thinking was ended.", 1, 1_420),
        LoopSeen("calls", "shell ls, 8 times"),
        BudgetReached(8_000, 8_003),
        BudgetReached(8_000, 120, "person"),
        BudgetReached(8_000, 298, "loop"),  # the loop was told already
        Elided(9, 400, 24_600, 11_000),
        Compacted(user("Short.", "summary"), 2, 30_000, 9_100),
    )
    assert rows == [
        "  repaired: read a call of edit that was written as text",
        "  repaired: closed a bracket",
        "  loop in reasoning: so I look again",
        "  Its thinking was ended · ~1,420 tokens lost",
        "  loop in calls: shell ls, 8 times",
        "  thinking ended at 8,003 of 8,000 tokens: the budget is used up",
        "  thinking ended at 120 of 8,000 tokens: you asked for the answer",
        "  dropped old results and reasoning: ~24,600 → ~11,000 tokens, read again once",
        "  compacted: ~30,000 → ~9,100 tokens, read again once",
    ]


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("/srv/models/Qwen3.6-35B.gguf", "Qwen3.6-35B.gguf"),
        ("C:\\models\\tiny.GGUF", "tiny.GGUF"),
        ("unsloth/Qwen3.6-35B-A3B-GGUF:Q4", "unsloth/Qwen3.6-35B-A3B-GGUF:Q4"),
    ],
)
def test_a_model_file_is_shown_by_its_name(name: str, shown: str) -> None:
    rows = plain(SessionStarted("s", "0.1.0", "/w", name, "", "system", (), "edit"))
    assert rows == [f"qcode 0.1.0 · {shown} · mode edit"]


def test_the_live_line_says_phase_amount_and_since_when() -> None:
    out = live(
        StepStarted(1, 1),
        PromptProgress(8000, 2000, 2000, 0.0),
        PromptProgress(8000, 2000, 5000, 3.0),
        ReasoningDelta("a"),
        ReasoningDelta("b"),
        ReasoningDelta("c"),
        ToolCallDelta(0, "write", 0),
        ToolCallDelta(0, "write", 1200),
        STARTED,
        ToolCallProgress("c1", "collecting\n3 passed\n"),
    )
    assert out.drawn == [
        "waiting for the model",
        "reading the prompt · 25 % of 8,000 tokens",
        "reading the prompt · 62 % of 8,000 tokens · 1,000/s · 3 s left",
        "thinking · ~1 token",
        "thinking · ~2 tokens",
        "thinking · ~3 tokens · 2 s",
        "writing a call of write",
        "writing a call of write · 1,200 characters",
        "running shell pytest -q",
        "running shell pytest -q · 3 passed",
    ]


def test_the_live_line_ticks_without_events() -> None:
    out, clock = Terminal(), Clock()
    progress = Progress(out, clock)
    progress.take(STARTED)
    clock.now += 65
    progress.live.tick()
    assert out.drawn[-1] == "running shell pytest -q · 65 s"


def test_a_fast_stream_is_not_drawn_at_every_delta() -> None:
    out = live(*[TextDelta("x")] * 1000, every_seconds=0.001)
    assert 5 <= len(out.drawn) <= 15


def test_the_live_line_never_goes_blank_before_it_is_drawn_again() -> None:
    out = live(ReasoningDelta("a"), ReasoningDelta("b"))
    assert "\x1b[K" not in out.getvalue().split("\r")[1].split("thinking")[0]
    assert "\r\x1b[K" not in out.getvalue()


def test_a_line_that_stays_replaces_the_live_line() -> None:
    out = live(STARTED, finished(), TurnFinished("end_turn"))
    assert out.rows == ["● shell pytest -q", ""]


def test_a_dumb_terminal_gets_lines_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    out = live(ReasoningDelta("a"), STARTED, finished())
    assert out.getvalue() == "● shell pytest -q\n"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no pty")
@pytest.mark.parametrize("columns", [30, 80, 120])
def test_lines_fit_the_terminal_and_keep_their_end(columns: int) -> None:
    block = DiffBlock("a", "", 12, 3)

    def write(out: TextIO) -> None:
        progress = Progress(out)
        progress.take(ToolCallStarted(CALL, "edit " + "目录/" * 60))
        progress.take(finished("ok", "", block))
        progress.take(Retried(1, "the server " + "is far away and " * 20, 2.0))

    shown = on_a_terminal(columns, write)
    rows = [clean(part) for row in shown.split("\r\n") for part in row.split("\r")]
    assert all(cells(row) < columns for row in rows)
    [edit] = [row for row in rows if "●" in row]
    assert edit.endswith("… · +12 −3")
    assert " ".join(row.strip() for row in rows).count("is far away and") == 20


LONG = "I should look at the file again, since the value in its second half may be wrong. " * 3


@pytest.mark.skipif(os.name == "nt", reason="Windows has no pty")
def test_at_80_columns_each_of_these_takes_a_line_or_two() -> None:
    events = (
        Repaired("a call of read that stood in the text was cut off at 50 characters"),
        Retried(1, "a call was not written to its end", 0.5),
        LoopSeen(
            "reasoning", LONG, "its reasoning is closed before the loop; it goes on", 1, 9_999
        ),
        BudgetReached(16_000, 16_005),
        Elided(9, 400, 124_600, 61_000),
        Compacted(user("Short.", "summary"), 2, 124_600, 9_100),
        ServerState("gone", "http://x", 0.0),
        ServerState("back", seconds=42.0),
    )

    def write(out: TextIO) -> None:
        progress = Progress(out)
        for event in events:
            progress.take(event)
        progress.take(STARTED)
        progress.take(finished("error", LONG))

    shown = on_a_terminal(80, write)
    rows = [clean(row.split("\r")[-1]) for row in shown.split("\r\n")]
    assert len(rows) == len(events) + len(["of the loop"]) + 3 + len(["the end"])
    assert all(row.startswith(("  ", "✗ ")) for row in rows[:-1])


def test_why_a_prompt_is_read_again_is_told_once() -> None:
    again = [
        Usage(9_000, 0, 5, reread_tokens=8_000 + n, reread_why="it was gone") for n in range(3)
    ]
    other = Usage(9_000, 0, 5, reread_tokens=70, reread_why="the template drops it")
    assert plain(*again, other) == [
        "  read 8,000 tokens again: it was gone",
        "  read 8,001 tokens again",
        "  read 8,002 tokens again",
        "  read 70 tokens again: the template drops it",
    ]


def test_only_warnings_and_errors_are_called_so() -> None:
    rows = plain(Notice("info", "It was picked."), Notice("warning", "It is old."))
    assert rows == ["  It was picked.", "  warning: It is old."]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no pty")
def test_a_command_stays_on_one_line() -> None:
    command = "qcode --resume 20261121-1344-2934 -p '…'"

    def write(out: TextIO) -> None:
        with redirect_stderr(out):
            talk(f"The model repeats itself, whatever is tried. Go on with: {whole(command)}")

    assert command in on_a_terminal(80, write).split("\r\n")[1]


def test_a_stderr_that_is_gone_stops_nothing() -> None:
    class Full(Terminal):
        def write(self, text: str) -> int:
            raise OSError(28, "No space left on device")

    progress = Progress(Full())
    for event in (STARTED, ReasoningDelta("a"), finished(), TurnFinished("end_turn")):
        progress.take(event)
    progress.end(Result(steps=1))


def test_control_sequences_of_a_model_are_not_shown() -> None:
    nasty = "a\x1b]0;title\x07\x1b[2Jb"
    out = live(
        ToolCallStarted(CALL, nasty),
        ToolCallProgress("c1", nasty),
        finished("error", nasty),
        Retried(1, nasty, 0.0),
    )
    assert "title" not in out.getvalue()
    assert "[2J" not in out.getvalue()


def test_what_is_asked_again_is_told_once() -> None:
    empty, half = "the model ended without words or calls", "a call was not written to its end"
    assert plain(
        Repaired(f"{empty}: asked again"),
        Retried(1, empty, 0.0),
        Repaired("a call of read was cut off at 50 characters"),
        Retried(1, half, 0.0),
        Retried(2, "connection refused", 1.0),
    ) == [
        f"  repaired: {empty}: asked again",
        "  repaired: a call of read was cut off at 50 characters",
        f"  asked again: {half}",
        "  retry 2 in 1 s: connection refused",
    ]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no pty")
def test_a_summary_too_long_for_a_line_is_cut_nowhere() -> None:
    result = Result(steps=60, calls=60)
    result.repairs.append(Repaired("closed a bracket", "c1", "arguments"))
    result.sums.add(Usage(3_345_000, 3_144_000, 45_334))
    told = ["60 steps · 60 calls · 0 s · 1 repair"]
    tokens = "tokens: 201,000 read, 3,144,000 cached, 45,334 written"

    def write(out: TextIO) -> None:
        Progress(out).end(result)

    assert on_a_terminal(80, write).split("\r\n") == [*told, f"  {tokens}", ""]
    assert on_a_terminal(120, write).split("\r\n") == [f"{told[0]} · {tokens}", ""]


def test_the_summary_is_short() -> None:
    result = Result(steps=1)
    assert summary(result) == "1 step · 0 s"
    result.calls = 12
    result.sums.add(Usage(26_400, 18_000, 1_360))
    told = summary(result)
    assert told == "1 step · 12 calls · 0 s · tokens: 8,400 read, 18,000 cached, 1,360 written"
    assert fit(told, 80) == told
    result.repairs.append(Repaired("closed a bracket", "c1", "arguments"))
    assert "0 s · 1 repair · tokens" in summary(result)


def test_the_lines_of_a_log_are_not_run_into_one_paragraph() -> None:
    assert wrapped("It died.\n  one row\n  and " + "word " * 4, 20, "  ") == (
        "It died.\n  one row\n  and word word word\n  word"
    )
