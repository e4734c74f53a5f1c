"""Calls that leaked as text are calls again; what only looks like one stays as it is.

The corpus holds answers as servers sent them and what they should come to; the honest texts hold
answers in which nothing leaked.
"""

import itertools
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from qcode.engine.prepare import prepare
from qcode.protocol.events import TextDelta, ToolCallDelta
from qcode.protocol.messages import AssistantMessage, Message, ToolMessage, user
from qcode.server.base import Strategy
from qcode.server.content import pieces_of
from qcode.server.failures import Unusable
from qcode.server.offered import Offered
from qcode.server.reader import Limits, Reader
from qcode.server.shape import wire_messages
from qcode.tools.builtin import BUILTIN
from tests.server.leaks import TOOLS, Case, cases, honest, in_each_place, stream, wrong
from tests.server.streams import call, delta, end, read
from tests.support.render import Style, render_request

CASES = cases()
HONEST = honest()
REPOSITORY = Path(__file__).parents[2]
FILES = sorted(
    path
    for folder, pattern in (
        (".", "*.md"),
        ("docs", "**/*.md"),
        ("qcode/server", "**/*.py"),
        ("qcode/tools", "*.py"),
        ("tests/support", "*.jinja"),
    )
    for path in (REPOSITORY / folder).glob(pattern)
)

GROUPS = [
    [case for case in CASES if case.failure == failure]
    for failure in dict.fromkeys(case.failure for case in CASES)
]
every_case = pytest.mark.parametrize("group", GROUPS, ids=lambda group: group[0].failure)
"""A test for each failure, not for each of 500 cases: starting a test costs more than a case."""

in_time = pytest.mark.timeout(60)
"""Many times what is needed on a busy machine; quadratic work would need hours."""


@every_case
def test_an_answer_gone_wrong_is_read_as_it_was_meant(group: list[Case]) -> None:
    for case in group:
        assert wrong(case, read(case.stream, case.reader())) == [], case.id


def test_each_failure_has_five_cases_of_each_family() -> None:
    kinds = {(one.failure, one.family, one.name) for one in CASES}
    counts = Counter((failure, family) for failure, family, _ in kinds)
    failures = {one.failure for one in CASES}
    assert len(failures) == 13
    for failure, family in itertools.product(failures, ("qwen", "hermes")):
        assert counts[failure, family] >= 5, (failure, family)


@pytest.mark.slow
@every_case
def test_no_cut_of_the_bytes_changes_what_is_read(group: list[Case]) -> None:
    for case in group:
        data, whole = case.stream, read(case.stream, case.reader())
        for at in range(1, len(data)):
            reader = case.reader()
            reader.feed(data[:at])
            reader.feed(data[at:])
            assert reader.finish() == whole, (case.id, at)


@every_case
def test_no_cut_of_the_text_changes_what_is_read(group: list[Case]) -> None:
    for case in group:
        assert_no_cut_changes(case)


def assert_no_cut_changes(case: Case) -> None:
    whole = read(case.stream, case.reader())
    for number, (kind, text) in enumerate(case.pieces):
        if kind == "call":
            continue
        for at in range(1, len(text)):
            cut = ((kind, text[:at]), (kind, text[at:]))
            pieces = (*case.pieces[:number], *cut, *case.pieces[number + 1 :])
            assert read(stream(pieces, case.finish), case.reader()) == whole, (case.id, at)


def by_character(case: Case) -> Iterator[bytes]:
    for kind, text in case.pieces:
        for piece in text if kind != "call" else (text,):
            yield stream(((kind, piece),), "").removesuffix(end(""))


@every_case
def test_a_character_at_a_time_gives_the_same_message(group: list[Case]) -> None:
    for case in group:
        reader = case.reader()
        for event in by_character(case):
            reader.feed(event)
        reader.feed(end(case.finish))
        assert reader.finish() == read(case.stream, case.reader()), case.id


def squeezed(text: str) -> str:
    return "".join(text.split())


SHOWN_TOO_EARLY = ("5.8-only-the-closing", "5.8-a-call-in-what-was", "5.19-a-body-that-is-no-call")
"""Nothing tells them from text before they end."""


@every_case
def test_nothing_of_a_call_is_shown_as_text_while_it_comes(group: list[Case]) -> None:
    for case in group:
        reader = case.reader()
        items = [item for event in by_character(case) for item in reader.feed(event)]
        reader.feed(end(case.finish))
        message = reader.finish().message
        shown = "".join(item.text for item in items if isinstance(item, TextDelta))
        if not case.id.startswith(SHOWN_TOO_EARLY):
            assert squeezed(message.text).startswith(squeezed(shown)), case.id


def test_a_call_is_shown_while_it_is_written_as_text() -> None:
    reader = Reader(tools=TOOLS)
    pieces = ["I write.\n<tool", "_call>\n<function=wr", "ite>\n<parameter=content>\n", "x" * 50]
    items = [reader.feed(delta(content=piece)) for piece in pieces]
    assert items[0] == [TextDelta("I write.\n")]
    assert items[1] == []
    (growing,) = items[3]
    assert isinstance(growing, ToolCallDelta)
    assert (growing.index, growing.name, growing.added) == (0, "write", "x" * 50)


def test_each_call_of_a_list_is_shown_and_counted_for_itself() -> None:
    one = '{"name": "read", "arguments": {"path": "a.py"}}'
    reader = Reader(tools=TOOLS)
    written = f"<tool_call>\n[{one}, {one}]\n</tool_call>\n\n<tool_call>\n"
    items = reader.feed(delta(content=written))
    shown = {(each.index, each.name) for each in items if isinstance(each, ToolCallDelta)}
    assert shown >= {(0, "read"), (1, "read")}
    reader.feed(delta(content=f"{one}</tool_call>") + end())
    message = reader.finish().message
    assert [call.id for call in message.calls] == ["call_0", "call_1", "call_2"]


def test_capitals_within_a_value_are_data() -> None:
    value = '<Function>\n<Parameter Name="path">\na\n</Parameter>\n</Function>'
    text = f"{OPEN}{value}\n</parameter>\n<parameter=path>\na.xml\n</parameter>\n</function>\n"
    (one,) = read(delta(content=text) + end(), Reader(tools=TOOLS)).message.calls
    assert json.loads(one.arguments) == {"content": value, "path": "a.xml"}


def test_words_behind_a_call_decide_whether_it_was_quoted() -> None:
    written = '<tool_call>\n{"name": "read", "arguments": {"path": "a.py"}}\n</tool_call>\n'
    for behind, calls in (("Now I wait.", 1), ("is what the log holds.", 0), ('" it says.', 0)):
        data = delta(content=written) + delta(content="\n") + delta(content=behind)
        assert len(read(data + end(), Reader(tools=TOOLS)).message.calls) == calls, behind


# Honest texts.


def assert_untouched(text: str) -> None:
    for where, finished, left in in_each_place(text):
        assert finished.message.calls == (), where
        assert (finished.repairs, finished.flaw) == ((), ""), where
        assert left == (text if text.strip() else ""), where


def test_honest_texts_are_left_alone() -> None:
    for text in HONEST:
        assert_untouched(text)


def test_there_are_a_hundred_honest_texts() -> None:
    assert len(set(HONEST)) >= 100


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_the_files_of_this_project_are_left_alone(path: Path) -> None:
    assert_untouched(path.read_text(encoding="utf-8"))


def test_without_tools_nothing_bare_is_a_call() -> None:
    text = "<function=read>\n<parameter=path>\na.py\n</parameter>\n</function>\n"
    assert read(delta(content=text) + end()).message.text == text


# What is stored.


@pytest.mark.parametrize("style", ["3.5", "3.6"])
@pytest.mark.parametrize("strategy", ["native", "fold", "plain"])
def test_what_is_stored_renders_with_every_template(strategy: Strategy, style: Style) -> None:
    for case in CASES:
        assert_renders(case, strategy, style)


def assert_renders(case: Case, strategy: Strategy, style: Style) -> None:
    message = prepare(read(case.stream, case.reader()).message, BUILTIN).message
    for one in message.calls:
        assert isinstance(json.loads(one.arguments), dict)
    history: list[Message] = [user("Go."), message]
    history += [ToolMessage(one.id, one.name, "Done.") for one in message.calls]
    rendered = render_request(
        {"messages": wire_messages("", history, strategy, "reasoning_content"), "tools": TOOLS},
        style,
    )
    turn = rendered.rpartition("<|im_start|>user\nGo.<|im_end|>\n")[2]
    for one in message.calls:
        assert f"<tool_call>\n<function={one.name}>\n" in turn
    if strategy != "plain" or "</think>" not in message.text:  # there the template cuts at it
        assert message.text.strip() in turn


def test_calls_have_ids_of_their_own() -> None:
    (case,) = [one for one in CASES if one.id == "5.2-three-content"]
    message = read(case.stream, case.reader()).message
    assert [one.id for one in message.calls] == ["call_0", "call_1", "call_2"]
    assert message.finish == "tool_calls"


@pytest.mark.parametrize(
    ("case_id", "kinds"),
    [
        ("5.1-after-a-thought-reasoning", ["reasoning_call"]),
        ("5.2-after-words-content", ["leaked_call"]),
        ("5.5-in-a-value-content", ["half_call"]),
        ("5.5-the-second-of-two-content", ["leaked_call", "half_call"]),
        ("5.8-a-block-at-the-head-as-sent", ["reasoning"]),
        ("5.19-announced-and-not-sent-as-sent", ["lost_call"]),
    ],
)
def test_each_repair_is_told_by_its_kind(case_id: str, kinds: list[str]) -> None:
    (case,) = [one for one in CASES if one.id == case_id]
    repairs = read(case.stream, case.reader()).repairs
    assert [repair.kind for repair in repairs] == kinds


def test_a_call_as_text_beside_another_that_was_sent_stays_text() -> None:
    written = "<tool_call>\n<function=read>\n<parameter=path>\nb.py\n</parameter>\n</function>\n"
    data = delta(content=written) + call(0, id="i", name="read", arguments='{"path": "a.py"}')
    message = read(data + end("tool_calls"), Reader(tools=TOOLS)).message
    assert [one.arguments for one in message.calls] == ['{"path": "a.py"}']
    assert message.text == written.rstrip()


def test_leaked_calls_survive_an_error_at_the_end() -> None:
    reader = Reader(tools=TOOLS)
    reader.feed(delta(content='<tool_call>\n{"name": "read", "arguments": {"path": "a"}}\n'))
    kept = reader.salvage()
    assert kept is not None
    assert [one.name for one in kept.message.calls] == ["read"]


def test_leaked_calls_without_end_are_refused() -> None:
    one = '<tool_call>\n{"name": "read", "arguments": {}}\n</tool_call>\n'
    reader = Reader(limits=Limits(calls=3), tools=TOOLS)
    with pytest.raises(Unusable, match="more than 3 tools"):
        reader.feed(delta(content=one * 5))


# Hostile texts.

OPEN = "<tool_call>\n<function=write>\n<parameter=content>\n"


@pytest.mark.parametrize(
    "text",
    [
        "<tool_call>\n" * 20_000,
        "<tool_call>" * 20_000,
        "<function=x>\n<parameter=a>\n" * 10_000,
        OPEN * 5_000,
        OPEN + "</parameter>\n</function>\n" * 10_000,
        OPEN + "</parameter>\n</function>\n</tool_call>\nx\n" * 5_000,
        OPEN + "<parameter=path>\n" * 10_000,
        '<tool_call>\n{"name": "read", "arguments": ' + "[" * 100_000,
        '<tool_call>{"a":' * 20_000,
        "{\n" * 50_000,
        '{"name": "read", "x": "' * 10_000,
        "<" * 200_000,
        "`<t" * 60_000,
        "<think>\n" * 30_000,
        "</think>\n" * 30_000,
        "<invoke name=read>" * 10_000,
    ],
    ids=range(16),
)
@in_time
def test_a_hostile_text_is_read_in_time(text: str) -> None:
    reader = Reader(tools=TOOLS, limits=Limits(calls=1 << 30))
    for at in range(0, len(text), 1000):
        reader.feed(delta(content=text[at : at + 1000]))
    reader.feed(end())
    reader.finish()


@in_time
def test_a_value_full_of_its_own_closing_tag_is_read_in_time() -> None:
    """As a model that turns in circles writes it: the end of the answer must not stand still."""
    reader = Reader(tools=TOOLS)
    reader.feed(delta(content=OPEN + "</parameter>\n" * 75_000) + end())
    assert not reader.finish().message.calls


@in_time
def test_a_large_value_is_read_once_however_small_its_pieces() -> None:
    value = "<li>one</li>\n" * 8_000
    text = OPEN + value + "</parameter>\n<parameter=path>\na.html\n</parameter>\n</function>\n"
    reader = Reader(tools=TOOLS)
    for at in range(0, len(text), 4):
        reader.feed(delta(content=text[at : at + 4]))
    reader.feed(delta(content="</tool_call>") + end())
    (one,) = reader.finish().message.calls
    assert json.loads(one.arguments)["content"] == value.removesuffix("\n")


def test_pieces_hold_all_of_a_text() -> None:
    for text in HONEST:
        pieces = pieces_of(text, Offered(TOOLS))
        assert "".join(piece.raw for piece in pieces) == text


def test_an_answer_of_nothing_but_a_tag_left_over_is_empty() -> None:
    data = call(0, id="i", name="read", arguments="{}") + delta(content="\n</tool_call>")
    message = read(data + end("tool_calls"), Reader(tools=TOOLS)).message
    assert isinstance(message, AssistantMessage)
    assert message.text == ""
