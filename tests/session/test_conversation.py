"""The conversation is a fold of the log, and always something a template can take."""

import time
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given
from hypothesis import strategies as st

from qcode.protocol.display import Block, FileBlock, TodoBlock, TodoItem
from qcode.protocol.events import (
    Compacted,
    Elided,
    LoggedEvent,
    ModeChanged,
    ModelChanged,
    Parent,
    Renamed,
    Rewound,
    SessionStarted,
    Steered,
    ToolCallFinished,
    TurnStarted,
)
from qcode.protocol.messages import AssistantMessage, Message, ToolMessage, UserMessage, user
from qcode.session.conversation import LOST_RESULT, Conversation, fold
from qcode.session.log import Log
from qcode.session.reading import read
from tests.session.histories import answer, histories, one_turn, result, started


def texts(messages: list[Message]) -> list[str]:
    return [message.text for message in messages]


def valid(messages: list[Message]) -> bool:
    """Each answer is followed by the results of its calls, one each, in order; no others."""
    rest = list(messages)
    while rest:
        first = rest.pop(0)
        if isinstance(first, ToolMessage):
            return False
        for call in first.calls if isinstance(first, AssistantMessage) else ():
            if not rest:
                return False
            following = rest.pop(0)
            if not isinstance(following, ToolMessage) or following.call_id != call.id:
                return False
    return True


@given(histories())
def test_folding_the_log_gives_the_live_conversation(events: list[LoggedEvent]) -> None:
    live = Conversation()
    with TemporaryDirectory() as folder:
        path = Path(folder, "s.jsonl")
        with Log.create(path) as log:
            for event in events:
                log.append(event)
                live.apply(event)
        assert fold(read(path).events) == live


@given(histories(), st.data())
def test_a_crash_anywhere_leaves_only_the_calls_of_the_last_answer_open(
    events: list[LoggedEvent], data: st.DataObject
) -> None:
    cut = data.draw(st.integers(1, len(events)))
    conversation = fold(events[:cut])
    for call in conversation.dangling():
        conversation.apply(result(call.id, "cancelled", "cancelled"))
    assert conversation.dangling() == ()
    assert valid(conversation.messages)


@given(histories(), st.data())
def test_messages_stay_valid_when_events_are_missing_from_the_log(
    events: list[LoggedEvent], data: st.DataObject
) -> None:
    holes = data.draw(st.sets(st.integers(1, max(1, len(events) - 1))))
    conversation = fold(event for i, event in enumerate(events) if i not in holes)
    conversation.apply(TurnStarted(99, user("Go on.")))
    assert valid(conversation.messages)


@given(histories())
def test_messages_only_grow_while_the_epoch_is_the_same(events: list[LoggedEvent]) -> None:
    conversation = Conversation()
    messages = conversation.messages
    for event in events:
        before, epoch, open_calls = messages.copy(), conversation.epoch, conversation.dangling()
        conversation.apply(event)
        assert conversation.messages is messages
        if conversation.epoch == epoch and not open_calls:
            assert messages[: len(before)] == before


def test_results_stand_in_the_order_of_the_calls_whatever_finished_first() -> None:
    conversation = fold([started(), TurnStarted(1, user("go")), answer("a", "b", "c")])
    for call in "cab":
        conversation.apply(result(call, call.upper()))
    assert texts(conversation.messages)[2:] == ["A", "B", "C"]


def test_two_calls_with_the_same_id_get_a_result_each() -> None:
    events: list[LoggedEvent] = [
        TurnStarted(1, user("go")),
        answer("x", "x"),
        result("x", "1"),
        result("x", "2"),
    ]
    assert texts(fold(events).messages)[2:] == ["1", "2"]


def test_a_second_result_of_a_call_is_ignored() -> None:
    events: list[LoggedEvent] = [
        TurnStarted(1, user("go")),
        answer("a"),
        result("a", "1"),
        result("a", "2"),
    ]
    assert texts(fold(events).messages)[2:] == ["1"]


def test_steering_stands_after_the_last_result() -> None:
    events: list[LoggedEvent] = [
        TurnStarted(1, user("go")),
        answer("a"),
        Steered(user("stop", "steer")),
        result("a"),
    ]
    assert texts(fold(events).messages) == ["go", "", "done", "stop"]


def test_calls_without_result_dangle_until_they_get_one() -> None:
    conversation = fold([TurnStarted(1, user("go")), answer("a", "b"), result("b")])
    assert [call.id for call in conversation.dangling()] == ["a"]
    conversation.apply(result("a"))
    assert conversation.dangling() == ()


def test_a_result_that_never_came_is_filled_in_when_the_conversation_goes_on() -> None:
    events: list[LoggedEvent] = [
        TurnStarted(1, user("go")),
        answer("a"),
        TurnStarted(2, user("on")),
    ]
    assert texts(fold(events).messages) == ["go", "", LOST_RESULT, "on"]


def test_compaction_puts_the_summary_before_what_is_kept() -> None:
    events = [started(), *one_turn(1), *one_turn(2, "Second.")]
    conversation = fold([*events, Compacted(user("Short.", "summary"), 3, 900, 90)])
    assert texts(conversation.messages) == ["Short.", "", "1 passed", "Fixed."]
    assert conversation.live_turns == (1, 2)


def test_a_compaction_never_keeps_a_result_without_its_call() -> None:
    short = user("Short.", "summary")
    conversation = fold([*one_turn(1), Compacted(short, 2, 900, 90)])
    assert texts(conversation.messages) == ["Short.", "Fixed."]
    conversation = fold([TurnStarted(1, user("go")), answer("a", "b"), result("b")])
    conversation.apply(Compacted(short, 1, 900, 90))
    conversation.apply(result("a"))
    assert texts(conversation.messages) == ["Short."]


LONG = "exit 0\n" + "line\n" * 500


def long_turn(turn: int) -> list[LoggedEvent]:
    return [
        TurnStarted(turn, user(f"Prompt {turn}.")),
        answer(f"c{turn}", reasoning="Hm."),
        result(f"c{turn}", LONG),
        answer(text=f"Answer {turn}.", reasoning="So."),
    ]


def test_an_elision_takes_old_results_and_reasoning_and_leaves_all_words() -> None:
    events = [started(), *long_turn(1), *long_turn(2)]
    conversation = fold(events)
    before = conversation.messages.copy()
    conversation.apply(Elided(4, 400, 9000, 4000))
    messages = conversation.messages
    assert messages[4:] == before[4:]
    assert texts([messages[0], messages[1], messages[3]]) == ["Prompt 1.", "", "Answer 1."]
    assert not any(m.reasoning for m in messages[:4] if isinstance(m, AssistantMessage))
    assert messages[2].text.startswith("exit 0\n(This result of 2,507 characters was taken out")
    assert len(messages[2].text) < 400
    assert (conversation.epoch, conversation.last_usage) == (1, None)
    again = fold([*events, Elided(4, 400, 9000, 4000), Elided(4, 400, 9000, 4000)])
    assert again.messages == messages, "what was elided once is not made shorter again"


def test_an_answer_of_reasoning_alone_leaves_with_it() -> None:
    conversation = fold([TurnStarted(1, user("go")), answer(reasoning="Hm."), answer("a", "b")])
    for event in (result("b"), Elided(2, 400, 9000, 4000), result("a", "first")):
        conversation.apply(event)
    assert texts(conversation.messages) == ["go", "", "first", "done"]


def test_rewinding_behind_an_elision_brings_the_old_messages_back() -> None:
    elided = Elided(5, 400, 9000, 4000)
    events = [started(), *long_turn(1), *long_turn(2), elided, *long_turn(3)]
    assert fold([*events, Rewound(3)]).messages == fold(events[:10]).messages
    assert fold([*events, Rewound(2)]).messages == fold(long_turn(1)).messages
    short = Compacted(user("Short.", "summary"), 1, 900, 90)
    both = [*events, short, *long_turn(4)]
    assert fold([*both, Rewound(3)]).messages == fold(events[:10]).messages
    assert fold([*both, Rewound(2)]).messages == fold(long_turn(1)).messages


def test_what_the_person_said_outlives_a_compaction_but_no_rewind() -> None:
    steers = [Steered(user("tabs", "steer")), Steered(user("go on", "nudge"))]
    short = Compacted(user("Short.", "summary"), 0, 900, 90)
    events = [*one_turn(1, "One."), *steers, short, *one_turn(2, "Two."), *steers]
    assert texts([*fold(events).said]) == ["One.", "tabs", "Two.", "tabs"]
    assert texts([*fold([*events, Rewound(2)]).said]) == ["One.", "tabs"]


def test_the_plan_and_the_files_that_were_read_are_known_also_after_a_compaction() -> None:
    def told(call: str, *blocks: Block) -> list[LoggedEvent]:
        return [answer(call), ToolCallFinished(ToolMessage(call, "shell", "ok"), blocks)]

    plan = (TodoItem("find it", "done"), TodoItem("mend it"))
    files = [told(f"r{n}", FileBlock(path, 1, 9, 9)) for n, path in enumerate("aba")]
    events: list[LoggedEvent] = [TurnStarted(1, user("go")), *told("t", TodoBlock(plan))]
    events += [*files[0], *files[1], *files[2], Compacted(user("In short."), 0, 900, 90)]
    conversation = fold(events)
    assert conversation.plan == plan
    assert list(conversation.looked_at) == ["b", "a"]
    other = told("t2", TodoBlock(plan[:1]))
    assert fold([*events, TurnStarted(2, user("on")), *other, Rewound(2)]).plan == plan


def test_a_compaction_that_keeps_nothing_leaves_the_summary() -> None:
    events = [*one_turn(1), Compacted(user("Short.", "summary"), 0, 900, 90)]
    assert texts(fold(events).messages) == ["Short."]


def test_a_compaction_between_calls_and_results_still_orders_them() -> None:
    conversation = fold([*one_turn(1), TurnStarted(2, user("go")), answer("a", "b"), result("b")])
    conversation.apply(Compacted(user("Short.", "summary"), 2, 900, 90))
    conversation.apply(result("a", "first"))
    assert texts(conversation.messages) == ["Short.", "", "first", "done"]


def test_rewinding_goes_to_before_the_turn() -> None:
    events = [*one_turn(1), *one_turn(2, "Second."), *one_turn(3, "Third.")]
    conversation = fold([*events, Rewound(2)])
    assert conversation.messages == fold(one_turn(1)).messages
    assert conversation.live_turns == (1,)
    assert conversation.turns == 3, "numbers are not given twice"


def test_rewinding_behind_a_compaction_brings_the_old_messages_back() -> None:
    short = Compacted(user("Short.", "summary"), 0, 900, 90)
    events = [*one_turn(1), *one_turn(2), short, *one_turn(3), short, *one_turn(4)]
    assert fold([*events, Rewound(2)]).messages == fold(one_turn(1)).messages
    assert fold([*events, Rewound(4)]).messages == [short.summary]
    again = fold([*events, Rewound(3), *one_turn(5), Rewound(2)])
    assert again.messages == fold(one_turn(1)).messages


def test_rewinding_to_a_turn_that_is_not_there_changes_nothing() -> None:
    events = [*one_turn(1), *one_turn(2), Rewound(2)]
    assert fold([*events, Rewound(2), Rewound(7)]).messages == fold(events).messages


def test_the_system_text_is_that_of_the_last_start_and_the_id_that_of_the_first() -> None:
    again = SessionStarted("other", "0.2.0", "/b", "m2", "s2", "New system.", (), "auto")
    first = started()
    conversation = fold([first, *one_turn(1), again])
    assert (conversation.session_id, conversation.folder) == (first.session_id, first.folder)
    assert (conversation.system, conversation.tools) == ("New system.", ())
    assert (conversation.model, conversation.mode) == ("m2", "auto")


def test_changes_of_name_mode_and_model_hold() -> None:
    conversation = fold([started(), Renamed("n"), ModeChanged("auto"), ModelChanged("m", "s")])
    assert (conversation.name, conversation.mode) == ("n", "auto")
    assert (conversation.model, conversation.server) == ("m", "s")


def test_the_title_is_the_name_else_the_first_prompt() -> None:
    conversation = fold([started(), *one_turn(1, "Mend the sum."), *one_turn(2, "And more.")])
    assert conversation.title == "Mend the sum."
    conversation.apply(Renamed("sums"))
    assert conversation.title == "sums"


def test_the_title_is_what_the_person_said_without_facts_and_piped_data() -> None:
    message = user(
        "<workspace>\nFolder: /a\n</workspace>\n\n<instructions>\nBe kind.\n</instructions>\n\n"
        "Why does it fail?\n\n<stdin>\nlog line\n</stdin>"
    )
    assert fold([TurnStarted(1, message)]).title == "Why does it fail?"


def test_a_prompt_that_is_only_piped_data_is_still_a_title() -> None:
    assert "log line" in fold([TurnStarted(1, user("<stdin>\nlog line\n</stdin>"))]).title


def test_the_title_of_a_long_prompt_is_found_at_once() -> None:
    began = time.process_time()
    for piece in (" ", "\n", "<stdin>\n"):
        fold([TurnStarted(1, user("x" + piece * 50_000 + "y"))])
    assert time.process_time() - began < 1


def test_the_parent_of_a_fork_is_known() -> None:
    parent = Parent("p", 7)
    first = SessionStarted("s", "0.1.0", "/", "m", "", "", (), "ask", parent)
    assert fold([first, started()]).parent == parent


def test_sums_count_the_whole_log_also_what_was_rewound() -> None:
    conversation = fold([*one_turn(1), *one_turn(2), Rewound(1)])
    assert conversation.generated_tokens == 50
    assert conversation.edits == 2
    assert list(conversation.edited) == ["a.py"]


def test_ten_thousand_steps_fold_without_slowing_down() -> None:
    conversation = Conversation()
    conversation.apply(TurnStarted(1, user("go")))
    for number in range(10_000):
        conversation.apply(answer(f"c{number}"))
        conversation.apply(result(f"c{number}"))
    assert len(conversation.messages) == 20_001
    assert isinstance(conversation.messages[0], UserMessage)
