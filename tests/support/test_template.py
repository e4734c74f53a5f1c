"""The test's own chat template lays conversations out as Qwen's does."""

import json
import re
from pathlib import Path
from typing import Any

import jinja2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.render import Style, render, render_request, render_with

REFERENCE = Path(__file__).parents[2] / ".." / "shared" / "data" / "qwen3.5.jinja"

TOOLS = [
    {"type": "function", "function": {"name": name, "description": "Öffnet <a> & 'b'.",
     "parameters": {"type": "object", "properties": {"path": {"type": "string"}}}}}
    for name in ("read", "write")
]  # fmt: skip

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2)
    ),
    max_leaves=4,
)  # fmt: skip
WORDS = st.text(max_size=12) | st.sampled_from(
    ["  a  ", "x\n", "\n\ny", "<think>\nr\n</think>\n\nc", "a</think>b", "</think>", "<think>",
     "<tool_response>\nnote\n</tool_response>"]
)  # fmt: skip
CALLS = st.fixed_dictionaries(
    {
        "name": st.text("abc", min_size=1),
        "arguments": st.dictionaries(st.text("xyz"), VALUES, max_size=3),
    }
).map(lambda function: {"type": "function", "function": function})  # fmt: skip
PARTS = st.lists(
    st.builds(lambda text: {"type": "text", "text": text}, WORDS)
    | st.just({"type": "image_url", "image_url": {"url": "data:"}}),
    max_size=3,
)
MESSAGES = st.one_of(
    st.fixed_dictionaries({"role": st.just("user"), "content": WORDS | PARTS}),
    st.fixed_dictionaries({"role": st.just("tool"), "content": WORDS}),
    st.fixed_dictionaries(
        {"role": st.just("assistant"), "content": WORDS | st.none()},
        optional={"reasoning_content": WORDS, "tool_calls": st.lists(CALLS, max_size=2)},
    ),
)
SYSTEM = st.none() | WORDS


def instructions_out(prompt: str) -> str:
    """`prompt` without what each template says about tools in its own words."""
    head = re.sub(r"\A<\|im_start\|>system\n# Tools\n.*?<tools>\n", "<tools>\n", prompt, flags=re.S)
    return re.sub(r"</tools>\n.*?</(IMPORTANT|HOW_TO_CALL)>", "</tools>", head, count=1, flags=re.S)


def rendered(template: str | None, messages: Any, **variables: Any) -> str | None:
    """None = the template raised; both must raise for the same conversations."""
    try:
        if template is None:
            return instructions_out(render(messages, "3.5", **variables))
        return instructions_out(render_with(template, messages, **variables))
    except jinja2.TemplateError:
        return None


@pytest.mark.skipif(not REFERENCE.exists(), reason="no original template to compare with")
@given(
    system=SYSTEM,
    history=st.lists(MESSAGES, max_size=7),
    tools=st.sampled_from([None, TOOLS]),
    thinking=st.sampled_from([None, True, False]),
)
def test_it_renders_what_the_original_renders(
    system: str | None, history: list[dict[str, Any]], tools: Any, thinking: Any
) -> None:
    start = [] if system is None else [{"role": "system", "content": system}]
    messages = [*start, {"role": "user", "content": "Go."}, *history]
    variables = {"tools": tools, "preserve_thinking": True}
    if thinking is not None:
        variables["enable_thinking"] = thinking
    original = rendered(REFERENCE.read_text(encoding="utf-8"), messages, **variables)
    assert rendered(None, messages, **variables) == original


@pytest.mark.parametrize(
    "messages",
    [
        [],
        [{"role": "system", "content": "s"}],
        [{"role": "user", "content": "u"}, {"role": "system", "content": "late"}],
        [{"role": "user", "content": "u"}, {"role": "developer", "content": "d"}],
        [{"role": "user", "content": "<tool_response>\nno query\n</tool_response>"}],
    ],
)
def test_it_refuses_what_the_original_refuses(messages: Any) -> None:
    with pytest.raises(jinja2.TemplateError):
        render(messages)


TWO_TURNS: list[dict[str, Any]] = [
    {"role": "user", "content": "one"},
    {"role": "assistant", "content": "first", "reasoning_content": "because"},
    {"role": "user", "content": "two"},
]


@pytest.mark.parametrize("variables", [{"preserve_thinking": False}, {"preserve_thinking": True}])
@pytest.mark.parametrize("style", ["3.5", "3.6"])
def test_only_the_newer_style_keeps_reasoning_of_earlier_turns_and_only_when_told(
    style: Style, variables: dict[str, bool]
) -> None:
    kept = "<think>\nbecause\n</think>\n\nfirst" in render(TWO_TURNS, style, **variables)
    assert kept is (style == "3.6" and variables["preserve_thinking"])


@pytest.mark.parametrize(("style", "printed"), [("3.5", "True"), ("3.6", "true")])
def test_a_boolean_argument_is_printed_by_the_style(style: Style, printed: str) -> None:
    call = {"type": "function", "function": {"name": "f", "arguments": {"all": True}}}
    messages = [TWO_TURNS[0], {"role": "assistant", "content": "", "tool_calls": [call]}]
    assert f"<parameter=all>\n{printed}\n</parameter>" in render(messages, style)


def test_a_request_is_read_as_llamacpp_reads_it() -> None:
    folded = "<think>\nbecause\n</think>\n\nfirst"
    call = {
        "type": "function",
        "function": {"name": "f", "arguments": json.dumps({"b": 1, "a": 2})},
    }

    def prompt(reasoning: str) -> str:
        past = {"role": "assistant", "content": folded, "reasoning_content": reasoning,
                "tool_calls": [call]}  # fmt: skip
        return render_request({"messages": [TWO_TURNS[0], past, TWO_TURNS[2]]})

    assert folded in prompt(" ")
    assert "because" not in prompt("")
    assert "<parameter=b>\n1\n</parameter>\n<parameter=a>\n2\n" in prompt(" ")
