"""The shell tool: what the model reads of a run, and servers in the background."""

import asyncio
import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from qcode.protocol.access import Access
from qcode.protocol.display import OutputBlock
from qcode.sandbox.base import Output
from qcode.tools.base import Context
from qcode.tools.shell import REFUSED, Shell, finished
from tests.tools.contexts import make_context


@pytest.fixture
async def context(tmp_path: Path) -> AsyncIterator[Context]:
    it, runner = make_context(tmp_path)
    yield it
    await runner.close()


async def test_the_reply_begins_with_how_it_ended(context: Context) -> None:
    outcome = await Shell("echo hello; exit 3").run(context)
    assert re.fullmatch(r"exit 3 · \d\.\d s\nhello", outcome.text)
    assert outcome.status == "ok"
    (block,) = outcome.blocks
    assert isinstance(block, OutputBlock)
    assert (block.command, block.tail, block.exit_code) == ("echo hello; exit 3", "hello\n", 3)
    assert block.spill == ""


async def test_silence_is_said(context: Context) -> None:
    assert (await Shell("true").run(context)).text.endswith("s\n(no output)")


async def test_it_runs_in_the_root_of_the_workspace(context: Context) -> None:
    await Shell("cd / && true").run(context)
    outcome = await Shell("pwd").run(context)
    assert outcome.text.splitlines()[1] == str(context.workspace.root.resolve())


async def test_long_output_names_the_file_that_a_command_can_search(context: Context) -> None:
    outcome = await Shell("seq -f 'line %.0f' 1 9000").run(context)
    assert len(outcome.text) < 17_000
    note = re.search(r"\[(\d+) bytes left out here; use grep, sed or tail on (\S+)\]", outcome.text)
    assert note
    assert int(note[1]) > 70_000
    found = await Shell(f"grep -n '^line 4567$' {note[2]}").run(context)
    assert found.text.splitlines()[1] == "4567:line 4567"
    (block,) = outcome.blocks
    assert isinstance(block, OutputBlock)
    assert block.spill == note[2]
    assert block.tail.endswith("line 9000\n")
    assert len(block.tail) <= 4_000


async def test_a_line_of_300_kilobytes_does_not_reach_the_model_whole(context: Context) -> None:
    outcome = await Shell("head -c 300000 /dev/zero | tr '\\0' x").run(context)
    assert len(outcome.text) < 17_000


async def test_the_time_limit_is_told_with_the_way_out(context: Context) -> None:
    outcome = await Shell("echo began; sleep 30", timeout_seconds=1).run(context)
    assert outcome.status == "error"
    assert outcome.text.startswith("ended after 1 s (time limit) · 1.")
    assert "began" in outcome.text
    assert "action start" in outcome.text


async def test_zero_seconds_mean_the_usual_limit(context: Context) -> None:
    assert (await Shell("echo ran", timeout_seconds=0).run(context)).text.endswith("ran")


async def test_output_is_shown_while_it_runs(context: Context) -> None:
    shown: list[str] = []
    context.progress = shown.append
    await Shell("echo one; sleep 0.3; echo two").run(context)
    assert shown == ["one\n", "two\n"]


async def test_what_is_left_running_is_told(context: Context) -> None:
    outcome = await Shell("sleep 60 & echo ok").run(context)
    assert "[It left processes running: they are job-1 now." in outcome.text
    assert (await Shell(action="stop").run(context)).text.startswith("job-1 · exit 0")


async def test_a_background_server_is_started_asked_and_stopped(context: Context) -> None:
    (context.workspace.root / "page.txt").write_text("served\n")
    server = (
        f'exec {sys.executable} -c "import http.server as h; s = h.ThreadingHTTPServer('
        "('127.0.0.1', 0), h.SimpleHTTPRequestHandler); "
        "print('port', s.server_port); s.serve_forever()\""
    )
    started = await Shell(server, action="start").run(context)
    assert started.text.startswith("job-1 · running")
    assert "[Whole output: " in started.text
    said = started.text
    for _ in range(5):
        if "port " in said:
            break
        said = (await Shell(action="read", job="job-1").run(context)).text
    found = re.search(r"port (\d+)", said)
    assert found
    url = f"http://127.0.0.1:{found[1]}"
    ask = "import sys, urllib.request as r; print(r.urlopen(sys.argv[1], timeout=5).read())"
    asked = await Shell(f'{sys.executable} -c "{ask}" {url}/page.txt').run(context)
    assert "served" in asked.text
    read = await Shell(action="read", job="job-1").run(context)
    assert "GET /page.txt" in read.text
    listed = await Shell(action="list").run(context)
    assert listed.text.startswith("job-1 · running")
    stopped = await Shell(action="stop", job="job-1").run(context)
    assert stopped.text.startswith("job-1 · ended by signal 15")
    gone = await Shell(f'{sys.executable} -c "{ask}" {url}/page.txt').run(context)
    assert "refused" in gone.text


async def test_a_start_that_fails_at_once_says_so(context: Context) -> None:
    outcome = await Shell("echo no such thing >&2; exit 7", action="start").run(context)
    assert outcome.text.startswith("job-1 · exit 7")
    assert "no such thing" in outcome.text


async def test_reading_twice_does_not_repeat(context: Context) -> None:
    await Shell("echo once; exit 0", action="start").run(context)
    outcome = await Shell(action="read", job="job-1").run(context)
    assert "(nothing new)" in outcome.text
    assert "once" not in outcome.text


async def test_an_unknown_job_is_answered_with_the_known_ones(context: Context) -> None:
    await Shell("sleep 60", action="start").run(context)
    outcome = await Shell(action="read", job="job-7").run(context)
    assert outcome.status == "error"
    assert outcome.text == "shell: no job has the id `job-7`. Jobs: job-1."
    assert (await Shell(action="list").run(context)).text.count("\n") == 0


async def test_nothing_to_run_or_list_is_said(context: Context) -> None:
    assert (await Shell().run(context)).status == "error"
    assert (await Shell(action="list").run(context)).text == "No job was started."


async def test_what_cannot_start_is_text_for_the_model(context: Context) -> None:
    outcome = await Shell("echo \0").run(context)
    assert outcome.status == "error"
    assert outcome.text.startswith("shell: The command holds a NUL")


async def test_cancelling_ends_the_command(context: Context) -> None:
    marker = context.workspace.root / "late"
    task = asyncio.create_task(Shell(f"sleep 1; touch {marker}").run(context))
    await asyncio.sleep(0.3)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.sleep(1)
    assert not marker.exists()


def test_only_what_runs_something_is_judged() -> None:
    assert Shell("ls").accesses() == (Access("shell", "ls"),)
    assert Shell("ls", action="start").accesses() == (Access("shell", "ls"),)
    for action in ("list", "read", "stop"):
        assert Shell("ls", action=action).accesses() == ()


def test_the_summary_is_one_line() -> None:
    assert Shell("\n  pytest -q\nls").summary() == "pytest -q"
    assert Shell("npm run dev", action="start").summary() == "start npm run dev"
    assert Shell(action="stop", job="job-2").summary() == "stop job-2"
    assert Shell(action="list").summary() == "list"


@pytest.mark.parametrize(
    ("notes", "ends"),
    [
        ((), "out"),
        (("The command was ended: too much memory.",), "[The command was ended: too much memory.]"),
        (("[network] a.org:443 was refused: no.",), REFUSED),
    ],
)
def test_what_the_fence_did_stands_behind_the_output(notes: tuple[str, ...], ends: str) -> None:
    output = Output(1, "", "out\n", "", 0, None, 0.5, notes=notes)
    text, block = finished("make", output)
    assert text.splitlines()[-1] == ends
    assert block.notes == notes
    assert all(note.strip("[]") in text for note in notes)
    assert "[[" not in text
