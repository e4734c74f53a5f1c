"""Events as blocks, one kind of story after another."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

import pytest

from qcode.protocol.display import DiffBlock, OutputBlock, TextBlock, TodoBlock, TodoItem
from qcode.protocol.events import (
    AnyEvent,
    ApprovalRequested,
    ApprovalSettled,
    BudgetReached,
    LoopSeen,
    MessageCompleted,
    ModeChanged,
    Notice,
    QuestionAsked,
    ReasoningDelta,
    Renamed,
    Repaired,
    Retried,
    Rewound,
    ShellFinished,
    ShellStarted,
    Steered,
    StepStarted,
    TextDelta,
    ToolCallDelta,
    ToolCallFinished,
    ToolCallProgress,
    ToolCallStarted,
    TurnFinished,
    TurnStarted,
    Usage,
)
from qcode.protocol.inputs import Prompt, Queue, Steer
from qcode.protocol.messages import (
    UNSAID,
    AssistantMessage,
    Reasoning,
    Text,
    ToolCall,
    ToolMessage,
    user,
)
from qcode.tui import transcript
from qcode.tui.blocks import (
    AnswerBlock,
    Block,
    CallBlock,
    NoteBlock,
    PromptBlock,
    ReasoningBlock,
    ShellBlock,
    TurnBlock,
)
from qcode.tui.calling import MOST_OUTPUT
from qcode.tui.transcript import State, apply, coalesce, fold, hear, replay

CALL = ToolCall("c1", "shell", '{"command":"pytest -q"}')
BEGIN = (TurnStarted(1, user("Fix it.")), StepStarted(1, 1))


def told(*events: AnyEvent, every: float = 1.0) -> list[Block]:
    """The blocks after these, told at even distances."""
    return _after(State(), [], *events, every=every)[1]


def _after(
    state: State, blocks: list[Block], *events: AnyEvent, every: float = 1.0
) -> tuple[State, list[Block]]:
    for at, event in enumerate(events):
        state, changed = fold(state, event, at * every)
        apply(blocks, changed)
    return state, blocks


def said(*parts: Reasoning | Text | ToolCall) -> MessageCompleted:
    return MessageCompleted(AssistantMessage(parts), 100, 2.0)


def of(kind: type[Block], blocks: Sequence[Block]) -> list[Block]:
    return [block for block in blocks if isinstance(block, kind)]


def test_an_answer_grows_and_is_settled_as_the_message_has_it() -> None:
    live = told(*BEGIN, TextDelta("\n\nHel"), TextDelta("lo"))
    assert live[-1] == AnswerBlock("Hello")
    assert told(*BEGIN, TextDelta("Hel"), said(Text("Hello.")))[-1] == AnswerBlock("Hello.", "done")


def test_reasoning_counts_while_it_runs_and_knows_its_time_afterwards() -> None:
    pieces = (ReasoningDelta("Hm", pieces=2), ReasoningDelta("m.", tokens_so_far=5))
    assert told(*BEGIN, *pieces)[1] == ReasoningBlock("Hmm.", began=2.0, tokens=5)
    done = told(*BEGIN, *pieces, TextDelta("So."))[1]
    assert done == ReasoningBlock("Hmm.", began=2.0, seconds=2.0, tokens=5, state="done")


def test_reasoning_that_was_ended_says_by_what() -> None:
    end = BudgetReached(4000, 4003)
    blocks = told(*BEGIN, ReasoningDelta("Hm"), end, said(Reasoning("Hm"), Text("So.")))
    (block,) = of(ReasoningBlock, blocks)
    assert isinstance(block, ReasoningBlock)
    assert (block.why, block.budget, block.tokens) == ("budget", 4000, 4003)


def test_an_answer_that_was_only_thought_shows_no_mark_for_its_words() -> None:
    blocks = told(*BEGIN, ReasoningDelta("Hm"), said(Reasoning("Hm"), Text(UNSAID)))
    assert not of(AnswerBlock, blocks)


def test_a_call_is_one_card_from_its_first_letter_to_its_result() -> None:
    story: list[AnyEvent] = [
        ToolCallDelta(0, "shell", 12),
        said(CALL),
        ToolCallStarted(CALL, "shell pytest -q"),
        ToolCallProgress("c1", "collected 1 item\n"),
        ToolCallFinished(
            ToolMessage("c1", "shell", "1 passed"), (OutputBlock("pytest -q", "1 passed", 0, 2.0),)
        ),
    ]
    states = [
        (block.call_id, block.name, block.summary, block.state)
        for count in range(1, len(story) + 1)
        for block in of(CallBlock, told(*BEGIN, *story[:count]))
        if isinstance(block, CallBlock)
    ]
    assert states == [
        ("#0", "shell", "", "writing"),
        ("c1", "shell", "pytest -q", "queued"),
        ("c1", "shell", "pytest -q", "running"),
        ("c1", "shell", "pytest -q", "running"),
        ("c1", "shell", "pytest -q", "ok"),
    ]


def test_what_a_person_decided_in_a_review_stands_below_the_head_of_the_card() -> None:
    diff = DiffBlock("a.py", "--- a/a.py\n+++ b/a.py\n@@ -1 +1 @@\n-a\n+b\n", 1, 1)
    words = "you kept 1 of 3 parts, refused 2: 'use math.ceil'"
    done = ToolCallFinished(ToolMessage("c1", "edit", "told"), (diff, TextBlock(words)))
    (card,) = of(CallBlock, told(*BEGIN, said(CALL), done))
    assert isinstance(card, CallBlock)
    assert (card.notes, card.blocks) == ((words,), (diff,))


def test_what_a_turn_took_leaves_out_what_the_person_let_it_wait() -> None:
    state, blocks = State(), list[Block]()
    asked = ApprovalRequested("r1", CALL, (), "asked")
    story: list[tuple[float, AnyEvent]] = [
        *((0.0, event) for event in (*BEGIN, said(CALL), ToolCallStarted(CALL, "shell x"))),
        (2.0, asked),
        (182.0, ApprovalSettled("r1", "allow", "you")),
        (183.0, ToolCallFinished(ToolMessage("c1", "shell", "ok"))),
        (185.0, TurnFinished("end_turn")),
    ]
    for now, event in story:
        state, changed = fold(state, event, now)
        apply(blocks, changed)
    (end,) = of(TurnBlock, blocks)
    assert isinstance(end, TurnBlock)
    assert (end.seconds, end.waited) == (5.0, 180.0)


def test_a_new_name_is_told() -> None:
    (note,) = of(NoteBlock, told(*BEGIN, Renamed("the cart")))
    assert isinstance(note, NoteBlock)
    assert note.text == "the session is called the cart"


def test_calls_behind_one_that_waits_are_next_and_no_longer_written() -> None:
    first = ToolCall("c1", "shell", '{"command": "make"}')
    later = ToolCall("c2", "write", '{"path": "src/a.py", "content": "x"}')
    odd = ToolCall("c3", "write", '["x"]')
    asked = ApprovalRequested("r1", first, (), "asked")
    story = (*BEGIN, said(first, later, odd), ToolCallStarted(first, "shell make"), asked)
    cards = [one for one in of(CallBlock, told(*story)) if isinstance(one, CallBlock)]
    rows = [(one.summary, one.state) for one in cards]
    assert rows == [("make", "waiting"), ("src/a.py", "queued"), ("", "queued")]
    ended = of(CallBlock, told(*story, TurnFinished("error", "It broke.")))
    assert {one.state for one in ended if isinstance(one, CallBlock)} == {"cancelled"}


def test_of_a_running_commands_output_the_end_is_kept() -> None:
    lots = [ToolCallProgress("c1", f"line {n}\n" * 100) for n in range(200)]
    card = told(*BEGIN, said(CALL), ToolCallStarted(CALL, "shell x"), *lots)[-1]
    assert isinstance(card, CallBlock)
    assert len(card.output) == MOST_OUTPUT
    assert card.output.endswith("line 199\n")


def test_a_call_that_waits_shows_what_it_would_do_and_a_denied_one_keeps_it() -> None:
    would = (OutputBlock("rm -r /", "", None, 0.0),)
    asked = ApprovalRequested("r1", CALL, (), "asked", would)
    story = (*BEGIN, said(CALL), ToolCallStarted(CALL, "shell rm"), asked)
    waiting = told(*story)[-1]
    assert isinstance(waiting, CallBlock)
    assert (waiting.state, waiting.blocks) == ("waiting", would)
    no = (ApprovalSettled("r1", "deny", "no"), _result("denied", "The user said no."))
    denied = told(*story, *no)[-1]
    assert isinstance(denied, CallBlock)
    assert (denied.state, denied.blocks, denied.said) == ("denied", would, "The user said no.")


def _result(status: str, text: str) -> ToolCallFinished:
    return ToolCallFinished(
        ToolMessage("c1", "shell", text, "denied" if status == "denied" else "ok")
    )


def test_a_repair_of_a_call_stands_on_its_card() -> None:
    blocks = told(*BEGIN, Repaired("a comma was missing", "c1", "arguments"), said(CALL))
    assert not of(NoteBlock, blocks)
    card = blocks[-1]
    assert isinstance(card, CallBlock)
    assert card.notes == ("repaired: a comma was missing",)


def test_words_of_a_request_that_failed_stay_as_void_until_others_come() -> None:
    story = (*BEGIN, TextDelta("Once upon"), Retried(1, "connection refused", 1.0))
    assert told(*story)[1:] == [
        AnswerBlock("Once upon", "void"),
        NoteBlock("retry 1 in 1 s: connection refused", kind="retry"),
    ]
    assert told(*story, TextDelta("Once"), said(Text("Once.")))[1:] == [
        NoteBlock("retry 1 in 1 s: connection refused", kind="retry"),
        AnswerBlock("Once.", "done"),
    ]


def test_a_loop_from_the_second_rung_on_voids_and_on_the_first_does_not() -> None:
    first = told(*BEGIN, ReasoningDelta("Hm"), LoopSeen("reasoning", "hm", "it goes on", 1, 30))
    assert of(ReasoningBlock, first)
    second = told(*BEGIN, ReasoningDelta("Hm"), LoopSeen("reasoning", "hm", "asked again", 2, 30))
    assert not of(ReasoningBlock, second)
    assert of(NoteBlock, second) == [
        NoteBlock("loop in reasoning: hm · asked again · ~30 tokens lost", "warning", "loop")
    ]


def test_tokens_read_again_are_told_with_the_reason() -> None:
    usage = Usage(900, 100, 5, reread_tokens=800, reread_why="the tool list changed")
    assert told(*BEGIN, usage, said(Text("So.")))[-1] == NoteBlock(
        "read 800 tokens again: the tool list changed", kind="reread"
    )


def test_what_qcode_says_to_the_model_is_no_prompt_of_the_person() -> None:
    nudge = user("<tool_response>\nGo on.\n</tool_response>", "nudge")
    assert told(*BEGIN, said(Text("…")), Steered(nudge))[-1] == PromptBlock("Go on.", kind="qcode")


def test_the_first_prompt_is_shown_without_the_workspaces_facts() -> None:
    text = "<workspace>\nFolder: /project\n</workspace>\n\nFix it."
    assert told(TurnStarted(1, user(text))) == [PromptBlock("Fix it.", 1)]


def test_a_turn_ends_with_what_it_took() -> None:
    end = told(*BEGIN, Usage(100, 0, 20), said(Text("So.")), TurnFinished("end_turn"))[-1]
    assert end == TurnBlock("end_turn", "", seconds=4.0, steps=1, generated=20)


def test_of_modes_in_a_row_the_last_one_is_told() -> None:
    modes = [ModeChanged(name) for name in ("edit", "auto", "plan")]
    assert told(*modes) == [NoteBlock("plan mode from here on", kind="mode")]
    apart = told(modes[0], Notice("info", "By the way."), modes[1])
    assert [block.text for block in apart if isinstance(block, NoteBlock)] == [
        "edit mode from here on",
        "By the way.",
        "auto mode from here on",
    ]


def test_the_plan_follows_the_todo_tool_and_goes_back_with_a_rewind() -> None:
    plan = TodoBlock((TodoItem("Look", "done"),))
    done = ToolCallFinished(ToolMessage("c1", "todo", "ok"), (plan,))
    state, blocks = _after(State(), [], *BEGIN, said(CALL), done, TurnFinished("end_turn"))
    assert state.plan == plan.items
    state, _ = _after(state, blocks, TurnStarted(2, user("More.")), TurnFinished("end_turn"))
    assert _after(state, blocks, Rewound(2))[0].plan == plan.items
    assert _after(state, blocks, Rewound(1))[0].plan == ()


def test_a_rewind_takes_the_blocks_from_its_turn_on() -> None:
    turns = [
        event
        for turn in (1, 2, 3)
        for event in (TurnStarted(turn, user(f"prompt {turn}")), TurnFinished("end_turn"))
    ]
    blocks = told(*turns, Rewound(2, ("a.py",)))
    assert [type(block) for block in blocks] == [PromptBlock, TurnBlock, NoteBlock]
    assert blocks[-1] == NoteBlock(
        "went back to before turn 2 · 1 file put back", "info", "rewound"
    )


def test_a_command_of_the_persons_own_runs_beside_the_turn() -> None:
    story = (ShellStarted("s1", "make"), *BEGIN, ToolCallProgress("s1", "cc a.c\n"))
    end = ShellFinished("s1", OutputBlock("make", "cc a.c\nok\n", 0, 3.0), "tell")
    assert told(*story)[0] == ShellBlock("make", output="cc a.c\n", shell_id="s1")
    done = told(*story, said(Text("So.")), end)[0]
    assert done == ShellBlock("make", "done", "cc a.c\nok\n", 0, 3.0, "tell", "s1")


def test_words_wait_at_the_end_until_they_are_taken_up() -> None:
    state, blocks = State(), list[Block]()

    def heard(given: Prompt | Queue | Steer) -> None:
        nonlocal state
        state, changed = hear(state, given)
        apply(blocks, changed)

    heard(Prompt("Fix it."))
    assert blocks == [PromptBlock("Fix it.")]
    state, _ = _after(state, blocks, *BEGIN)
    assert blocks == [PromptBlock("Fix it.", 1)]
    heard(Steer("Use ceil."))
    heard(Queue("Then test."))
    state, _ = _after(state, blocks, TextDelta("I do"))
    assert blocks[1:] == [
        AnswerBlock("I do"),
        PromptBlock("Use ceil.", kind="steer"),
        PromptBlock("Then test.", kind="queued"),
    ]
    state, _ = _after(state, blocks, said(Text("I do.")), Steered(user("Use ceil.", "steer")))
    assert [block for block in blocks if isinstance(block, PromptBlock)][1:] == [
        PromptBlock("Use ceil.", kind="steer"),
        PromptBlock("Then test.", kind="queued"),
    ]
    _after(state, blocks, TurnFinished("end_turn"), TurnStarted(2, user("Then test.")))
    assert blocks[-1] == PromptBlock("Then test.", 2)
    assert len(blocks) == 5


def test_a_prompt_whose_turn_never_began_stays_ahead_of_the_reason() -> None:
    state, changed = hear(State(), Prompt("Fix it."))
    blocks: list[Block] = []
    apply(blocks, changed)
    _after(state, blocks, TurnFinished("error", "No server answers.", "ServerGone"))
    assert blocks == [PromptBlock("Fix it."), TurnBlock("error", "No server answers.")]


def test_a_call_that_qcode_died_in_gets_its_result_in_the_next_run() -> None:
    state, blocks = replay([*BEGIN, said(CALL), ToolCallStarted(CALL, "shell make")])
    lost = ToolCallFinished(ToolMessage("c1", "shell", "No result.", "cancelled"))
    _after(state, blocks, lost, TurnStarted(2, user("Go on.")))
    assert [block.state for block in blocks if isinstance(block, CallBlock)] == ["cancelled"]


def test_joined_deltas_keep_the_count_of_tokens() -> None:
    joined = coalesce([ReasoningDelta("a", 7), ReasoningDelta("b", None, 2), TextDelta("c")])
    assert joined == [ReasoningDelta("ab", 9, 3), TextDelta("c")]
    assert coalesce([ToolCallDelta(0, "edit", 2, "{"), ToolCallDelta(0, "", 5, "}")]) == [
        ToolCallDelta(0, "edit", 5, "{}")
    ]


@pytest.mark.parametrize("kind", get_args(AnyEvent), ids=lambda kind: kind.__name__)
def test_every_event_has_its_place(kind: type[AnyEvent]) -> None:
    """A new one that nobody thought of is found by mypy, in `transcript._next`."""
    assert f"case {kind.__name__}(" in _source() or f"| {kind.__name__}(" in _source()


def _source() -> str:
    return Path(transcript.__file__).read_text()


def test_an_event_costs_the_same_in_a_session_of_a_thousand_turns() -> None:
    turn: list[AnyEvent] = [
        *BEGIN,
        TextDelta("So."),
        said(Text("So."), CALL),
        _result("ok", "fine"),
    ]
    short, long = replay(turn * 3)[0], replay(turn * 1000)[0]
    assert len(long.loose) + len(long.open) == len(short.loose) + len(short.open)
    assert _seconds(long) < 5 * _seconds(short)


def _seconds(state: State) -> float:
    """For a hundred deltas; the best of some tries."""

    def once() -> float:
        began, now = time.perf_counter(), state
        for _ in range(100):
            now = fold(now, TextDelta("word "), 0.0)[0]
        return time.perf_counter() - began

    return min(once() for _ in range(7))


@pytest.mark.parametrize(("summary", "notes"), [("ask Which one?", 0), ("ask Which …", 1)])
def test_a_question_is_a_note_where_its_card_does_not_say_it(summary: str, notes: int) -> None:
    call = ToolCall("c7", "ask", "{}")
    blocks = told(*BEGIN, ToolCallStarted(call, summary), QuestionAsked("q1", "Which one?"))
    assert len(of(CallBlock, blocks)) == 1
    assert len(of(NoteBlock, blocks)) == notes
