"""What goes on now, event by event, and how it is said."""

from typing import Literal

import pytest
from hypothesis import given
from msgspec.structs import replace

from qcode.protocol.access import Access
from qcode.protocol.display import OutputBlock
from qcode.protocol.events import (
    FLEETING,
    AnyEvent,
    ApprovalRequested,
    ApprovalSettled,
    Compacted,
    ContextChanged,
    MessageCompleted,
    ModeChanged,
    ModelChanged,
    NotBegun,
    Notice,
    PromptProgress,
    QuestionAsked,
    ReasoningDelta,
    Retried,
    Rewound,
    ServerState,
    SettingsChanged,
    ShellFinished,
    ShellStarted,
    StepStarted,
    TextDelta,
    ToolCallDelta,
    ToolCallFinished,
    ToolCallStarted,
    TurnFinished,
    TurnStarted,
    Usage,
)
from qcode.protocol.inputs import Begin, Compact, Prompt, QuestionReply, Queue
from qcode.protocol.messages import AssistantMessage, Text, ToolCall, ToolMessage, user
from qcode.tui.drawing.words import short
from qcode.tui.following import follow, said
from qcode.tui.footing import footer_line
from qcode.tui.phases import clock, phase_words
from qcode.tui.rates import Pace
from qcode.tui.recalling import recalled
from qcode.tui.status import Status
from tests.tui.stories import started, stories

CALL = ToolCall("c1", "shell", "{}")
TURN = (started(), SettingsChanged(4000, 8000), TurnStarted(1, user("Fix it.")), StepStarted(1, 1))


def after(*events: AnyEvent, status: Status | None = None) -> Status:
    """The status after these, all at the second 10."""
    status = status or Status()
    for event in events:
        status = follow(status, event, 10.0)
    return status


SILENT = "nothing for 12 s"
WORDS: dict[str, tuple[tuple[AnyEvent, ...], str]] = {
    "waiting": ((), "waiting for the model 12 s"),
    "loading": ((ServerState("loading"),), "loading model 12 s"),
    "busy": ((ServerState("busy"),), "server busy with others 12 s"),
    "gone": ((ServerState("gone"),), "server gone 12 s"),
    "reading": (
        (PromptProgress(10_000, 1_000, 4_000, 2.0),),
        "reading prompt 40 % · 4 s left · 1,500 tok/s",
    ),
    "thinking": (
        (ReasoningDelta("Hm", 1_200), ReasoningDelta("m", 1_210)),
        SILENT,
    ),
    "writing": ((TextDelta("So."),), SILENT),
    "calling": ((ToolCallDelta(0, "edit", 9, "{"),), SILENT),
    "running": ((ToolCallStarted(CALL, "shell pytest -q"),), "running shell pytest -q 12 s"),
    "two": (
        (ToolCallStarted(CALL, "read a"), ToolCallStarted(ToolCall("c2", "read", "{}"), "read b")),
        "running read b +1 12 s",
    ),
    "asking": (
        (ToolCallStarted(CALL, "shell rm"), ApprovalRequested("r", CALL, (), "asked")),
        "waiting for you 12 s",
    ),
    "question": ((QuestionAsked("q", "Which?"),), "waiting for you 12 s"),
    "retrying": ((Retried(1, "connection refused", 2.0),), "retrying 12 s · connection refused"),
}


@pytest.mark.parametrize("name", WORDS)
def test_every_wait_is_explained(name: str) -> None:
    events, words = WORDS[name]
    assert phase_words(after(*TURN, *events), 22.0) == words


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (ReasoningDelta("Hm", 1_210), "thinking 1.2k/4k · 4 s"),
        (TextDelta("So."), "writing 4 s"),
        (ToolCallDelta(0, "edit", 9, "{"), "writing a call of edit"),
    ],
)
def test_an_answer_that_comes_is_told_as_what_it_is(event: AnyEvent, words: str) -> None:
    assert phase_words(after(*TURN, event), 14.0) == words
    asked = "nothing for 25 s · asking whether it lives"
    assert phase_words(after(*TURN, event), 35.0) == asked


@pytest.mark.parametrize("level", ["warning", "error"])
def test_a_summary_that_was_refused_or_cancelled_goes_on_no_more(
    level: Literal["warning", "error"],
) -> None:
    waits = said(after(started()), Compact(), 10.0)
    assert waits.phase == "compacting"
    assert follow(waits, Notice("info", "The model sums it up."), 11.0).phase == "compacting"
    refused = follow(waits, Notice(level, "The conversation was not compacted: it is short."), 11.0)
    assert refused.phase == "idle"


def test_a_rewind_goes_back_to_the_context_of_before_the_turn() -> None:
    first = (*TURN, Usage(12_000, 0, 400), TurnFinished("end_turn"))
    second = (TurnStarted(2, user("on")), StepStarted(2, 1), Usage(20_000, 12_000, 100))
    live = after(*first, *second, TurnFinished("end_turn"), Rewound(2))
    assert live.used_tokens == 12_400
    assert recalled([*first, *second, Rewound(2)]).used_tokens == 12_400


def test_how_fast_it_wrote_is_seen_where_the_server_does_not_tell() -> None:
    status = after(*TURN)
    for at in range(20):
        status = follow(status, ReasoningDelta("a", pieces=5), 10.0 + at / 10)
    status = follow(status, Usage(12_400, 12_276, 100), 12.0)
    assert status.write_rate == pytest.approx(47.5, abs=5)


def test_after_a_turn_nothing_is_said() -> None:
    ended = after(*TURN, TextDelta("So."), TurnFinished("end_turn"))
    assert phase_words(ended, 99.0) == ""


def test_reading_what_the_server_had_is_said_with_the_number_and_the_reason() -> None:
    first = (
        *(*TURN, Usage(60_000, 0, 400)),
        MessageCompleted(AssistantMessage((Text("So."),)), 60_000, 9.0),
    )
    again = (StepStarted(1, 2), PromptProgress(61_000, 608, 10_000, 4.0))
    assert phase_words(after(*first, *again), 10.0) == (
        "re-reading 60,392 tokens · the server no longer had it · 21 s left"
    )
    compacted = Compacted(user("In short.", "summary"), 0, 60_000, 30_000)
    words = phase_words(after(*first, compacted, *again), 10.0)
    assert "the conversation was compacted" in words


def test_reading_only_what_is_new_is_no_reading_again() -> None:
    first = (
        *(*TURN, Usage(60_000, 0, 400)),
        MessageCompleted(AssistantMessage((Text("So."),)), 60_000, 9.0),
    )
    status = after(*first, StepStarted(1, 2), PromptProgress(70_000, 60_390, 65_000, 4.0))
    assert status.phase == "reading"


def test_progress_between_two_answers_is_that_of_a_summary() -> None:
    between = (MessageCompleted(AssistantMessage((Text("So."),)), 1, 1.0),)
    status = after(*TURN, *between, PromptProgress(1_000, 0, 500, 1.0))
    assert phase_words(status, 10.0) == "compacting 0 s · 50 %"


def test_the_rate_is_that_of_the_last_two_seconds() -> None:
    status = after(*TURN)
    for at in range(400):
        speed = 1 if at < 200 else 2
        status = follow(status, ReasoningDelta("x", pieces=speed), 10.0 + at / 50)
    assert 97 <= status.pace.rate(18.0) <= 103
    assert phase_words(status, 18.0).endswith(" tok/s")
    assert len(status.pace.samples) < 30
    assert status.pace.rate(30.0) == 0.0


def test_a_rate_needs_some_time_to_be_told() -> None:
    assert Pace().add(50, 0.0).add(50, 0.1).rate(0.1) == 0.0


def test_the_context_grows_while_an_answer_comes_and_is_as_counted_after_it() -> None:
    usage = Usage(1_000, 900, 50, 2_000.0, 98.0)
    done = after(*TURN, usage, MessageCompleted(AssistantMessage((Text("So."),)), 1_000, 1.0))
    assert (done.used_tokens, done.reused, done.write_rate) == (1_050, 0.9, 98.0)
    more = after(StepStarted(1, 2), *[ReasoningDelta("x")] * 7, status=done)
    assert more.used_tokens == 1_057
    assert more.context_tokens == 131_072
    assert after(ContextChanged(4_096), status=more).context_tokens == 4_096


def test_where_no_server_counts_the_context_is_an_estimate_that_grows_and_goes_back() -> None:
    usage, words = Usage(None, None, None), AssistantMessage((Text("some words " * 200),))
    first = after(*TURN, usage, MessageCompleted(words, 0, 1.0))
    assert first.estimated
    assert 100 < first.used_tokens < 1_000
    assert "ctx ~" in footer_line(first, 10.0, 120).text
    done = after(TurnFinished("end_turn"), status=first)
    result = ToolCallFinished(ToolMessage("c1", "read", "more words " * 500))
    next_turn = (TurnStarted(2, user("on")), StepStarted(2, 1), usage)
    second = after(*next_turn, MessageCompleted(words, 0, 1.0), result, status=done)
    assert second.used_tokens > done.used_tokens + 500
    assert after(Rewound(2), status=second).used_tokens == done.used_tokens
    summed = after(Compacted(user("In short.", "summary"), 0, 900, 90), status=second)
    assert after(StepStarted(2, 2), status=summed).used_tokens == 90
    counted = after(StepStarted(2, 2), Usage(5_000, None, 7), status=second)
    assert (counted.used_tokens, counted.estimated) == (5_007, False)


def test_calls_of_one_answer_end_one_by_one() -> None:
    def finished(call: str) -> ToolCallFinished:
        return ToolCallFinished(ToolMessage(call, "read", "text"))

    starts = [
        ToolCallStarted(ToolCall(id_, "read", "{}"), f"read {id_}", (Access("read", id_),))
        for id_ in ("a", "b")
    ]
    status = after(*TURN, *starts, finished("b"))
    assert (status.phase, status.detail) == ("running", "read a")
    assert after(finished("a"), status=status).phase == "waiting"


def test_after_an_approval_the_call_runs_on() -> None:
    asked = (ToolCallStarted(CALL, "shell rm"), ApprovalRequested("r", CALL, (), "asked"))
    status = after(*TURN, *asked, ApprovalSettled("r", "allow", "yes"))
    assert (status.phase, status.detail) == ("running", "shell rm")


def test_what_the_person_said_is_known_before_the_engine_takes_it_up() -> None:
    status = said(Status(), Prompt("Fix it."), 1.0)
    assert (status.phase, status.queued) == ("starting", ("Fix it.",))
    status = said(after(*TURN, status=status), Queue("Then test."), 11.0)
    assert (status.phase, status.queued) == ("waiting", ("Then test.",))
    assert said(Status(), Begin(), 1.0).phase == "starting"
    assert said(Status(), Compact(), 1.0).phase == "compacting"
    asked = after(*TURN, QuestionAsked("q", "Which?"))
    assert said(asked, QuestionReply("q", "this"), 12.0).phase == "waiting"


def test_a_server_that_is_not_there_leaves_the_app_idle() -> None:
    status = said(Status(), Begin(), 1.0)
    assert follow(status, NotBegun("No server answers.", "ServerGone"), 2.0).phase == "idle"


def test_a_command_of_the_persons_own_outlasts_the_turn() -> None:
    status = after(*TURN, ShellStarted("s", "make"), TextDelta("So."))
    assert status.phase == "writing"
    status = after(TurnFinished("end_turn"), status=status)
    assert (status.phase, status.detail) == ("running", "! make")
    end = ShellFinished("s", OutputBlock("make", "", 0, 1.0))
    assert after(end, status=status).phase == "idle"


def test_mode_and_model_are_as_last_said() -> None:
    status = after(*TURN, ModeChanged("plan"), ModelChanged("other", "ollama 0.9"))
    assert (status.mode, status.model, status.server) == ("plan", "other", "ollama 0.9")
    assert (status.thinking_budget, status.turn_since) == (4000, 10.0)


@given(stories())
def test_whatever_happens_a_session_at_rest_is_idle(events: list[AnyEvent]) -> None:
    status = after(*events, TurnFinished("end_turn"))
    own = tuple(one for one in status.calls if one[1].startswith("! "))
    assert status.calls == own
    assert status.phase == ("running" if own else "idle")
    assert replace(status, phase="writing").open_requests == 0


@pytest.mark.parametrize(
    ("tokens", "words"),
    [(0, "0"), (999, "999"), (1_000, "1k"), (1_240, "1.2k"), (131_072, "131k"), (999_700, "1.0M")],
)
def test_tokens_in_short(tokens: int, words: str) -> None:
    assert short(tokens) == words


@pytest.mark.parametrize(
    ("seconds", "words"), [(-1, "0 s"), (59.9, "59 s"), (64, "1:04"), (3_723, "1:02:03")]
)
def test_time_in_short(seconds: float, words: str) -> None:
    assert clock(seconds) == words


@given(stories())
def test_a_session_that_goes_on_stands_as_its_log_left_it(events: list[AnyEvent]) -> None:
    logged = [event for event in events if not isinstance(event, FLEETING)]
    followed, standing = after(*logged), recalled(logged)
    for name in ("model", "mode", "context_tokens", "used_tokens", "reused", "write_rate"):
        assert getattr(standing, name) == getattr(followed, name)
    assert (standing.phase, standing.calls, standing.turn_since) == ("idle", (), None)
