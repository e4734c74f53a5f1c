"""What is sent to a real llama.cpp does there what it is sent for."""

import httpx2
import pytest

from qcode.server.base import Request, ServerFacts
from qcode.server.closing import CLOSING
from qcode.server.fields import fields
from tests.support.llama import LlamaServer

pytestmark = pytest.mark.llamacpp


def facts(base_url: str) -> ServerFacts:
    return ServerFacts(
        kind="llamacpp",
        version="",
        base_url=base_url,
        model="qwen3.6",
        models=(),
        context_tokens=None,
        strategy="native",
        strategy_why="",
        reasoning_field="reasoning_content",
    )


def test_a_budget_that_is_used_up_closes_as_the_template_renders_it(llama36: LlamaServer) -> None:
    """Else the answer would be read again with the next request."""
    # thinking is on in the prompt, and nothing is left of it: the words stand at its beginning
    request = Request("m", (), (), thinking_budget=0, first_budget=1_000, max_tokens=120)
    body = {
        **fields(facts(llama36.base_url), request),
        "messages": [{"role": "user", "content": "Hello."}],
        "reasoning_format": "none",  # all that is generated, as content
    }
    del body["stream_options"]
    answer = httpx2.post(f"{llama36.base_url}/chat/completions", json=body, timeout=60).json()
    said = answer["choices"][0]["message"]["content"]
    assert said.startswith(f"<think>\n{CLOSING}\n</think>\n\n"), said
