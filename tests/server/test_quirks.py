"""The table of servers: whole, sourced, and cut to what an old version can."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qcode.server import quirks
from qcode.server.endpoint import hosted_kind
from qcode.server.fields import SAMPLING
from qcode.server.quirks import QUIRKS
from tests.server.replay import load, wires

KINDS = (
    *("llamacpp", "llamacpp-router", "llama-swap", "ollama", "lmstudio", "vllm", "sglang"),
    "ollama-chat",
    *("mlx_lm", "mlx-vlm", "omlx", "transformers", "llama-cpp-python", "nim"),
    *("dashscope", "openrouter", "generic"),
)


def test_every_server_that_people_run_has_a_row() -> None:
    assert set(QUIRKS) == set(KINDS)


def test_every_row_was_seen_on_a_recorded_server() -> None:
    seen = {load(name).told["facts"]["kind"] for name in wires()}
    assert seen | {"ollama-chat"} == set(KINDS)  # the second door of a server that was seen


@pytest.mark.parametrize("kind", KINDS)
def test_a_row_has_a_name_a_source_and_only_names_of_ours(kind: str) -> None:
    row = QUIRKS[kind]
    assert row.name
    assert row.source
    assert set(row.sampling) <= set(SAMPLING)
    assert row.chat_path or row.extra["stream_options"]["include_usage"] is True
    fields = ("", "reasoning", "reasoning_content")
    assert row.reasoning_field in (("thinking",) if row.chat_path else fields)


def test_two_rows_of_one_kind_of_budget_are_two_spellings() -> None:
    spellings = {row.budget for row in QUIRKS.values() if row.budget}
    assert spellings == {
        ("thinking_budget_tokens",),
        ("thinking_token_budget",),
        ("custom_params", "thinking_budget"),
        ("thinking_budget",),
        ("nvext", "max_thinking_tokens"),
        ("reasoning", "max_tokens"),
    }


def test_what_a_server_ignores_is_not_sent_to_it() -> None:
    assert {"top_k", "min_p"}.isdisjoint(QUIRKS["ollama"].sampling)
    assert "min_p" not in QUIRKS["lmstudio"].sampling
    assert set(QUIRKS["transformers"].sampling) == {"temperature", "top_p"}
    assert QUIRKS["mlx_lm"].sampling["penalty_window"] == "presence_context_size"
    assert QUIRKS["llamacpp"].sampling["penalty_window"] == "repeat_last_n"
    assert QUIRKS["vllm"].sampling["repeat_penalty"] == "repetition_penalty"


@pytest.mark.parametrize(
    ("version", "numbers"),
    [
        ("b11549", (11549,)),
        ("b11549-0e2b1f1ad", (11549,)),
        ("0.33.0-rc2", (0, 33, 0)),
        ("v251", (251,)),
        ("", ()),
        ("main", ()),
    ],
)
def test_the_numbers_of_a_version_are_read(version: str, numbers: tuple[int, ...]) -> None:
    assert quirks.parse_version(version) == numbers


@given(st.text(max_size=30))
def test_any_text_is_a_version_or_none(text: str) -> None:
    assert all(number >= 0 for number in quirks.parse_version(text))


def test_an_old_llamacpp_has_no_thinking_budget() -> None:
    assert quirks.of("llamacpp", "b8671").budget == ()
    assert quirks.of("llamacpp", "b8672").budget == ("thinking_budget_tokens",)
    assert quirks.of("llamacpp", "b8671").sampling == QUIRKS["llamacpp"].sampling


def test_an_old_ollama_ignores_presence_penalty() -> None:
    assert "presence_penalty" not in quirks.of("ollama", "0.29.4").sampling
    assert "presence_penalty" in quirks.of("ollama", "0.30.0").sampling


@pytest.mark.parametrize("unknown", ["", "b0", "main"])
def test_a_version_that_is_not_told_counts_as_new(unknown: str) -> None:
    assert quirks.since("llamacpp", unknown, "reasoning_control")
    assert quirks.of("llamacpp", unknown) == QUIRKS["llamacpp"]


@given(st.sampled_from(KINDS), st.integers(1, 20_000))
def test_a_later_version_can_no_less(kind: str, number: int) -> None:
    def able(build: int) -> set[str]:
        return {one for one in QUIRKS[kind].since if quirks.since(kind, f"b{build}", one)}

    assert able(number) <= able(number + 1)


@pytest.mark.parametrize(
    ("base_url", "kind"),
    [
        ("https://openrouter.ai/api/v1", "openrouter"),
        ("https://dashscope.aliyuncs.com/compatible-mode/v1", "dashscope"),
        ("https://DashScope-intl.aliyuncs.com/compatible-mode/v1", "dashscope"),
        ("https://openrouter.ai.example.org/api/v1", ""),
        ("http://127.0.0.1:8080/v1", ""),
    ],
)
def test_a_hosted_service_is_known_by_the_name_of_its_host(base_url: str, kind: str) -> None:
    assert hosted_kind(base_url) == kind
