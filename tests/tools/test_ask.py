"""A question reaches the person, the answer the model."""

from pathlib import Path

import pytest

from qcode.protocol.display import TextBlock
from qcode.tools.ask import Ask
from tests.tools.contexts import answering, make_context


@pytest.mark.parametrize(
    "choices",
    [
        "yes\n no \n\n",
        '["yes", "no"]',
        '[{"label": "yes", "description": "go on"}, {"label": "no", "description": "stop"}]',
    ],
)
async def test_question_and_choices_go_out_and_the_answer_comes_back(
    tmp_path: Path, choices: str
) -> None:
    asked: list[tuple[str, tuple[str, ...]]] = []

    async def person(question: str, offered: tuple[str, ...]) -> str:
        asked.append((question, offered))
        return "yes, but \ud800 slowly"

    context = answering(make_context(tmp_path)[0], person)
    outcome = await Ask("Go on?", choices).run(context)
    assert asked == [("Go on?", ("yes", "no"))]
    assert outcome.text == "yes, but \ufffd slowly"
    assert outcome.blocks == (TextBlock("yes, but \ufffd slowly"),)


async def test_where_nobody_can_answer_the_model_is_told_to_decide(tmp_path: Path) -> None:
    outcome = await Ask("Which one?").run(make_context(tmp_path)[0])
    assert outcome.status == "error"
    assert "Decide yourself" in outcome.text


async def test_an_empty_question_is_not_put_and_an_empty_answer_is_said(tmp_path: Path) -> None:
    async def silent(question: str, offered: tuple[str, ...]) -> str:
        return ""

    context = answering(make_context(tmp_path)[0], silent)
    assert (await Ask("  ").run(context)).status == "error"
    assert (await Ask("Well?").run(context)).text == "(no answer was given)"


def test_it_touches_nothing() -> None:
    assert Ask("Well?").accesses() == ()
    assert Ask("Well?\nMore").summary() == "Well?"
