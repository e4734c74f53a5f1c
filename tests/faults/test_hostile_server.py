"""A server that sends too much, too deep, or what it should not: bounded, and a sentence."""

import json
from collections.abc import Callable

import pytest

from tests.e2e.rig import DONE, YOLO, Cli, words
from tests.faults.bounded import Bounds, bounded
from tests.support.script import Answer, Call, Reply
from tests.support.scripted_server import ScriptedServer

Serve = Callable[..., ScriptedServer]
Always = Callable[[Answer], ScriptedServer]

DEEP = 100_000
LISTS = "[" * DEEP + "]" * DEEP
OBJECTS = '{"a":' * DEEP + "1" + "}" * DEEP
ONCE = ("--max-wall-time", "15s")


def event(value: object) -> bytes:
    """One event of a stream."""
    return f"data: {json.dumps(value)}\n\n".encode()


def delta(**fields: object) -> bytes:
    return event({"choices": [{"index": 0, "delta": fields}]})


END = event({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}) + b"data: [DONE]\n\n"


@pytest.mark.parametrize("head", [b"data: ", b'data: {"choices":[{"delta":{"content":"', b""])
def test_100_megabytes_on_a_line(cli: Cli, always: Always, head: bytes) -> None:
    server = always(Reply(raw=head + b"x" * 100_000_000))
    ran = bounded(cli, *ONCE, bounds=Bounds(seconds=30, mib=250))
    assert ran.code == 1
    assert "larger than" in ran.err or "no event stream" in ran.err
    assert server.requests


@pytest.mark.parametrize(
    "raw",
    [
        b"data: " + LISTS.encode() + b"\n\n",
        b"data: " + OBJECTS.encode() + b"\n\n",
        b'data: {"choices":' + LISTS.encode() + b"}\n\n",
        b'data: {"unknown":' + LISTS.encode() + b',"choices":[]}\n\n',
        b'data: {"error":' + OBJECTS.encode() + b"}\n\n",
        b'data: {"usage":' + OBJECTS.encode() + b"}\n\n",
    ],
    ids=["lists", "objects", "choices", "unknown", "error", "usage"],
)
def test_an_event_nested_100_000_deep(cli: Cli, always: Always, raw: bytes) -> None:
    always(Reply(raw=raw + END))
    ran = bounded(cli, *ONCE)
    assert ran.code == 1
    assert "Traceback" not in ran.err


@pytest.mark.parametrize("arguments", [LISTS, OBJECTS, '{"path":' + LISTS + "}"])
def test_arguments_nested_100_000_deep_are_told_to_the_model(
    cli: Cli, serve: Serve, arguments: str
) -> None:
    server = serve(Reply(calls=(Call("read", arguments),)), DONE)
    ran = bounded(cli, *ONCE)
    assert (ran.code, ran.out) == (0, "Done.\n")
    first, second = (len(str(request.messages)) for request in server.requests)
    assert second - first < 20_000


def test_text_calls_nested_100_000_deep_are_words(cli: Cli, always: Always) -> None:
    text = f'<tool_call>\n{{"name": "read", "arguments": {OBJECTS}}}\n</tool_call>'
    always(Reply(text=text))
    bounded(cli, *ONCE)


def test_a_figure_of_a_wrong_type_costs_no_answer(cli: Cli, serve: Serve) -> None:
    for wrong in ("[]", '"many"', "[1]", '{"prompt_tokens": "x"}', '{"prompt_tokens": []}', "3"):
        usage = f'data: {{"choices":[],"usage":{wrong},"timings":{wrong}}}\n\n'.encode()
        serve(Reply(raw=delta(role="assistant", content="Hello.") + usage + END))
        ran = bounded(cli)
        assert (ran.code, ran.out) == (0, "Hello.\n"), (wrong, ran.err)


def test_many_calls_are_bounded_in_their_sum(cli: Cli, always: Always) -> None:
    long = words(10_000) * 100  # 5 MB
    pieces = b"".join(
        delta(
            tool_calls=[
                {
                    "index": number,
                    "id": f"call_{number}",
                    "function": {"name": "read", "arguments": json.dumps({"path": long})},
                }
            ]
        )
        for number in range(20)
    )
    always(Reply(raw=pieces + END))
    ran = bounded(cli, "--loops", "off", *ONCE, bounds=Bounds(seconds=40, mib=300))
    assert ran.code == 1
    assert "exceed" in ran.err


def test_two_million_lines_are_no_two_million_objects(cli: Cli, always: Always) -> None:
    always(Reply(raw=delta(content="\n" * 2_000_000) + END))
    ran = bounded(cli, "--loops", "off", *ONCE)
    assert "exceeds 200,000 lines" in ran.err


def test_two_million_lines_of_words(cli: Cli, always: Always) -> None:
    always(Reply(raw=delta(content="a\n" * 2_000_000) + END))
    ran = bounded(cli, "--loops", "off", *ONCE)
    assert "exceeds 200,000 lines" in ran.err


def test_as_many_lines_as_an_answer_may_have(cli: Cli, serve: Serve) -> None:
    text = "".join(f"{number}\n" for number in range(199_000))
    serve(Reply(raw=delta(content=text) + END))
    ran = bounded(cli, "--loops", "off", bounds=Bounds(mib=300))
    assert ran.out == text


def test_a_call_of_a_million_lines_is_written(cli: Cli, always: Always) -> None:
    text = "\n".join(str(number) for number in range(300_000))
    always(Reply(calls=(Call("write", {"path": "a", "content": text}),)))
    flags = ("--loops", "off", "--max-turns", "1")
    assert bounded(cli, *flags, *YOLO, bounds=Bounds(seconds=40, mib=300)).code == 53
    assert (cli.folder / "a").read_text() == text
