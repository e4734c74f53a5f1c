"""The strategy is what rendering shows, for every way in which a template treats reasoning."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from qcode.server.probe import TOOL, choose
from tests.support.render import Style, render_request


@pytest.mark.parametrize(("style", "strategy"), [("3.5", "fold"), ("3.6", "native")])
async def test_each_style_of_template_gets_its_strategy(style: Style, strategy: str) -> None:
    async def render(messages: Sequence[Mapping[str, Any]], kwargs: Mapping[str, bool]) -> str:
        preserve = {"preserve_thinking": False, **kwargs}
        body = {"messages": messages, "tools": [TOOL], "chat_template_kwargs": preserve}
        return render_request(body, style)

    assert await choose(render, "reasoning_content") == (strategy, "seen by rendering")


async def test_a_field_that_the_server_does_not_read_is_noticed() -> None:
    async def render(messages: Sequence[Mapping[str, Any]], kwargs: Mapping[str, bool]) -> str:
        return render_request({"messages": messages, "chat_template_kwargs": kwargs}, "3.6")

    assert (await choose(render, "thoughts"))[0] == "plain"


async def test_a_template_without_reasoning_is_plain() -> None:
    async def render(messages: Sequence[Mapping[str, Any]], _: Mapping[str, bool]) -> str:
        said = "".join(f"[{message['role']}]{message['content']}" for message in messages)
        return f"{said}[assistant]"

    strategy, why = await choose(render, "reasoning_content")
    assert (strategy, why) == ("plain", "the template shows no reasoning")


async def test_a_template_that_keeps_everything_is_native() -> None:
    async def render(messages: Sequence[Mapping[str, Any]], _: Mapping[str, bool]) -> str:
        rows = []
        for message in messages:
            thoughts = message.get("reasoning", "").strip()
            words = f"<think>\n{thoughts}\n</think>\n\n" if message["role"] == "assistant" else ""
            rows.append(f"[{message['role']}]{words}{message['content']}")
        return "".join(rows) + "[assistant]<think>\n"

    assert (await choose(render, "reasoning"))[0] == "native"
