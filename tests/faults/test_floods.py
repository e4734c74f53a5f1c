"""Output without end, 1,000 background shells, a bomb of forks: bounded, and nothing is left."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.rig import DONE, YOLO, Cli, calling, results
from tests.faults.bounded import Bounds, bounded
from tests.support.script import Call, Reply
from tests.support.scripted_server import ScriptedServer

Serve = Callable[..., ScriptedServer]


@pytest.mark.parametrize(
    "line",
    [
        "yes",
        "yes | tr -d '\\n'",
        "cat /dev/zero",
        "cat /dev/urandom",
        "yes >&2",
        "while :; do printf '\\033]0;x\\007\\033[2J'; done",
    ],
)
def test_output_without_end_is_cut_and_the_command_ended(cli: Cli, serve: Serve, line: str) -> None:
    server = serve(calling("shell", command=line, timeout_seconds=3), DONE)
    ran = bounded(cli, *YOLO, bounds=Bounds(seconds=25, mib=250))
    assert ran.code == 0, ran.err
    [told] = results(server.requests[-1].body)
    assert len(told) < 50_000
    assert "\x1b" not in told


def test_output_of_a_background_shell_without_end_is_bounded(cli: Cli, serve: Serve) -> None:
    serve(
        calling("shell", command="yes", action="start"),
        *(calling("shell", command="sleep 2"), DONE),
    )
    ran = bounded(cli, *YOLO, bounds=Bounds(seconds=25, mib=250))
    assert ran.code == 0, ran.err


def test_1_000_background_shells_are_refused_or_ended_with_the_run(cli: Cli, serve: Serve) -> None:
    starts = [
        Reply(
            calls=tuple(
                Call("shell", {"command": f"exec sleep {1000 + number}", "action": "start"})
                for number in range(first, first + 100)
            )
        )
        for first in range(0, 1000, 100)
    ]
    server = serve(*starts, DONE)
    flags = ("--loops", "off", "--max-tool-calls", "2000")
    ran = bounded(cli, *YOLO, *flags, bounds=Bounds(seconds=100, mib=400))
    assert ran.code == 0, ran.err
    assert len(results(server.requests[-1].body)) == 1000


@pytest.mark.skipif(not shutil.which("bash"), reason="the bomb is written in bash")
@pytest.mark.timeout(120)
def test_a_bomb_of_forks_inside_the_fence_ends_with_its_command(
    cli: Cli, serve: Serve, tmp_path: Path
) -> None:
    """Of its own kind: each of 200 processes starts another, and waits for it."""
    bomb = "f() { [ $1 -gt 0 ] && { f $(($1 - 1)) & sleep 1000 & wait; }; }; f 200"
    serve(calling("shell", command=bomb, timeout_seconds=5), DONE)
    ran = bounded(cli, *YOLO, bounds=Bounds(seconds=60))
    assert ran.code == 0, ran.err
