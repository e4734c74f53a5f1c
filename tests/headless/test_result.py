"""What a run came to, as a fold of its events."""

from qcode.headless.exits import ExitCode
from qcode.headless.json import as_object
from qcode.headless.result import WAITING, Result
from qcode.protocol.ahead import Ahead
from qcode.protocol.events import (
    ContextChanged,
    MessageCompleted,
    ModelChanged,
    SessionStarted,
    TurnFinished,
    TurnStarted,
    Usage,
)
from qcode.protocol.messages import AssistantMessage, Finish, Text, ToolCall, user


def answer(text: str, finish: Finish = "stop", *calls: ToolCall) -> MessageCompleted:
    """An answer of the model."""
    return MessageCompleted(AssistantMessage((Text(text), *calls), finish), 0, 0.0)


def test_an_answer_that_was_cut_off_and_went_on_is_given_out_whole() -> None:
    result = Result()
    for event in (answer("one, ", "length"), answer("two, ", "length"), answer("three")):
        result.take(event)
    assert result.answer == "one, two, three"


def test_what_was_said_before_other_calls_is_no_part_of_the_answer() -> None:
    result = Result()
    read = ToolCall("1", "read", "{}")
    for event in (answer("I look", "length", read), answer("It is a.py.")):
        result.take(event)
    assert result.answer == "It is a.py."


def test_a_session_without_a_turn_is_none_to_go_on_with() -> None:
    result = Result()
    result.take(SessionStarted("s-1", "0.1.0", "/w", "m", "llamacpp", "system", (), "ask"))
    assert (result.session_id, result.resumable) == ("s-1", "")
    result.take(TurnStarted(1, user("hi")))
    assert result.resumable == "s-1"


def test_a_failed_run_says_what_would_help() -> None:
    gone = Result(steps=1, end=TurnFinished("error", "No server answers.", "ServerGone"))
    assert gone.why(ExitCode.UNAVAILABLE).endswith(WAITING)
    gone.steps = 0
    assert gone.why(ExitCode.UNAVAILABLE) == "No server answers."
    loop = Result(end=TurnFinished("loop", 'The model repeats itself: read {"a": 1}'))
    assert '"a": 1}. Say it' in loop.why(ExitCode.LOOP)


def test_what_answers_and_how_long_its_context_is_are_as_last_told() -> None:
    result = Result()
    for event in (
        SessionStarted("s-1", "0.1.0", "/w", "first", "ollama 0.33", "system", (), "ask"),
        ContextChanged(4_096, "/api/ps"),
        ModelChanged("second", "llamacpp b11549"),
        ContextChanged(32_768, "/props"),
    ):
        result.take(event)
    own = as_object(result, ExitCode.FAILED)["qcode"]
    assert (own["model"], own["server"]) == ("second", "llamacpp b11549")
    assert own["context_tokens"] == 32_768
    assert result.session_id == "s-1"


def test_what_the_server_had_ready_is_summed_up() -> None:
    result = Result()
    result.take(Usage(9_000, 8_900, 10, ahead=Ahead(8_000, 6.25)))
    result.take(Usage(9_000, 8_900, 10))
    result.take(Usage(9_000, 8_900, 10, ahead=Ahead(1_000, 0.5, 700)))
    own = as_object(result, ExitCode.OK)["qcode"]
    assert (own["read_ahead_tokens"], own["read_ahead_seconds"]) == (9_000, 6.75)
    assert own["restored_tokens"] == 700
