"""The playback over raw HTTP: it plays its part, says what it is, and refuses the rest."""

import asyncio
import json
import subprocess
import time
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from qcode.demo import project
from qcode.demo.playback import DELTA_SECONDS, playback
from qcode.demo.script import bug_fix
from tests.demo.conversation import Gathered, body, gather, get, post, talk


@pytest.fixture
async def base_url() -> AsyncIterator[str]:
    async with playback(bug_fix(), delta_seconds=0) as url:
        yield url


def opening() -> list[dict[str, Any]]:
    asked = f"<workspace>\nfolder: hotel\n</workspace>\n\n{project.prompt()}"
    return [{"role": "system", "content": "You are an agent."}, {"role": "user", "content": asked}]


def said(answer: Gathered) -> dict[str, Any]:
    calls = [
        {
            "id": call["id"],
            "type": "function",
            "function": {"name": call["name"], "arguments": call["json"]},
        }
        for call in answer.calls
    ]
    return {"role": "assistant", "content": answer.text, "tool_calls": calls}


def do(name: str, arguments: Mapping[str, str], folder: Path) -> str:
    """The tools of the script, in a line each."""
    match name:
        case "read":
            return (folder / arguments["path"]).read_text()
        case "edit":
            path = folder / arguments["path"]
            assert path.read_text().count(arguments["old_string"]) == 1
            path.write_text(
                path.read_text().replace(arguments["old_string"], arguments["new_string"])
            )
            return "edited"
        case "grep":
            found = subprocess.run(
                ("grep", "-rn", arguments["pattern"], "hotel"),
                cwd=folder,
                capture_output=True,
                text=True,
                check=True,
            )
            return found.stdout
        case "shell":
            ran = subprocess.run(
                arguments["command"],
                shell=True,
                cwd=folder,
                capture_output=True,
                text=True,
                check=False,
            )
            return ran.stdout + ran.stderr
        case _:
            raise AssertionError(f"the script calls {name}")


async def play(base_url: str, folder: Path) -> tuple[list[str], str]:
    """The whole conversation: tools called, and the last words."""
    messages = opening()
    used: list[str] = []
    while True:
        status, raw = await post(base_url, body(messages))
        assert status == 200, raw
        answer = gather(raw)
        assert answer.done
        messages.append(said(answer))
        if not answer.calls:
            return used, answer.text
        assert answer.finish == "tool_calls"
        for call in answer.calls:
            used.append(call["name"])
            result = do(call["name"], json.loads(call["json"]), folder)
            messages.append({"role": "tool", "tool_call_id": call["id"], "content": result})


async def test_the_script_fixes_the_bug_in_the_real_project(base_url: str, tmp_path: Path) -> None:
    project.write(tmp_path)
    used, last = await play(base_url, tmp_path)
    assert used == ["read", "grep", "read", "edit", "shell"]
    assert project.run_tests(tmp_path).exit_code == 0
    assert "The tests pass now" in last


async def test_red_tests_are_not_called_green(base_url: str) -> None:
    results = ["a", "b", "c", "d", "FAILED (errors=1)\nNOT OK"]
    messages = [*opening(), *({"role": "tool", "content": text} for text in results)]
    answer = gather((await post(base_url, body(messages)))[1])
    assert "not green" in answer.text
    assert answer.finish == "stop"


async def test_a_request_that_is_sent_again_gets_the_same_answer(base_url: str) -> None:
    messages = [*opening(), {"role": "tool", "content": "a"}, {"role": "tool", "content": "b"}]
    first, again = [gather((await post(base_url, body(messages)))[1]) for _ in range(2)]
    assert first == again
    assert first.calls


async def test_each_call_has_an_id_of_its_own(base_url: str) -> None:
    ids = [call.id for step in bug_fix().steps for call in step.calls]
    assert len(set(ids)) == len(ids)


async def test_a_prompt_in_parts_is_understood(base_url: str) -> None:
    parts = [{"type": "text", "text": "facts"}, {"type": "text", "text": project.prompt()}]
    status, raw = await post(base_url, body([{"role": "user", "content": parts}]))
    assert status == 200
    assert gather(raw).calls


OFF_SCRIPT = {
    "another prompt": body([{"role": "user", "content": "Write a poem."}]),
    "words after the prompt": body([*opening(), {"role": "user", "content": "And now?"}]),
    "more results than calls": body([*opening(), *[{"role": "tool", "content": "OK"}] * 6]),
    "a result between two calls of a step": body([*opening(), {"role": "tool", "content": "a"}]),
    "a tool is missing": body(opening(), tools=("read", "grep", "shell")),
    "no messages": {"stream": True, "messages": "hello"},
    "no stream": {**body(opening()), "stream": False},
}


@pytest.mark.parametrize("request_body", OFF_SCRIPT.values(), ids=OFF_SCRIPT.keys())
async def test_off_script_is_refused_and_says_that_it_is_a_script(
    base_url: str, request_body: dict[str, Any]
) -> None:
    status, raw = await post(base_url, request_body)
    assert status == 400
    error = json.loads(raw)["error"]
    assert error["type"] == "off_script"
    assert "a script and no model" in error["message"]


@pytest.mark.parametrize(
    "raw",
    [
        b"hello\r\n\r\n",
        b"POST /v1/chat/completions HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST /v1/chat/completions HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n",
        b"POST /v1/chat/completions HTTP/1.1\r\nContent-Length: 4\r\n\r\nnope",
        b"POST /v1/chat/completions HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"GET /" + b"x" * 100_000 + b" HTTP/1.1\r\n\r\n",
    ],
    ids=["no http", "negative", "huge", "no json", "chunked", "endless head"],
)
async def test_a_malformed_request_gets_400_and_the_next_one_is_served(
    base_url: str, raw: bytes
) -> None:
    assert (await talk(base_url, raw))[0] == 400
    assert (await get(base_url, "/health"))[0] == 200


async def test_the_model_is_listed_as_a_script(base_url: str) -> None:
    status, listed = await get(base_url, "/v1/models")
    assert status == 200
    assert [entry["id"] for entry in listed["data"]] == ["playback (a script, no model)"]


async def test_what_it_does_not_have_is_a_404(base_url: str) -> None:
    assert (await get(base_url, "/props"))[0] == 404


async def test_it_listens_on_loopback_only_and_is_gone_at_the_end() -> None:
    async with playback(bug_fix()) as url:
        where = urlsplit(url)
        assert where.hostname == "127.0.0.1"
    with pytest.raises(ConnectionError):
        await asyncio.open_connection(where.hostname, where.port)


async def test_a_client_that_goes_away_leaves_no_connection_behind() -> None:
    async with playback(bug_fix(), delta_seconds=0.5) as url:
        where = urlsplit(url)
        raw = json.dumps(body(opening())).encode()
        reader, writer = await asyncio.open_connection(where.hostname, where.port)
        writer.write(b"POST /v1/chat/completions HTTP/1.1\r\nContent-Length: ")
        writer.write(f"{len(raw)}\r\n\r\n".encode() + raw)
        await reader.readuntil(b"reasoning_content")
        writer.close()
        started = time.monotonic()
    assert time.monotonic() - started < 5


async def test_the_pace_is_seen_and_the_whole_script_stays_under_three_seconds() -> None:
    results: list[dict[str, Any]] = []
    deltas = 0
    async with playback(bug_fix(), delta_seconds=0) as url:
        for step in bug_fix().steps:
            deltas += gather((await post(url, body([*opening(), *results])))[1]).deltas
            results += [{"role": "tool", "content": "OK"} for _ in step.calls]
        deltas += gather((await post(url, body([*opening(), *results])))[1]).deltas
    assert 1 < deltas * DELTA_SECONDS < 3
