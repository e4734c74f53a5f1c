"""The sampling values of the model cards, found by a model's name."""

import pytest

from qcode.server.families import family, sampling


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("unsloth/Qwen3.6-35B-A3B-GGUF:UD-Q4_K_XL", "Qwen3.5 and 3.6"),
        ("qwen3.5:35b-a3b", "Qwen3.5 and 3.6"),
        ("/models/qwen3.6-27b-q4.gguf", "Qwen3.6-27B"),
        ("Qwen/Qwen3-Coder-Next-FP8", "Qwen3-Coder-Next"),
        ("Qwen3-Coder-30B-A3B", "Qwen3-Coder"),
        ("gemma-4", "generic"),
        ("", "generic"),
    ],
)
def test_a_family_is_found_in_the_name(model: str, name: str) -> None:
    assert family(model).name == name


def test_the_values_are_those_of_the_cards() -> None:
    coding = sampling("qwen3.6", "coding")
    assert (coding["temperature"], coding["top_p"], coding["top_k"]) == (0.6, 0.95, 20)
    assert sampling("qwen3.6-35b", "general")["presence_penalty"] == 1.5
    assert sampling("qwen3.6-27b", "general")["presence_penalty"] == 0.0
    assert sampling("qwen3.5", "instruct")["top_p"] == 0.8


def test_qwen_is_never_left_to_the_servers_min_p() -> None:
    assert sampling("qwen3.5", "coding")["min_p"] == 0.0
