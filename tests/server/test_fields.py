"""A request in each server's own words: what is sent, what is not, and what is told instead."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from qcode.server.base import Request, ServerFacts, Strategy
from qcode.server.closing import CLOSING, closed
from qcode.server.families import FAMILIES, sampling
from qcode.server.fields import fields, groups, ignored, limits, refusal, unsaid
from qcode.server.quirks import QUIRKS, of

BUDGET = 8_000
KEPT = {"preserve_thinking": True}


def at(
    kind: str, model: str = "Qwen3.6-35B-A3B", version: str = "", strategy: Strategy = "plain"
) -> ServerFacts:
    return ServerFacts(
        kind=kind,
        version=version,
        base_url="http://127.0.0.1:1/v1",
        model=model,
        models=(model,),
        context_tokens=None,
        strategy=strategy,
        strategy_why="",
        reasoning_field="reasoning_content",
    )


def asking(budget: int | None, **more: Any) -> Request:
    return Request("m", (), (), thinking_budget=budget, **more)


def coding(model: str = "Qwen3.6-35B-A3B") -> Request:
    return asking(BUDGET, sampling=sampling(model, "thinking_coding"), max_tokens=32_768)


SWITCHED_ON = {"chat_template_kwargs": {"enable_thinking": True, **KEPT}}
SWITCHED_OFF = {"chat_template_kwargs": {"enable_thinking": False, **KEPT}}
LIMITED = {
    "thinking_budget_tokens": BUDGET,
    "reasoning_budget_message": f"\n\n{CLOSING}",
    "reasoning_control": True,
}
ON: Mapping[str, Mapping[str, Any]] = {
    "generic": {},
    "llamacpp": {**SWITCHED_ON, **LIMITED},
    "llamacpp-router": {**SWITCHED_ON, **LIMITED},
    "llama-swap": {**SWITCHED_ON, **LIMITED},
    "ollama": {"reasoning_effort": "medium"},
    "ollama-chat": {"think": True},
    "lmstudio": {"reasoning_effort": "medium"},
    "vllm": {**SWITCHED_ON, "thinking_token_budget": BUDGET},
    "sglang": {**SWITCHED_ON, "custom_params": {"thinking_budget": BUDGET}},
    "mlx_lm": SWITCHED_ON,
    "mlx-vlm": {"enable_thinking": True, "thinking_budget": BUDGET},
    "omlx": {**SWITCHED_ON, "thinking_budget": BUDGET},
    "transformers": SWITCHED_ON,
    "llama-cpp-python": {},
    "nim": {**SWITCHED_ON, "nvext": {"max_thinking_tokens": BUDGET}},
    "dashscope": {"enable_thinking": True, **KEPT, "thinking_budget": BUDGET},
    "openrouter": {"reasoning": {"enabled": True, "max_tokens": BUDGET}},
}
OFF: Mapping[str, Mapping[str, Any]] = {
    "generic": {},
    "ollama": {"reasoning_effort": "none"},
    "ollama-chat": {"think": False},
    "lmstudio": {"reasoning_effort": "none"},
    "mlx-vlm": {"enable_thinking": False},
    "llama-cpp-python": {},
    "dashscope": {"enable_thinking": False, **KEPT},
    "openrouter": {"reasoning": {"enabled": False}},
}
"""The others: the template's keyword."""


def test_the_table_holds_every_kind() -> None:
    assert {*ON} == {*QUIRKS}


@pytest.mark.parametrize("kind", QUIRKS)
def test_thinking_is_said_as_the_server_spells_it(kind: str) -> None:
    assert groups(at(kind), asking(BUDGET))["thinking"] == ON[kind]
    assert groups(at(kind), asking(0))["thinking"] == OFF.get(kind, SWITCHED_OFF)
    assert groups(at(kind), asking(None))["thinking"] == {}


SAMPLED: Mapping[str, Mapping[str, Any]] = {
    "llamacpp": {
        "temperature": 0.6,
        "top_p": 0.95,
        "top_k": 20,
        "min_p": 0.0,
        "presence_penalty": 0.0,
        "repeat_last_n": 64,
    },
    "vllm": {
        "temperature": 0.6,
        "top_p": 0.95,
        "top_k": 20,
        "min_p": 0.0,
        "presence_penalty": 0.0,
    },
    "ollama": {"temperature": 0.6, "top_p": 0.95, "presence_penalty": 0.0},
    "ollama-chat": {
        "options.temperature": 0.6,
        "options.top_p": 0.95,
        "options.top_k": 20,
        "options.min_p": 0.0,
        "options.presence_penalty": 0.0,
        "options.repeat_last_n": 64,
    },
    "mlx_lm": {
        "temperature": 0.6,
        "top_p": 0.95,
        "top_k": 20,
        "min_p": 0.0,
        "presence_penalty": 0.0,
        "presence_context_size": 64,
    },
    "transformers": {"temperature": 0.6, "top_p": 0.95},
}


@pytest.mark.parametrize("kind", SAMPLED)
def test_sampling_is_said_as_the_server_spells_it(kind: str) -> None:
    assert groups(at(kind), coding())["sampling"] == SAMPLED[kind]


def test_the_whole_body_for_llama_cpp() -> None:
    assert fields(at("llamacpp", version="b11549"), coding()) == {
        **QUIRKS["llamacpp"].extra,
        **SAMPLED["llamacpp"],
        "max_tokens": 32_768,
        **ON["llamacpp"],
    }


def test_a_presence_penalty_looks_back_far_enough_to_work() -> None:
    general = sampling("qwen3.6-35b-a3b", "thinking_general")
    request = asking(BUDGET, sampling=general)
    assert fields(at("llamacpp"), request)["repeat_last_n"] == 2_048
    assert fields(at("mlx_lm"), request)["presence_context_size"] == 2_048
    named = asking(BUDGET, sampling={**general, "penalty_window": 4_096})
    assert fields(at("llamacpp"), named)["repeat_last_n"] == 4_096


def test_a_server_is_not_left_to_its_own_min_p() -> None:
    assert fields(at("llamacpp"), asking(None))["min_p"] == 0


def test_an_old_build_is_not_sent_what_it_does_not_know() -> None:
    old = groups(at("llamacpp", version="b8000"), asking(BUDGET))["thinking"]
    assert old == SWITCHED_ON
    middle = groups(at("llamacpp", version="b9000"), asking(BUDGET))["thinking"]
    assert middle == {**SWITCHED_ON, "thinking_budget_tokens": BUDGET}
    assert "reasoning_control" in fields(at("llamacpp", version="b9538"), asking(BUDGET))
    penalty = asking(BUDGET, sampling={"presence_penalty": 1.5})
    assert "presence_penalty" not in fields(at("ollama", version="0.29.1"), penalty)
    assert fields(at("ollama", version="0.30.0"), penalty)["presence_penalty"] == 1.5


def test_reasoning_is_kept_but_where_folding_was_proved() -> None:
    for strategy in ("native", "plain"):
        sent = fields(at("llamacpp", strategy=strategy), asking(0))
        assert sent["chat_template_kwargs"] == {"enable_thinking": False, **KEPT}
    folded = fields(at("llamacpp", strategy="fold"), asking(0))
    assert folded["chat_template_kwargs"] == {"enable_thinking": False}


@pytest.mark.parametrize(
    ("model", "on", "off"),
    [
        ("qwen3-coder:30b", None, None),
        ("deepseek-r1:8b", KEPT, KEPT),
        ("DeepSeek-V3.2", {"thinking": True, **KEPT}, {"thinking": False, **KEPT}),
        (
            "GLM-4.7-Flash",
            {"enable_thinking": True, "clear_thinking": False, **KEPT},
            {"enable_thinking": False, "clear_thinking": False, **KEPT},
        ),
        (
            "gpt-oss-20b",
            {"reasoning_effort": "medium", **KEPT},
            {"reasoning_effort": "low", **KEPT},
        ),
        (
            "Qwen3.8-27B",
            {"enable_thinking": True, "reasoning_effort": "medium", **KEPT},
            {"enable_thinking": False, **KEPT},
        ),
    ],
)
def test_a_template_is_told_in_its_own_keywords(
    model: str, on: dict[str, Any] | None, off: dict[str, Any] | None
) -> None:
    for kind in ("llamacpp", "mlx_lm", "transformers"):
        assert fields(at(kind, model), asking(BUDGET)).get("chat_template_kwargs") == on
        assert fields(at(kind, model), asking(0)).get("chat_template_kwargs") == off


def test_levels_are_words_wherever_they_go() -> None:
    def thinking(kind: str, budget: int) -> dict[str, Any]:
        return groups(at(kind, "gpt-oss:20b"), asking(budget))["thinking"]

    assert thinking("ollama", 0) == {"reasoning_effort": "low"}
    assert thinking("ollama", 16_000) == {"reasoning_effort": "high"}
    assert thinking("vllm", 16_000)["reasoning_effort"] == "high"
    assert thinking("openrouter", BUDGET) == {"reasoning": {"effort": "medium"}}
    assert "thinking_budget_tokens" not in thinking("llamacpp", BUDGET)


def test_an_unknown_model_is_not_told_to_think_where_that_may_be_refused() -> None:
    def thinking(kind: str, budget: int) -> dict[str, Any]:
        return groups(at(kind, "llama3.3:70b"), asking(budget))["thinking"]

    assert thinking("ollama", BUDGET) == {}
    assert thinking("ollama", 0) == {"reasoning_effort": "none"}
    assert "thinking_token_budget" not in thinking("vllm", BUDGET)
    assert thinking("llamacpp", BUDGET)["thinking_budget_tokens"] == BUDGET


def test_effort_in_front_of_the_prompt_stays_and_the_limit_moves() -> None:
    """Else all that the server has read would be read again."""
    first = groups(at("llamacpp", "Qwen3.8-27B"), asking(16_000, first_budget=16_000))["thinking"]
    later = groups(at("llamacpp", "Qwen3.8-27B"), asking(0, first_budget=16_000))["thinking"]
    assert first["chat_template_kwargs"] == later["chat_template_kwargs"]
    assert later["chat_template_kwargs"]["reasoning_effort"] == "xhigh"
    assert (first["thinking_budget_tokens"], later["thinking_budget_tokens"]) == (16_000, 0)


CLOSED: Mapping[str, Mapping[str, Any]] = {
    "llamacpp": SWITCHED_ON,
    "vllm": SWITCHED_ON,
    "sglang": SWITCHED_ON,
    "ollama": {"reasoning_effort": "low"},
    "openrouter": {"reasoning": {"enabled": True}},
}


@pytest.mark.parametrize("kind", CLOSED)
def test_behind_closed_reasoning_the_prompt_is_the_same_and_nothing_is_limited(kind: str) -> None:
    for budget in (0, 1_000):
        assert groups(at(kind), asking(budget, closed="I know."))["thinking"] == CLOSED[kind]


MODELS = ("", *(row.name for row in FAMILIES), "qwen3.6:27b", "gpt-oss:20b", "gemma4")
VALUES = st.dictionaries(
    st.sampled_from(["temperature", "top_p", "top_k", "min_p", "presence_penalty"]),
    st.sampled_from([0, 0.5, 1.0, 1.5, 20]),
)
REQUESTS = st.builds(
    asking,
    st.none() | st.integers(0, 40_000),
    sampling=VALUES,
    max_tokens=st.none() | st.integers(1, 100_000),
    closed=st.sampled_from(["", "I know."]),
    first_budget=st.none() | st.integers(0, 40_000),
)
FACTS = st.builds(
    at,
    st.sampled_from(sorted(QUIRKS)),
    st.sampled_from(MODELS),
    st.sampled_from(["", "b0", "b8000", "b11549", "0.29.0", "0.33.0-rc2"]),
    st.sampled_from(["native", "fold", "plain"]),
)

SWITCHES: Mapping[str, set[str]] = {
    "think": {"think"},
    "kwargs": {"chat_template_kwargs"},
    "effort": {"reasoning_effort"},
    "top": {"enable_thinking", "preserve_thinking", "clear_thinking"},
    "reasoning": {"reasoning"},
    "request": {"enable_thinking"},
    "none": set(),
}


@given(facts=FACTS, request=REQUESTS)
def test_nothing_is_sent_that_the_row_does_not_name(facts: ServerFacts, request: Request) -> None:
    row = of(facts.kind, facts.version)
    named = {*row.extra, *row.sampling.values(), row.max_tokens, *row.budget[:1]}
    known = named | SWITCHES[row.switch] | {row.budget_message, row.effort, row.control}
    assert {*fields(facts, request)} <= known
    json.dumps(fields(facts, request))


TRANSFORMERS = {"stream_options", "temperature", "top_p", "max_tokens", "chat_template_kwargs"}
"""Of what is sent to it: in OpenAI's schema, or its own (5.23: cli/serving/chat_completion.py).
Any other field is a 422."""


@given(facts=FACTS, request=REQUESTS)
def test_transformers_is_sent_nothing_that_it_would_refuse(
    facts: ServerFacts, request: Request
) -> None:
    here = at("transformers", facts.model, facts.version, facts.strategy)
    assert {*fields(here, request)} <= TRANSFORMERS


@given(facts=FACTS, request=REQUESTS, name=st.sampled_from(["top_k", "thinking_token_budget"]))
def test_what_was_refused_is_not_sent_again(
    facts: ServerFacts, request: Request, name: str
) -> None:
    again = replace(facts, refused=frozenset({name}))
    assert name not in fields(again, request)


def test_whether_the_server_holds_the_budget_is_known() -> None:
    holds = {kind for kind in QUIRKS if limits(at(kind), asking(BUDGET))}
    assert holds == {kind for kind, row in QUIRKS.items() if row.budget}
    assert not any(limits(at(kind), asking(0)) for kind in QUIRKS)
    assert not limits(at("llamacpp", "gpt-oss:20b"), asking(BUDGET))
    assert not limits(at("vllm", "llama3.3:70b"), asking(BUDGET))
    refused = replace(at("vllm"), refused=frozenset({"thinking_token_budget"}))
    assert not limits(refused, asking(BUDGET))


def test_a_refusal_names_the_field_that_it_is_about() -> None:
    sentence = "thinking_token_budget is set but reasoning_config is not configured."
    assert refusal(at("vllm"), coding(), sentence) == "thinking_token_budget"
    assert refusal(at("vllm"), coding(), "Unexpected fields in the request: {'top_k'}") == "top_k"
    assert refusal(at("vllm"), coding(), "max_tokens is too large: 32768.") == ""
    assert refusal(at("transformers"), coding(), "top_k is not known") == ""


def test_what_a_server_ignores_is_told_once_and_what_changes_nothing_is_not() -> None:
    assert ignored(at("llamacpp"), coding()) == ()
    assert unsaid(at("llamacpp"), coding()) == ""
    assert ignored(at("ollama"), coding()) == ("top_k",)
    assert unsaid(at("ollama"), coding()) == "Ollama takes no top_k: its own values hold."
    general = asking(BUDGET, sampling=sampling("qwen3.6:35b", "thinking_general"))
    assert unsaid(at("transformers"), general) == (
        "transformers serve takes no presence_penalty and top_k: its own values hold."
    )


def test_thinking_that_cannot_be_turned_off_is_told() -> None:
    assert ignored(at("generic"), asking(0)) == ("thinking",)
    assert "cannot be turned off there" in unsaid(at("generic"), asking(0))
    assert "gpt-oss always thinks" in unsaid(at("llamacpp", "gpt-oss:20b"), asking(0))
    assert unsaid(at("generic", "qwen3-coder:30b"), asking(0)) == ""
    assert unsaid(at("llamacpp"), asking(0)) == ""


def test_ollama_is_asked_for_one_context_and_never_to_cut_a_prompt() -> None:
    facts = replace(at("ollama-chat"), asked_context=65_536)
    expected = {"truncate": False, "shift": False, "options.num_ctx": 65_536}
    assert groups(facts, coding())["server"] == expected
    assert "options.num_ctx" not in fields(at("ollama-chat"), coding())
    assert fields(facts, coding())["options.num_predict"] == 32_768
    assert ignored(facts, coding()) == ()


def test_ollama_is_told_a_level_only_where_the_model_knows_levels() -> None:
    def think(model: str, budget: int) -> object:
        return fields(at("ollama-chat", model), asking(budget)).get("think")

    assert [think("gpt-oss:20b", budget) for budget in (0, 2_000, 8_000, 16_000)] == [
        *("low", "low", "medium", "high")
    ]
    assert think("qwen3.6:27b", 16_000) is True
    assert think("qwen3-coder:30b", 8_000) is None
    assert think("something-else", 8_000) is None  # who cannot think refuses it
    assert think("something-else", 0) is False


def test_a_model_that_ollama_knows_not_to_think_is_not_told_to_again() -> None:
    words = '"qwen3.6:27b" does not support thinking'
    assert refusal(at("ollama-chat"), coding(), words) == "think"
    assert refusal(at("ollama"), coding(), words) == "reasoning_effort"
    assert refusal(at("llamacpp"), asking(None), words) == ""


def test_a_refusal_may_name_an_option_alone() -> None:
    words = 'option "top_k" must be of type integer'
    assert refusal(at("ollama-chat"), coding(), words) == "options.top_k"


def test_extra_fields_win() -> None:
    request = asking(0, extra={"min_p": 0.1, "anything": 1})
    sent = fields(at("llamacpp"), request)
    assert (sent["min_p"], sent["anything"]) == (0.1, 1)


def test_the_closing_words_never_tell_the_model_to_halt() -> None:
    """Qwen takes STOP for "wait for instructions"."""
    assert "stop" not in CLOSING.lower()
    assert closed("I look.  \n") == f"I look.\n\n{CLOSING}"
    assert closed(" \n") == CLOSING
