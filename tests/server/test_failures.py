"""Status codes and error bodies of every server become the right error, in sentences."""

import json
from typing import Any

import pytest

from qcode.protocol.errors import (
    BadAnswer,
    ContextOverflow,
    CredentialsRefused,
    ImagesRefused,
    OutOfMemory,
    ServerGone,
    TemplateRefused,
    ToolsRefused,
    UnknownModel,
)
from qcode.server.failures import (
    Away,
    Broken,
    Busy,
    Loading,
    from_status,
    from_stream,
    gone,
    read_body,
    read_refusal,
    unknown_model,
)

WHERE = "http://127.0.0.1:8080/v1"


def failure(status: int, body: Any, retry_after: str = "") -> Exception:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return from_status(WHERE, status, read_body(data), retry_after)


@pytest.mark.parametrize(
    ("body", "numbers"),
    [
        (
            {
                "error": {
                    "code": 400,
                    "message": "the request exceeds the available context size",
                    "type": "exceed_context_size_error",
                    "n_prompt_tokens": 40021,
                    "n_ctx": 32768,
                }
            },
            ("40,021", "32,768"),
        ),
        (
            {
                "object": "error",
                "message": "The input (9000 tokens) is longer than the model's context length "
                "(8192 tokens).",
                "code": 400,
            },
            ("9,000", "8,192"),
        ),
        (
            {"error": {"message": "This model's maximum context length is 4096 tokens. However"}},
            ("4,096",),
        ),
        (
            {
                "error": "Trying to keep the first 5000 tokens when context the overflows. However,"
                " the model is loaded with context length of only 4096 tokens, which is not enough"
            },
            ("4,096",),
        ),
        ({"error": {"message": "Range of input length should be [1, 98304]"}}, ("98,304",)),
        ({"error": {"message": "too much", "code": "context_length_exceeded"}}, ()),
    ],
)
def test_an_overflow_is_told_with_the_numbers_given(body: Any, numbers: tuple[str, ...]) -> None:
    error = failure(400, body)
    assert isinstance(error, ContextOverflow)
    assert all(number in str(error) for number in numbers)


def test_a_body_that_is_too_large_is_an_overflow() -> None:
    assert isinstance(failure(413, b"Request Entity Too Large"), ContextOverflow)


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_is_told_as_such(status: int) -> None:
    error = failure(status, {"error": {"message": "Invalid API Key"}})
    assert isinstance(error, CredentialsRefused)
    assert "Invalid API Key" in str(error)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (404, {"error": {"message": "The model `x` does not exist.", "type": "NotFoundError"}}),
        (404, {"error": {"message": 'model "x" not found, try pulling it first'}}),
        (400, {"error": {"code": 400, "message": "model 'x' not found"}}),
        (404, {"error": "no router for requested model"}),
    ],
)
def test_an_unknown_model_is_recognised(status: int, body: Any) -> None:
    assert isinstance(failure(status, body), UnknownModel)


def test_a_wrong_path_is_no_unknown_model() -> None:
    error = failure(404, b"Not Found")
    assert isinstance(error, BadAnswer)
    assert "base_url" in str(error)


def test_loading_is_no_error() -> None:
    body = {"error": {"message": "Loading model", "type": "unavailable_error", "code": 503}}
    assert isinstance(failure(503, body), Loading)


@pytest.mark.parametrize(
    ("status", "passing", "final"),
    [
        (429, Busy, ServerGone),
        (500, Broken, BadAnswer),
        (502, Away, ServerGone),
        (503, Busy, ServerGone),
        (504, Away, ServerGone),
        (529, Busy, ServerGone),
    ],
)
def test_what_may_pass_is_worth_another_try(
    status: int, passing: type[Broken], final: type[Exception]
) -> None:
    error = failure(status, {"error": {"message": "Something is wrong."}})
    assert type(error) is passing
    assert type(error.error) is final
    assert "Something is wrong." in error.because


@pytest.mark.parametrize(
    "words",
    [
        "server busy, please try again.  maximum pending requests exceeded",  # Ollama
        "Too many requests",  # llama-swap
    ],
)
def test_a_full_queue_is_no_failure(words: str) -> None:
    assert type(failure(503, {"error": {"message": words}})) is Busy


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (500, "Compute error."),
        (500, "model runner has unexpectedly stopped, this may be due to resource limitations"),
        (500, "CUDA error: out of memory"),
        (500, "EngineCore encountered an issue. See stack trace (above) for the root cause."),
    ],
)
def test_a_server_that_failed_while_computing_is_told_as_out_of_memory(
    status: int, words: str
) -> None:
    error = failure(status, {"error": {"message": words}})
    assert isinstance(error, Broken)
    assert isinstance(error.error, OutOfMemory)
    assert "memory" in str(error.error)
    assert isinstance(from_stream(WHERE, read_refusal({"error": words})), Broken)


def test_a_model_that_does_not_fit_is_not_tried_again() -> None:
    words = "model requires more system memory (10.3 GiB) than is available (7.7 GiB)"
    error = failure(500, {"error": {"message": words}})
    assert isinstance(error, OutOfMemory)
    assert "10.3 GiB" in str(error)


@pytest.mark.parametrize(
    ("header", "seconds"), [("7", 7.0), ("nan", 0.0), ("", None), ("Wed, 21", None)]
)
def test_the_wait_is_as_long_as_the_server_asks(header: str, seconds: float | None) -> None:
    error = failure(429, {"error": "slow down"}, header)
    assert isinstance(error, Broken)
    assert error.wait_seconds == seconds


@pytest.mark.parametrize(
    ("words", "kind", "advice"),
    [
        (
            "Jinja Exception: System message must be at the beginning.",
            TemplateRefused,
            "--chat-template-file",
        ),
        ('Failed to parse tools: [{"a":1}]', TemplateRefused, "template"),
        ("Failed to parse tool call arguments as JSON", TemplateRefused, "template"),
        (
            "image input is not supported - hint: if this is unexpected, you may need the mmproj",
            ImagesRefused,
            "--mmproj",
        ),
        ("Qwen/Qwen3-Coder is not a multimodal model", ImagesRefused, "Leave them out"),
        ("this model does not support images", ImagesRefused, "Leave them out"),
        (
            '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be',
            ToolsRefused,
            "--enable-auto-tool-choice --tool-call-parser",
        ),
        ("tools param requires --jinja flag", ToolsRefused, "--jinja"),
        (
            "registry.ollama.ai/library/gemma:2b does not support tools",
            ToolsRefused,
            "Choose another",
        ),
        ("Unexpected fields in the request: {'top_k'}", BadAnswer, "another kind of server"),
    ],
)
@pytest.mark.parametrize("status", [400, 422, 500])
def test_what_fails_each_time_is_not_tried_again_and_told_with_advice(
    status: int, words: str, kind: type[Exception], advice: str
) -> None:
    error = failure(status, {"error": {"message": words}})
    assert type(error) is kind
    assert words[:20] in str(error)
    assert advice in str(error)


@pytest.mark.parametrize("status", [200, 404, 407, 500, 502])
def test_a_page_is_told_as_a_proxys(status: int) -> None:
    body = b"<!DOCTYPE html>\n<html><head><title>502 Bad\nGateway</title></head><body>nginx"
    error = failure(status, body)
    told = str(error.error if isinstance(error, Broken) else error)
    assert "A proxy or a web server" in told
    assert "502 Bad" in told
    assert "<" not in told
    assert isinstance(error, Broken) == (status in (500, 502))


def test_an_answer_that_does_not_parse_is_tried_again() -> None:
    words = "The model produced output that does not match the expected peg-native format"
    refusal = read_refusal({"error": {"code": 500, "message": words}})
    assert refusal.is_unparsed_answer
    assert isinstance(from_stream(WHERE, refusal), Broken)


def test_the_servers_words_are_cut_and_without_control_sequences() -> None:
    error = failure(400, {"error": {"message": "\x1b]0;owned\x07\x1b[2Jno " + "x" * 5000}})
    assert "\x1b" not in str(error)
    assert len(str(error)) < 500


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"error": {"message": "a"}}', "a"),
        (b'{"error": "a"}', "a"),
        (b'{"object": "error", "message": "a"}', "a"),
        (b'{"detail": "a"}', "a"),
        (b"<h1>a</h1>", "<h1>a</h1>"),
        (b"\xff\xfe", "\ufffd\ufffd"),
        (b"", ""),
        (b"[1, 2]", "[1,2]"),
    ],
)
def test_every_shape_of_an_error_is_read(body: bytes, words: str) -> None:
    assert read_body(body).words == words


def test_no_server_names_the_addresses_and_how_to_start_one() -> None:
    told = str(gone(("http://a/v1", "http://b/v1"), "connection refused"))
    assert "http://a/v1" in told
    assert "http://b/v1" in told
    assert "llama-server" in told


def test_a_long_list_of_models_is_cut() -> None:
    told = str(unknown_model(WHERE, "x", [f"model-{at}" for at in range(25)]))
    assert "model-19" in told
    assert "model-20" not in told
    assert "5 more" in told


def test_a_sentence_of_the_servers_does_not_end_twice() -> None:
    refusal = read_refusal({"error": {"message": "Use text, and nothing else."}})
    error = from_status("http://x", 400, refusal)
    assert ".." not in str(error)
    assert "nothing else." in str(error)
