"""Renders conversations with the test's own chat template, as engines do.

The environment is the one that transformers documents for chat templates: sandboxed, blocks
trimmed, `tojson` without escapes for HTML. `render_request` adds what llama.cpp b11549 does to the
messages before its template sees them.
"""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Literal, NoReturn

import jinja2
from jinja2.sandbox import ImmutableSandboxedEnvironment

from tests.support.script import Body

Style = Literal["3.5", "3.6"]
"""Which Qwen's layout: 3.5 drops the reasoning of earlier turns, 3.6 can be told to keep it."""

Messages = Sequence[Mapping[str, Any]]

TEMPLATE = Path(__file__).with_name("qwen_template.jinja")


def source(style: Style) -> str:
    """The text of the template in one style, to embed in a model file."""
    text = TEMPLATE.read_text(encoding="utf-8")
    return text.replace("{%- set style = '3.5' -%}", f"{{%- set style = '{style}' -%}}")


def render(messages: Messages, style: Style = "3.5", **variables: object) -> str:
    """The prompt up to where the model goes on.

    Arguments of calls must be mappings. `variables` are the template's: `tools`,
    `enable_thinking`, `preserve_thinking`; `add_generation_prompt` is True unless given.
    """
    return render_with(source(style), messages, **variables)


def render_with(template: str, messages: Messages, **variables: object) -> str:
    """The same with any template's text."""
    return _compiled(template).render(
        {"add_generation_prompt": True, **variables}, messages=messages
    )


def render_request(body: Body, style: Style = "3.5") -> str:
    """The body of a chat request as llama.cpp renders it.

    That server parses the arguments of calls and takes an empty reasoning field for an absent one.
    Its program sets `preserve_thinking` by default from b11063 on; as a library, where the tests
    run it, it does not. With `continue_final_message` the last message is left open.
    """
    kwargs = {**(body.get("chat_template_kwargs") or {})}
    is_open = bool(body.get("continue_final_message"))
    if is_open:
        kwargs["add_generation_prompt"] = False
    messages = [_as_llamacpp_reads(message) for message in body["messages"]]
    text = render(messages, style, tools=body.get("tools") or None, **kwargs)
    return text.removesuffix("<|im_end|>\n") if is_open else text


def _as_llamacpp_reads(message: Mapping[str, Any]) -> dict[str, Any]:
    read = {key: value for key, value in message.items() if value is not None}
    if not read.get("reasoning_content"):
        read.pop("reasoning_content", None)
    if calls := read.get("tool_calls"):
        read["tool_calls"] = [_parsed(call) for call in calls]
    return read


def _parsed(call: Mapping[str, Any]) -> dict[str, Any]:
    function = dict(call["function"])
    function["arguments"] = json.loads(function["arguments"])
    return {**call, "function": function}


@cache
def _compiled(template: str) -> jinja2.Template:
    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
    environment.filters["tojson"] = _plain_json
    environment.globals["raise_exception"] = _raise_exception
    return environment.from_string(template)


def _plain_json(value: object, indent: int | None = None) -> str:
    return json.dumps(value, ensure_ascii=False, indent=indent)


def _raise_exception(message: str) -> NoReturn:
    raise jinja2.TemplateError(message)
