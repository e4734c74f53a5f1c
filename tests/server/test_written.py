"""Calls and results as text: what a template makes of it is what it makes of the calls."""

import json
from typing import Any

import pytest

from qcode.server.written import written
from tests.support.render import Style, render

ASK = {"role": "user", "content": "Look."}


def call(name: str, **arguments: Any) -> dict[str, Any]:
    text = json.dumps(arguments)
    return {"id": name, "type": "function", "function": {"name": name, "arguments": text}}


def said(text: str, *calls: dict[str, Any], reasoning: str = "I look.") -> dict[str, Any]:
    more = {"tool_calls": list(calls)} if calls else {}
    return {"role": "assistant", "content": text, "reasoning_content": reasoning, **more}


def result(name: str, text: str) -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": name, "content": text}


TALKS: dict[str, list[dict[str, Any]]] = {
    "one call": [ASK, said("", call("read", path="a.py")), result("read", "1: x")],
    "words before it": [ASK, said("So.", call("read", path="a.py")), result("read", "1: x")],
    "two calls": [
        ASK,
        said("", call("read", path="a.py"), call("grep", pattern="x\ny", count=3)),
        result("read", "1: x"),
        result("grep", "none"),
    ],
    "and an answer": [
        ASK,
        said("", call("read", path="a.py", more=["a", {"b": 1}])),
        result("read", "1: x"),
        said("It is x."),
    ],
    "no thoughts": [ASK, said("", call("read", path="a.py"), reasoning=""), result("read", "1")],
}


@pytest.mark.parametrize("name", TALKS)
def test_it_renders_as_the_calls_themselves(name: str) -> None:
    style: Style = "3.6"
    talk = [{"role": "system", "content": "You work."}, *TALKS[name]]
    asked = [
        {**one, "tool_calls": [_decoded(each) for each in one["tool_calls"]]}
        if "tool_calls" in one
        else one
        for one in talk
    ]
    assert render(list(written(talk, "reasoning_content")), style) == render(asked, style)


def _decoded(one: dict[str, Any]) -> dict[str, Any]:
    function = one["function"]
    return {**one, "function": {**function, "arguments": json.loads(function["arguments"])}}
