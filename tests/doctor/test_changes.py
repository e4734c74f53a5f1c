"""The advice is for this server, this version and this model."""

import pytest

from qcode.doctor.probes import changes
from qcode.server.base import ServerFacts
from qcode.server.quirks import QUIRKS


def facts(kind: str, version: str = "", model: str = "Qwen3.6-35B-A3B") -> ServerFacts:
    where = "http://127.0.0.1:1/v1"
    return ServerFacts(kind, version, where, model, (model,), None, "plain", "", "")


ALL = (
    changes.calls_parser,
    changes.calls_template,
    changes.calls_in_thinking,
    changes.reasoning_parser,
    changes.switch,
    changes.budget,
    changes.schema,
    changes.limit,
)


@pytest.mark.parametrize("kind", QUIRKS)
def test_every_kind_of_server_has_advice_in_whole_sentences(kind: str) -> None:
    told = [change(facts(kind)) for change in ALL]
    told += [changes.sampling(facts(kind), name) for name in ("min_p", "presence_penalty")]
    for sentence in told:
        assert sentence.endswith("."), sentence
        assert sentence[0].isupper() or sentence.startswith("qcode"), sentence
        assert sentence.count("`") % 2 == 0, sentence


def test_an_old_build_is_told_its_number() -> None:
    assert "from b9000 to b10566" in changes.calls_parser(facts("llamacpp", "b9000-abc"))
    assert "Update" not in changes.calls_parser(facts("llamacpp", "b11549"))
    assert "Update" not in changes.calls_parser(facts("llamacpp", "b0"))


def test_an_old_ollama_is_told_its_version() -> None:
    assert "from 0.17.4 to 0.19" in changes.calls_parser(facts("ollama", "0.17.4"))
    assert "pull" in changes.calls_parser(facts("ollama", "0.33.0"))
    assert "0.30" in changes.sampling(facts("ollama", "0.29.1"), "presence_penalty")
    assert "PARAMETER repeat_penalty" in changes.sampling(
        facts("ollama-chat", "0.33.0"), "repeat_penalty"
    )


@pytest.mark.parametrize(
    ("model", "parser"),
    [
        ("Qwen/Qwen3.6-35B-A3B-FP8", "qwen3_coder"),
        ("Qwen3-Coder-30B-A3B-Instruct", "qwen3_coder"),
        ("Qwen/Qwen3-32B", "hermes"),
        ("Qwen2.5-Coder-7B", "hermes"),
        ("openai/gpt-oss-20b", "NAME"),
    ],
)
def test_the_parser_is_that_of_the_model(model: str, parser: str) -> None:
    assert f"--tool-call-parser {parser}`" in changes.calls_parser(facts("vllm", model=model))


def test_sglang_has_another_name_for_one_parser() -> None:
    assert "--tool-call-parser qwen25`" in changes.calls_parser(facts("sglang", model="Qwen3-32B"))
