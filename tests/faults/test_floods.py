"""Output without end, 1,000 background shells, a bomb of forks: bounded, and nothing is left."""

import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from qcode.tools.shell import MOST_JOBS
from tests.e2e.rig import DONE, LLAMA, YOLO, Cli, calling, results
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


def test_of_1_000_background_shells_few_run_at_once_and_none_is_left(
    cli: Cli, serve: Serve
) -> None:
    most = 1000
    starts = [
        Reply(
            calls=tuple(
                Call(
                    "shell", {"command": f"echo up; exec sleep {1000 + number}", "action": "start"}
                )
                for number in range(first, first + 100)
            )
        )
        for first in range(0, most, 100)
    ]
    server = serve(*starts, DONE, about=replace(LLAMA, context_tokens=1_000_000))
    flags = ("--loops", "off", "--max-tool-calls", "2000")
    ran = bounded(cli, *YOLO, *flags, bounds=Bounds(seconds=100, mib=250))
    assert ran.code == 0, ran.err
    told = results(server.requests[-1].body)
    assert len(told) == most
    assert sum("Nothing was started." in one for one in told) == most - MOST_JOBS


BOMBS = {
    "ever more": "b() { b | b & }; b",
    "a chain": "f() { [ $1 -gt 0 ] && { f $(($1 - 1)) & sleep 1000 & wait; }; }; f 1000",
    "a loop": "while :; do sleep 1000 & done",
}


@pytest.mark.skipif(not shutil.which("bash"), reason="the bombs are written in bash")
@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS)
def test_a_bomb_of_forks_inside_the_fence_is_ended(
    cli: Cli, serve: Serve, home: Path, bomb: str
) -> None:
    """At most 64 processes; that the limits hold is tested beside them."""
    if bomb == BOMBS["ever more"] and not os.geteuid() and "QCODE_KILLS" not in os.environ:
        pytest.skip("the kernel does not count root's processes: 30 s and more; make faults has it")
    settings = home / "qcode" / "config" / "config.toml"
    settings.parent.mkdir(parents=True)
    settings.write_text("[sandbox]\nprocesses = 64\n")
    serve(DONE)
    if bounded(cli, "--sandbox", "required").code == 44:
        pytest.skip("no fence holds on this machine, and a bomb needs one")
    server = serve(calling("shell", command=bomb, timeout_seconds=4), DONE)
    ran = bounded(cli, "--sandbox", "required", bounds=Bounds(seconds=40))
    assert ran.code == 0, ran.err
    assert len(results(server.requests[-1].body)) == 1
