"""What a model gets wrong goes back to it with what was expected; what is too long is cut."""

import json
from collections.abc import Callable

from tests.e2e.rig import DONE, YOLO, Cli, calling, results
from tests.support.script import Call, Reply
from tests.support.scripted_server import ScriptedServer

Serve = Callable[..., ScriptedServer]


def test_malformed_calls_are_answered_with_what_was_expected(cli: Cli, serve: Serve) -> None:
    server = serve(
        Reply(
            calls=(
                Call("read", "{not json"),
                Call("read", {}),
                Call("read", {"path": "a", "colour": "red"}),
                Call("frobnicate", {"x": 1}),
                Call("write", "[1, 2]"),
                Call("read", {"path": 5}),
            )
        ),
        DONE,
    )
    ran = cli.ask("--output-format", "json")
    assert ran.code == 0
    broken, missing, extra, unknown, array, _ = results(server.requests[1].body)
    assert "not valid JSON" in broken
    assert "`path` is missing" in missing
    assert "`colour` is unknown" in extra
    assert "no tool `frobnicate`" in unknown
    assert "read, edit" in unknown
    assert "one JSON object" in array
    for text in (broken, missing, extra, array):
        assert "Fields: `path` (a string)" in text
        assert "Nothing was done" in text
    stored = [
        call["function"]["arguments"] for call in server.requests[1].messages[2]["tool_calls"]
    ]
    assert all(isinstance(json.loads(text), dict) for text in stored)  # a server parses them


def test_a_line_of_300_kb_does_not_reach_the_model_whole(cli: Cli, serve: Serve) -> None:
    (cli.folder / "min.js").write_text("y" * 300_000)
    long = "head -c 300000 /dev/zero | tr '\\0' x"
    server = serve(
        Reply(
            calls=(
                Call("shell", {"command": long}),
                Call("read", {"path": "min.js"}),
                Call("grep", {"pattern": "yyy"}),
            )
        ),
        DONE,
    )
    assert cli.ask(*YOLO).code == 0
    first, second = (len(request.raw) for request in server.requests)
    assert second - first < 60_000
    shell, read, _ = results(server.requests[1].body)
    assert "bytes left out here" in shell
    assert "was cut" in read


def test_output_that_never_ends_is_bounded(cli: Cli, serve: Serve) -> None:
    server = serve(calling("shell", command="yes long line of output", timeout_seconds=1), DONE)
    ran = cli.ask(*YOLO)
    assert ran.code == 0
    assert len(server.requests[1].raw) < 60_000
    assert "time limit" in results(server.requests[1].body)[0]
