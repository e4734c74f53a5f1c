"""The scripted server does on the wire what its script says, and notes what it hears."""

import http.client
import json
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.support import guard
from tests.support.llama_words import About
from tests.support.script import Call, Pace, Reply, Usage
from tests.support.scripted_server import ScriptedServer, StartScripted

ASK: dict[str, Any] = {
    "messages": [{"role": "user", "content": "Hello"}],
    "stream": True,
    "stream_options": {"include_usage": True},
}


def open_post(
    server: ScriptedServer, path: str, body: Mapping[str, Any]
) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
    connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
    return connection, connection.getresponse()


def chat(server: ScriptedServer, body: Mapping[str, Any] = ASK) -> bytes:
    connection, response = open_post(server, "/v1/chat/completions", body)
    try:
        return response.read()
    finally:
        connection.close()


def get(server: ScriptedServer, path: str) -> tuple[int, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
    connection.request("GET", path)
    response = connection.getresponse()
    text = response.read().decode()
    connection.close()
    return response.status, json.loads(text) if text.startswith(("{", "[")) else text


def chunks(stream: bytes) -> list[dict[str, Any]]:
    rows = [row.removeprefix(b"data: ") for row in stream.split(b"\n\n") if row]
    return [json.loads(row) for row in rows if row != b"[DONE]"]


def joined(stream: bytes, field: str) -> str:
    deltas = (chunk["choices"][0]["delta"] for chunk in chunks(stream) if chunk["choices"])
    return "".join(delta.get(field) or "" for delta in deltas)


def test_an_answer_is_streamed_as_reasoning_text_calls_finish_and_usage(
    scripted: StartScripted,
) -> None:
    reply = Reply(
        text="I look.",
        reasoning="First the file.",
        calls=(Call("read", {"path": "ä.py"}, id="c1"), Call("todo", '{"broken')),
        usage=Usage(prompt=10, completion=4, cached=3),
        timings={"cache_n": 3},
        pace=Pace(characters=2),
    )
    stream = chat(scripted(reply))
    assert joined(stream, "reasoning_content") == "First the file."
    assert joined(stream, "content") == "I look."
    calls = [call for c in chunks(stream) if c["choices"]
             for call in c["choices"][0]["delta"].get("tool_calls", ())]  # fmt: skip
    texts = {0: "", 1: ""}
    for call in calls:
        texts[call["index"]] += call["function"]["arguments"]
    assert texts == {0: '{"path": "ä.py"}', 1: '{"broken'}
    assert calls[0]["id"] == "c1"
    *_, finish, last = chunks(stream)
    assert finish["choices"][0]["finish_reason"] == "tool_calls"
    assert last["usage"]["prompt_tokens_details"] == {"cached_tokens": 3}
    assert last["timings"] == {"cache_n": 3}
    assert stream.endswith(b"data: [DONE]\n\n")


def test_without_stream_the_same_answer_comes_whole(scripted: StartScripted) -> None:
    body = {"messages": ASK["messages"]}
    answer = json.loads(chat(scripted(Reply(text="Hi", usage=Usage(1, 2))), body))
    assert answer["choices"][0]["message"]["content"] == "Hi"
    assert answer["usage"]["total_tokens"] == 3


def test_the_cut_into_writes_changes_no_byte(scripted: StartScripted) -> None:
    reply = Reply(text="Grüße " * 5, reasoning="warum")
    cut = Reply(text="Grüße " * 5, reasoning="warum", pace=Pace(write_bytes=7))
    server = scripted(reply, cut)
    assert chat(server) == chat(server)


def test_requests_are_noted_with_path_headers_body_and_time(scripted: StartScripted) -> None:
    server = scripted(Reply(text="Hi"))
    before = time.monotonic()
    chat(server)
    server.wait_for(lambda seen: seen.running == 0)
    (request,) = server.requests
    assert (request.method, request.path) == ("POST", "/v1/chat/completions")
    assert request.headers["content-type"] == "application/json"
    assert request.messages == ASK["messages"]
    assert request.last_byte is not None
    assert before <= request.arrived <= request.last_byte <= time.monotonic()
    assert request.closed_early is None


def test_one_connection_carries_many_requests(scripted: StartScripted) -> None:
    server = scripted(Reply(text="one"), Reply(text="two"))
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
    for word in ("one", "two"):
        connection.request("POST", "/v1/chat/completions", json.dumps(ASK))
        assert joined(connection.getresponse().read(), "content") == word
    connection.close()


def test_a_client_that_leaves_is_noticed_at_once_even_in_silence(scripted: StartScripted) -> None:
    server = scripted(Reply(text="Hi", end="hang"))
    connection, response = open_post(server, "/v1/chat/completions", ASK)
    while response.readline() != b"\n":
        pass
    left = time.monotonic()
    response.close()
    connection.close()
    server.wait_for(lambda seen: seen.running == 0)
    closed = server.requests[0].closed_early
    assert closed is not None
    assert closed - left < 0.5
    assert server.requests[0].last_byte is None


@pytest.mark.parametrize("end", ["close", "reset"])
def test_a_stream_can_break_after_what_was_said(scripted: StartScripted, end: Any) -> None:
    server = scripted(Reply(text="half", end=end, pace=Pace(delta_seconds=0.02)))
    connection, response = open_post(server, "/v1/chat/completions", ASK)
    with pytest.raises((http.client.IncompleteRead, ConnectionResetError)):
        response.read()
    connection.close()


def test_errors_have_their_status_body_and_headers(scripted: StartScripted) -> None:
    server = scripted(
        Reply(status=429, body={"error": {"message": "slow down"}}, headers={"Retry-After": "2"})
    )
    connection, response = open_post(server, "/v1/chat/completions", ASK)
    assert (response.status, response.headers["Retry-After"]) == (429, "2")
    assert json.loads(response.read()) == {"error": {"message": "slow down"}}
    connection.close()


def test_raw_bytes_stand_for_the_whole_stream(scripted: StartScripted) -> None:
    raw = b": ping\n\nevent: x\ndata: not json\n\n"
    assert chat(scripted(Reply(raw=raw))) == raw


def test_a_reply_may_depend_on_the_request(scripted: StartScripted) -> None:
    server = scripted(
        lambda body: Reply(text=body["messages"][0]["content"]),
        otherwise=lambda body: Reply(text=str(len(body["messages"]))),
    )
    assert [joined(chat(server), "content") for _ in range(3)] == ["Hello", "1", "1"]


def test_leftover_replies_and_unexpected_requests_are_told() -> None:
    with ScriptedServer(Reply(text="never")) as server:
        with pytest.raises(AssertionError, match="never asked for"):
            server.check()
        chat(server)
        server.check()
        chat(server)
        with pytest.raises(AssertionError, match="after the last reply"):
            server.check()


def test_a_loading_server_refuses_everything_and_uses_no_reply_up(scripted: StartScripted) -> None:
    server = scripted(Reply(text="Hi"), about=About(kind="llamacpp"))
    server.loading = True
    status, body = get(server, "/props")
    assert (status, body["error"]["message"]) == (503, "Loading model")
    assert b"Loading model" in chat(server)
    server.loading = False
    assert joined(chat(server), "content") == "Hi"


def test_it_passes_for_llamacpp_or_for_a_plain_endpoint(scripted: StartScripted) -> None:
    llama = scripted(about=About(kind="llamacpp", context_tokens=4096))
    plain = scripted()
    assert get(llama, "/props")[1]["default_generation_settings"]["n_ctx"] == 4096
    assert get(llama, "/slots")[1] == [{"id": 0, "is_processing": False}]
    assert get(llama, "/health") == (200, {"status": "ok"})
    assert get(plain, "/props") == (404, "Not Found")
    assert get(plain, "/v1/models")[1]["data"][0]["id"] == "scripted-model"
    connection, response = open_post(llama, "/apply-template", ASK)
    prompt = json.loads(response.read())["prompt"]
    connection.close()
    assert prompt == "<|im_start|>user\nHello<|im_end|>\n<|im_start|>assistant\n<think>\n"


def test_the_program_form_serves_a_script_and_writes_its_record(tmp_path: Path) -> None:
    script, record = tmp_path / "script.json", tmp_path / "record.jsonl"
    replies = [{"calls": [{"name": "read", "arguments": {"path": "a"}}]}, {"text": "left over"}]
    script.write_text(json.dumps(replies))
    command = [sys.executable, "-m", "tests.support.serve", str(script), str(record)]
    root = Path(__file__).parents[2]
    with subprocess.Popen(
        command, cwd=root, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stdout
        port = int(process.stdout.readline().rsplit(":", 1)[1].split("/")[0])
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        connection.request("POST", "/v1/chat/completions", json.dumps(ASK))
        assert b'"read"' in connection.getresponse().read()
        connection.close()
        _, complaint = process.communicate(timeout=10)
    assert process.returncode == 1
    assert "left over" in complaint
    assert json.loads(record.read_text())["body"] == ASK


def test_the_guard_refuses_addresses_outside() -> None:

    with socket.socket() as outside, pytest.raises(PermissionError):
        outside.connect(("192.0.2.1", 9))
    with pytest.raises(PermissionError):
        socket.getaddrinfo("example.invalid", 80)
    assert len(guard.attempts) == 2
    guard.attempts.clear()
