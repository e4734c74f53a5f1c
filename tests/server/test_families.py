"""Families are found in names as people have them, and say what the model cards say."""

from typing import get_args

import pytest

from qcode.server.base import ServerFacts
from qcode.server.families import FAMILIES, GENERIC, family, family_of, mode, sampling
from qcode.server.family import Family, Mode, level
from qcode.server.fields import SAMPLING

NAMES = {
    "unsloth/Qwen3.6-35B-A3B-GGUF:UD-Q4_K_XL": "Qwen3.6",
    "qwen3.6:35b-a3b": "Qwen3.6",
    "qwen3.6:35b-a3b-q4_K_M": "Qwen3.6",
    "qwen/qwen3.6-35b-a3b": "Qwen3.6",
    "Qwen/Qwen3.6-35B-A3B-FP8": "Qwen3.6",
    "qwen3.6": "Qwen3.6",
    "/models/qwen3.6-27b-q4.gguf": "Qwen3.6-27B",
    "qwen3.6:27b": "Qwen3.6-27B",
    "Qwen3.6-27B-UD-Q5_K_XL": "Qwen3.6-27B",
    "mlx-community/Qwen3.6-27B-8bit": "Qwen3.6-27B",
    "/models/Qwen3.5-35B-A3B-Q4_K_M.gguf": "Qwen3.5",
    r"C:\models\Qwen3.5-35B-A3B-Q4_K_M.gguf": "Qwen3.5",
    "Qwen3.5 35B A3B": "Qwen3.5",
    "qwen3.5:35b-a3b": "Qwen3.5",
    "mlx-community/Qwen3.5-35B-A3B-4bit": "Qwen3.5",
    "Qwen/Qwen3.5-122B-A10B": "Qwen3.5",
    "qwen3.5:4b": "Qwen3.5 small",
    "Qwen3.5-0.8B-Q8_0.gguf": "Qwen3.5 small",
    "Qwen/Qwen3.8-27B": "Qwen3.8",
    "qwen3.8:27b": "Qwen3.8",
    "qwen3-coder:30b": "Qwen3-Coder",
    "Qwen3-Coder-30B-A3B-Instruct-Q4_K_M.gguf": "Qwen3-Coder",
    "unsloth/Qwen3-Coder-Next-GGUF:UD-Q4_K_XL": "Qwen3-Coder-Next",
    "qwen3-coder-next": "Qwen3-Coder-Next",
    "qwen3:30b-a3b": "Qwen3",
    "Qwen_Qwen3-32B-Q4_K_M.gguf": "Qwen3",
    "Qwen3-30B-A3B-Instruct-2507": "Qwen3 Instruct",
    "Qwen3-Next-80B-A3B-Instruct": "Qwen3 Instruct",
    "Qwen3-30B-A3B-Thinking-2507-FP8": "Qwen3 Thinking",
    "QwQ-32B": "Qwen3 Thinking",
    "qwen2.5-coder:32b": "Qwen2.5",
    "deepseek-r1:8b": "DeepSeek-R1",
    "DeepSeek-R1-0528-Qwen3-8B-Q4_K_M.gguf": "DeepSeek-R1",
    "deepseek-ai/DeepSeek-V3.2": "DeepSeek-V3",
    "deepseek-v3.1:671b-cloud": "DeepSeek-V3",
    "deepseek/deepseek-v4-flash": "DeepSeek-V4",
    "gpt-oss:20b": "gpt-oss",
    "openai/gpt-oss-120b": "gpt-oss",
    "ggml-org/gpt-oss-20b-GGUF": "gpt-oss",
    "zai-org/GLM-4.7-Flash": "GLM-4.7 to 5.2",
    "hf.co/unsloth/GLM-4.7-Flash-GGUF:Q4_K_M": "GLM-4.7 to 5.2",
    "glm-5.1": "GLM-4.7 to 5.2",
    "zai-org/GLM-5.3-Flash": "GLM-5.3",
    "GLM-4.5-Air-Q4_K_M.gguf": "GLM-4.5 and 4.6",
    "google/gemma-4-31B-it": "Gemma 4",
    "gemma4:26b": "Gemma 4",
    "gemma3:27b": "Gemma 3",
    "gemma-3-27b-it-qat-q4_0": "Gemma 3",
    "mistralai/Devstral-Small-2-24B-Instruct-2512": "Devstral",
    "devstral-small-2:24b": "Devstral",
    "mistralai_Magistral-Small-2506-Q4_K_M.gguf": "Magistral",
    "mistral-small3.2:24b": "Mistral",
    "llama3.3:70b": "generic",
    "model.gguf": "generic",
    "local": "generic",
    "": "generic",
}


@pytest.mark.parametrize(("model", "name"), NAMES.items())
def test_a_family_is_found_in_the_name(model: str, name: str) -> None:
    assert family(model).name == name


def test_every_family_is_found_by_some_name() -> None:
    assert {row.name for row in FAMILIES} == {*NAMES.values()} - {"generic"}


def test_the_end_of_a_path_says_more_than_its_folders() -> None:
    assert family("/models/qwen3.5/gemma-4-31B-it.gguf").name == "Gemma 4"
    assert family("/models/Qwen3.5-35B/model-00001-of-00002.gguf").name == "Qwen3.5"


CARDS: dict[str, dict[Mode, tuple[float, float, int, float]]] = {
    "Qwen3.5-35B-A3B": {
        "thinking_general": (1.0, 0.95, 20, 1.5),
        "thinking_coding": (0.6, 0.95, 20, 0.0),
        "instruct_general": (0.7, 0.8, 20, 1.5),
        "instruct_reasoning": (1.0, 1.0, 40, 2.0),
    },
    "Qwen3.5-4B": {"instruct_reasoning": (1.0, 0.95, 20, 1.5)},
    "Qwen3.6-35B-A3B": {
        "thinking_general": (1.0, 0.95, 20, 1.5),
        "thinking_coding": (0.6, 0.95, 20, 0.0),
        "instruct_general": (0.7, 0.8, 20, 1.5),
        "instruct_reasoning": (0.7, 0.8, 20, 1.5),
    },
    "Qwen3.6-27B": {
        "thinking_general": (1.0, 0.95, 20, 0.0),
        "thinking_coding": (0.6, 0.95, 20, 0.0),
        "instruct_general": (0.7, 0.8, 20, 1.5),
    },
    "Qwen3.8-27B": {
        "thinking_general": (1.0, 0.95, 20, 0.0),
        "thinking_coding": (1.0, 0.95, 20, 0.0),
        "instruct_general": (0.7, 0.8, 20, 1.5),
    },
    "Qwen3-Coder-30B-A3B": {"instruct_general": (0.7, 0.8, 20, 0.0)},
    "Qwen3-Coder-Next": {"instruct_general": (1.0, 0.95, 40, 0.0)},
}
"""Temperature, top_p, top_k, presence_penalty."""


@pytest.mark.parametrize("model", CARDS)
def test_the_values_of_qwen_are_those_of_the_cards(model: str) -> None:
    for wanted, card in CARDS[model].items():
        values = sampling(model, wanted)
        names = ("temperature", "top_p", "top_k", "presence_penalty")
        assert tuple(values[name] for name in names) == card, wanted


def test_only_the_coder_family_has_a_repeat_penalty() -> None:
    having = {row.name for row in FAMILIES if "repeat_penalty" in row.modes.of("instruct_general")}
    assert having == {"Qwen3-Coder", "Qwen2.5"}
    assert sampling("qwen3-coder:30b", "instruct_general")["repeat_penalty"] == 1.05


@pytest.mark.parametrize("row", [*FAMILIES, GENERIC], ids=lambda row: row.name)
def test_every_row_is_complete(row: Family) -> None:
    assert row.source
    assert len(row.levels) in (0, 3)
    assert row.levels or row.thinks != "levels"
    for wanted in get_args(Mode):
        values = row.modes.of(wanted)
        assert {"temperature", "top_p", "min_p", "presence_penalty"} <= {*values} <= {*SAMPLING}
        assert 0 < values["temperature"] <= 1.0  # never greedy: Qwen's cards warn of repetition
        assert values["min_p"] == 0


def test_a_preset_and_the_budget_choose_the_mode() -> None:
    assert mode("coding", 8_000) == "thinking_coding"
    assert mode("general", 8_000) == "thinking_general"
    assert mode("reasoning", 8_000) == "thinking_general"
    assert mode("coding", 0) == mode("general", 0) == "instruct_general"
    assert mode("reasoning", 0) == "instruct_reasoning"


def test_effort_words_of_qcode_are_levels_of_models() -> None:
    words = ("low", "medium", "high")
    assert [level(words, budget) for budget in (0, 2_000, 8_000, 16_000)] == [
        "low",
        "low",
        "medium",
        "high",
    ]
    assert level((), 8_000) == ""


@pytest.mark.parametrize(
    ("model", "models", "name"),
    [
        ("Qwen3.6-35B-A3B", ("Qwen3.6-35B-A3B",), "Qwen3.6"),
        ("gpt-4o", ("Qwen3.6-35B-A3B-UD-Q4_K_XL.gguf",), "Qwen3.6"),  # left over from elsewhere
        ("Devstral-Small", ("model.gguf",), "Devstral"),  # a person says what the file does not
        ("gpt-oss-20b", ("Qwen3.6-35B-A3B",), "gpt-oss"),
        ("anything", ("Qwen3.6-35B-A3B", "gpt-oss-20b"), "generic"),
        ("anything", (), "generic"),
    ],
)
def test_a_name_that_says_nothing_leaves_it_to_the_one_model_there_is(
    model: str, models: tuple[str, ...], name: str
) -> None:
    facts = ServerFacts("llamacpp", "", "", model, models, None, "plain", "", "reasoning_content")
    assert family_of(facts).name == name
