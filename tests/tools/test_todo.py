"""The plan: read in the forms that models write it."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qcode.protocol.display import TodoBlock, TodoItem
from qcode.tools.todo import Todo, parsed
from tests.tools.contexts import make_context

PLAN = (
    TodoItem("find the bug", "done"),
    TodoItem("fix it", "doing"),
    TodoItem("run the tests", "open"),
)


@pytest.mark.parametrize(
    "text",
    [
        "[x] find the bug\n[~] fix it\n[ ] run the tests",
        "- [x] find the bug\n- [~] fix it\n- [ ] run the tests\n",
        "1. [X] find the bug\n2. [>] fix it\n\n3. run the tests",
        "* [✓] find the bug\r\n* [-] fix it\r\n* [] run the tests",
        '[{"content": "find the bug", "status": "completed", "activeForm": "Finding"},'
        ' {"content": "fix it", "status": "in_progress"},'
        ' {"content": "run the tests", "status": "pending"}]',
        '["[x] find the bug", "[~] fix it", "run the tests"]',
    ],
)
def test_every_common_form_is_the_same_plan(text: str) -> None:
    assert parsed(text) == PLAN


@pytest.mark.parametrize("text", ["[docs] say more", "-v is missing", "3.12 is broken", "a [x] b"])
def test_a_step_that_only_looks_marked_keeps_its_words(text: str) -> None:
    assert parsed(text) == (TodoItem(text),)


@given(st.text() | st.from_regex(r"\[.{0,20}\]", fullmatch=True))
def test_any_text_is_read_without_error(text: str) -> None:
    for item in parsed(text):
        assert item.text
        assert "\n" not in item.text


async def test_each_call_replaces_the_plan(tmp_path: Path) -> None:
    context, _ = make_context(tmp_path)
    await Todo("[ ] old").run(context)
    outcome = await Todo("[x] find the bug\n[~] fix it\n[ ] run the tests").run(context)
    assert tuple(context.todo) == PLAN
    assert outcome.blocks == (TodoBlock(PLAN),)
    assert outcome.text == "Plan kept, 1 of 3 done. Next: fix it"
    assert (await Todo("[x] a").run(context)).text == "Plan kept, all done."
    assert (await Todo("").run(context)).text == "The plan is empty now."
    assert context.todo == []


async def test_a_list_without_steps_is_refused_and_keeps_the_plan(tmp_path: Path) -> None:
    context, _ = make_context(tmp_path)
    await Todo("[ ] keep").run(context)
    assert (await Todo("[ ]\n[x]").run(context)).status == "error"
    assert context.todo == [TodoItem("keep")]


def test_it_touches_nothing_and_sums_itself_up() -> None:
    assert Todo("[x] a\n[ ] b").accesses() == ()
    assert Todo("[x] a\n[ ] b").summary() == "1 of 2 done"
