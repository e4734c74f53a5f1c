"""The recording proxy measures what a real engine reads again, and does not flatter."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.support.llama import LlamaServer, StartLlama
from tests.support.plain_http import HttpError, get, post
from tests.support.proxy import RecordingProxy
from tests.support.script import Call, Reply

pytestmark = pytest.mark.llamacpp

REASONING = "I look at the next file, since the one before did not show it. " * 6
Message = dict[str, Any]
Sender = Callable[[Message], Message]


def script(turns: int, calls: int) -> Iterator[Reply]:
    for turn in range(turns):
        for step in range(calls):
            yield Reply(
                reasoning=f"{turn}.{step}: {REASONING}".strip(),
                text="Next." if step % 2 else "",
                calls=(Call("read", {"path": f"file-{turn}-{step}.txt"}),),
            )
        yield Reply(reasoning="That is all.", text=f"Turn {turn} is done.")


def chat(proxy: RecordingProxy, messages: list[Message]) -> Message:
    answer = post(proxy.origin, "/v1/chat/completions", {"messages": messages})
    message: Message = answer["choices"][0]["message"]
    return message


def converse(proxy: RecordingProxy, turns: int, before_last_query: Sender) -> None:
    """A client of so many turns; `before_last_query` says how it sends messages of earlier ones."""
    messages: list[Message] = [{"role": "system", "content": "You are tested. " * 60}]
    for turn in range(turns):
        messages = [before_last_query(message) for message in messages]
        messages.append({"role": "user", "content": f"Question {turn}"})
        while True:
            answer = chat(proxy, messages)
            messages = [*messages, answer]
            if "tool_calls" not in answer:
                break
            call = answer["tool_calls"][0]
            messages.append({"role": "tool", "tool_call_id": call["id"], "content": "line\n" * 60})


def folded(message: Message) -> Message:
    if message["role"] != "assistant" or message["reasoning_content"] == " ":
        return message
    content = f"<think>\n{message['reasoning_content']}\n</think>\n\n{message['content']}"
    return {**message, "content": content, "reasoning_content": " "}


def as_it_was(message: Message) -> Message:
    return message


@pytest.fixture
def proxy(llama: LlamaServer) -> Iterator[RecordingProxy]:
    with RecordingProxy(llama.origin, *script(turns=3, calls=6)) as running:
        yield running
        running.check()


def test_a_client_that_folds_makes_the_engine_read_nothing_again(proxy: RecordingProxy) -> None:
    converse(proxy, 3, folded)
    assert proxy.by_turn(lambda step: step.read_again) == [0, 0, 0]
    assert all(step.cached == step.common for step in proxy.steps)


def test_a_plain_client_makes_it_read_whole_turns_again(proxy: RecordingProxy) -> None:
    converse(proxy, 3, as_it_was)
    first, *later = proxy.by_turn(lambda step: step.read_again)
    assert first == 0
    assert min(later) > 2000


def test_without_checkpoints_what_is_the_same_is_read_again_too(start_llama: StartLlama) -> None:
    engine = start_llama(n_ctx_checkpoints=0)
    with RecordingProxy(engine.origin, *script(turns=2, calls=3)) as plain:
        converse(plain, 2, as_it_was)
    with RecordingProxy(engine.origin, *script(turns=2, calls=3)) as exact:
        converse(exact, 2, folded)
    assert exact.by_turn(lambda step: step.reread)[1] == 0
    assert plain.by_turn(lambda step: step.reread)[1] > 900  # all up to the first answer


def test_an_answer_changed_near_its_end_costs_the_whole_answer(llama: LlamaServer) -> None:
    """Reading the answer in would leave a checkpoint inside it, and hide most of the cost."""
    said = Reply(reasoning="Long. " * 200 + "End", text="Words that come to an end.")
    question = {"role": "user", "content": "A question of this test alone"}
    with RecordingProxy(llama.origin, said, Reply(text="Good.")) as proxy:
        answer = chat(proxy, [question])
        changed = {**answer, "content": "Words that come to an END."}
        tool = {"role": "tool", "tool_call_id": "none", "content": "go on"}
        chat(proxy, [question, changed, tool])
    first, second = proxy.steps
    assert second.common > len(first.tokens) + 1200
    assert second.cached < len(first.tokens)
    assert second.reread > 1200


def test_the_client_gets_the_counts_of_the_engine(llama: LlamaServer) -> None:
    question = {"role": "user", "content": "How many?"}
    with RecordingProxy(llama.origin, Reply(reasoning="Count.", text="Two.")) as proxy:
        answer = post(proxy.origin, "/v1/chat/completions", {"messages": [question]})
    (step,) = proxy.steps
    assert answer["usage"]["prompt_tokens"] == len(step.tokens)
    assert answer["usage"]["completion_tokens"] == len(step.answer)
    assert answer["usage"]["prompt_tokens_details"] == {"cached_tokens": step.cached}


def test_other_paths_go_through_to_the_engine(llama: LlamaServer) -> None:
    with RecordingProxy(llama.origin) as proxy:
        assert get(proxy.origin, "/props") == get(llama.origin, "/props")
        body = {"messages": [{"role": "user", "content": "x"}]}
        rendered = post(proxy.origin, "/apply-template", body)
        assert rendered == post(llama.origin, "/apply-template", body)
        with pytest.raises(HttpError, match="404"):
            get(proxy.origin, "/nowhere")
