"""Ends and edges of a driven run: nothing hangs or is lost, and a host knows what holds."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.host import BOTH, Host
from tests.e2e.rig import DONE, LIMIT_SECONDS, YOLO, Cli, calling, words
from tests.support.script import Pace, Reply
from tests.support.scripted_server import ScriptedServer

Serve = Callable[..., ScriptedServer]
Drive = Callable[..., Host]
ASKED = ("--permission-prompt-tool", "stdio")
NOBODY = "http://127.0.0.1:9/v1"
SLOW = Reply(text=words(400), pace=Pace(characters=5, delta_seconds=0.02))
WRITE = calling("write", path="a.txt", content="x")


@pytest.mark.parametrize("form", ["stream-json", "json-array"])
def test_without_a_server_the_run_ends(cli: Cli, form: str) -> None:
    cli.url = NOBODY
    ran = cli.ask("--output-format", form)
    found = json.loads(ran.out if form == "json-array" else ran.out.splitlines()[-1])
    result = found[-1] if isinstance(found, list) else found
    assert "No server answers" in result["errors"][0]
    assert ran.code == 75


def test_without_a_server_a_driven_run_ends_with_its_input(cli: Cli, drive: Drive) -> None:
    cli.url = NOBODY
    host = drive()
    host.say("go")
    assert host.result()["is_error"] is True
    host.say("again")
    assert host.result()["is_error"] is True
    assert host.end() == 75


def test_a_signal_takes_back_what_waits(serve: Serve, drive: Drive) -> None:
    server = serve(SLOW)
    host = drive("--include-partial-messages")
    host.say("first")
    host.until(lambda line: line["type"] == "stream_event")
    host.say("words for the turn")
    picture = {"type": "base64", "media_type": "image/png", "data": "aGk="}
    host.send({"type": "user", "message": {"content": [{"type": "image", "source": picture}]}})
    host.request("mcp_status")  # all of that has been read
    host.process.send_signal(signal.SIGINT)
    assert host.end() == 130
    assert len(server.requests) == 1


def test_nobody_waits_for_a_host_that_is_gone_already(cli: Cli, serve: Serve, drive: Drive) -> None:
    server = serve(WRITE, DONE)
    host = drive(*ASKED)
    host.say("go")
    assert host.end() == 0
    assert "the host is gone" in server.requests[-1].messages[-1]["content"]
    assert not (cli.folder / "a.txt").exists()


def test_a_question_of_a_cancelled_turn_is_withdrawn(serve: Serve, drive: Drive) -> None:
    serve(calling("ask", question="Which?", choices="a\nb"))
    host = drive(*ASKED)
    host.say("go")
    asked = host.asked()
    assert asked["request"]["tool_name"] == "AskUserQuestion"
    host.request("interrupt")
    cancelled = host.until(lambda line: line["type"] == "control_cancel_request")
    assert cancelled["request_id"] == asked["request_id"]
    host.result()
    host.reply(asked, behavior="allow")  # too late: it is about nothing any more
    assert host.end() == 130


def test_the_last_message_is_written_by_every_form(cli: Cli, serve: Serve, tmp_path: Path) -> None:
    serve(DONE, DONE)
    for form in ("stream-json", "json-array"):
        target = tmp_path / form
        assert cli.ask("--output-format", form, "-o", str(target)).code == 0
        assert target.read_text() == "Done.\n"


def test_own_words_come_back_as_they_were_said_and_by_their_id(serve: Serve, drive: Drive) -> None:
    serve(Reply(text="One."), SLOW, DONE)
    host = drive("--replay-user-messages", "--include-partial-messages")
    host.say("first", uuid="m-1")
    host.result()
    host.say("second", uuid="m-2")
    host.until(lambda line: line["type"] == "stream_event")
    host.say("rather this", uuid="m-3")
    host.result()
    assert host.end() == 0
    replayed = [line for line in host.seen if line.get("isReplay")]
    assert [(line["uuid"], line["message"]["content"][0]["text"]) for line in replayed] == [
        ("m-1", "first"),
        ("m-2", "second"),
        ("m-3", "rather this"),
    ]


def test_a_host_may_have_nobody_asked_and_be_asked_again(
    cli: Cli, serve: Serve, drive: Drive
) -> None:
    serve(WRITE, DONE, WRITE, DONE)
    host = drive(*ASKED, "--permission-mode", "dontAsk")
    host.say("go")
    (denial,) = host.result()["permission_denials"]
    assert "dontAsk denies" in denial["because"]
    assert host.seen[0]["permissionMode"] == "dontAsk"
    assert host.request("set_permission_mode", mode="default")["response"] == {"mode": "default"}
    host.say("again")
    host.reply(host.asked(), behavior="allow")
    host.result()
    assert (cli.folder / "a.txt").read_text() == "x"
    assert host.request("set_permission_mode", mode="dontAsk")["response"] == {"mode": "dontAsk"}
    assert host.end() == 0
    told = [line["permissionMode"] for line in host.seen if line.get("subtype") == "status"]
    assert told == ["default", "dontAsk"]


def test_who_gave_up_the_sandbox_at_the_start_may_go_back_to_that(drive: Drive, cli: Cli) -> None:
    cli.url = NOBODY
    host = drive("--permission-mode", "bypassPermissions")
    assert host.request("set_permission_mode", mode="plan")["subtype"] == "success"
    assert host.request("set_permission_mode", mode="bypassPermissions")["subtype"] == "success"
    assert host.seen[0]["permissionMode"] == "bypassPermissions"
    assert host.end() == 0


@pytest.mark.parametrize(
    "wish",
    [{"hooks": {"PreToolUse": [{"hookCallbackIds": ["hook_0"]}]}}, {"sdkMcpServers": ["mine"]}],
)
def test_a_host_is_told_what_nobody_would_heed(cli: Cli, drive: Drive, wish: object) -> None:
    cli.url = NOBODY
    host = drive()
    assert isinstance(wish, dict)
    assert " yet: start without " in host.request("initialize", **wish)["error"]
    agents = {"critic": {"description": "Criticises.", "prompt": "You criticise."}}
    assert host.request("initialize", hooks=None, agents=agents)["subtype"] == "success"
    assert "`agents`" in host.seen[-2]["qcode"]["text"]
    assert host.end() == 0


def test_the_model_of_the_beginning_comes_back_by_no_name(serve: Serve, drive: Drive) -> None:
    serve(DONE)
    host = drive()
    assert host.request("set_model", model=None)["subtype"] == "success"
    host.say("go")
    assert host.result()["result"] == "Done."
    assert host.request("set_model", model=None)["subtype"] == "success"
    assert host.end() == 0


def test_arguments_that_are_no_arguments_end_no_run(serve: Serve, drive: Drive) -> None:
    serve(WRITE, DONE)
    host = drive(*ASKED)
    host.say("go")
    asked = host.asked()
    wrong = {"file_path": ["a"], "content": {"b": 10**40}, "timeout": None}
    host.reply(asked, behavior="allow", updatedInput=wrong)
    assert host.result()["result"] == "Done."
    assert host.end() == 0


def test_any_folder_can_be_told(cli: Cli, drive: Drive, tmp_path: Path) -> None:
    folder = os.fsencode(tmp_path) + b"/caf\xe9"
    os.mkdir(folder)  # noqa: PTH102 - no text is its name
    cli.folder, cli.url = Path(os.fsdecode(folder)), NOBODY
    host = drive()
    assert host.request("initialize")["subtype"] == "success"
    assert host.end() == 0


def test_a_pipe_that_does_not_block_is_written_to_the_end(cli: Cli, serve: Serve) -> None:
    serve(Reply(text=words(40_000)))
    there, here = os.pipe()
    os.set_blocking(here, False)
    process = subprocess.Popen(
        [*cli.line("-p", "go", "--output-format", "stream-json")],
        cwd=cli.folder,
        env=cli.environ,
        stdin=subprocess.DEVNULL,
        stdout=here,
        stderr=sys.stderr,
    )
    os.close(here)
    with os.fdopen(there, "rb") as out:
        lines = out.read().splitlines()
    assert process.wait(LIMIT_SECONDS) == 0
    assert json.loads(lines[-1])["type"] == "result"


def test_a_flood_of_lines_behind_the_end_leaves_no_word_of_ours(cli: Cli) -> None:
    cli.url = NOBODY
    process = subprocess.Popen(
        cli.line(*BOTH),
        cwd=cli.folder,
        env=cli.environ,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdin
    assert process.stdout
    assert process.stderr
    process.stdout.readline()
    process.send_signal(signal.SIGTERM)
    try:
        for _ in range(200):
            process.stdin.write(b" " * 65_536)
    except BrokenPipeError:
        pass
    process.stdout.read()
    errors = process.stderr.read().decode()
    assert process.wait(LIMIT_SECONDS) == 143
    assert "Traceback" not in errors
    assert "never awaited" not in errors


def unread(cli: Cli, *argv: str) -> tuple["subprocess.Popen[bytes]", int]:
    """A run whose stdout nobody reads, and the end to read it."""
    there, here = os.pipe()
    process = subprocess.Popen(
        cli.line("-p", "go", "--output-format", "stream-json", *argv),
        cwd=cli.folder,
        env=cli.environ,
        stdin=subprocess.DEVNULL,
        stdout=here,
        stderr=subprocess.PIPE,
    )
    os.close(here)
    return process, there


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_reader_that_reads_nothing_keeps_no_signal_from_ending_the_run(
    cli: Cli, serve: Serve, number: signal.Signals
) -> None:
    server = serve(Reply(text=words(60_000), pace=Pace(characters=5)))
    process, there = unread(cli, "--include-partial-messages")
    server.wait_for(lambda it: it.running > 0, LIMIT_SECONDS)
    time.sleep(1)  # nothing tells when the pipe is full
    began = time.monotonic()
    process.send_signal(number)
    assert process.wait(LIMIT_SECONDS) == {signal.SIGINT: 130, signal.SIGTERM: 143}[number]
    assert time.monotonic() - began < 6
    os.close(there)
    assert process.stderr
    assert b"Traceback" not in process.stderr.read()


def test_a_reader_that_comes_late_gets_everything(cli: Cli, serve: Serve) -> None:
    server = serve(Reply(text=words(40_000)))
    process, there = unread(cli)
    server.wait_for(lambda it: bool(it.requests) and it.running == 0, LIMIT_SECONDS)
    time.sleep(12)  # a person in `less` takes their time
    with os.fdopen(there, "rb") as out:
        lines = out.read().splitlines()
    assert process.wait(LIMIT_SECONDS) == 0
    assert json.loads(lines[-1])["type"] == "result"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_run_that_waits_for_its_server(
    cli: Cli, drive: Drive, number: signal.Signals
) -> None:
    cli.url = "http://192.0.2.1/v1"  # nobody answers, and nobody refuses
    host = drive()
    host.say("go")
    host.request("mcp_status")  # the prompt has been read
    host.process.send_signal(number)
    assert host.end() == {signal.SIGINT: 130, signal.SIGTERM: 143}[number]
    assert [line["type"] for line in host.seen][-1] == "result"


def test_a_last_message_that_cannot_be_written_is_no_success(
    cli: Cli, serve: Serve, tmp_path: Path
) -> None:
    folder = tmp_path / "there"
    folder.mkdir()
    gone = calling("shell", command=f"rm -r {folder}")
    serve(gone, DONE)
    ran = cli.ask("--output-format", "stream-json", "-o", str(folder / "x"), *YOLO)
    result = json.loads(ran.out.splitlines()[-1])
    assert ran.code == result["qcode"]["exit_code"] == 42
    assert "could not be written" in result["errors"][0]
    assert result["result"] == "Done."


def test_a_denial_that_ends_the_turn_is_told_as_a_denial(
    cli: Cli, serve: Serve, drive: Drive
) -> None:
    server = serve(WRITE, DONE)
    host = drive(*ASKED)
    host.say("go")
    host.reply(host.asked(), behavior="deny", message="not that", interrupt=True)
    result = host.result()
    assert result["is_error"] is True
    assert "not that" in result["permission_denials"][0]["because"]
    told = next(line for line in host.seen if line["type"] == "user")
    assert "not that" in told["message"]["content"][0]["content"]
    host.say("again")
    host.result()
    assert "not that" in json.dumps(server.requests[-1].messages)
    assert host.end() == 0
    assert not (cli.folder / "a.txt").exists()


def test_a_question_of_what_would_come_back_puts_nothing_back(
    cli: Cli, serve: Serve, drive: Drive
) -> None:
    serve(WRITE, DONE)
    host = drive(*YOLO)
    host.say("go", uuid="m-1")
    host.result()
    refused = host.request("rewind_files", user_message_id="m-1", dry_run=True)
    assert "without `dry_run`" in refused["error"]
    assert (cli.folder / "a.txt").exists()
    assert host.end() == 0


@pytest.mark.parametrize("said", [b"", b" \n\n"])
def test_a_host_that_never_said_anything_has_no_success(cli: Cli, said: bytes) -> None:
    cli.url = NOBODY
    ran = cli.run(*BOTH, stdin=said)
    result = json.loads(ran.out.splitlines()[-1])
    assert ran.code == 42
    assert "Nothing came on stdin" in result["errors"][0]


def test_a_question_with_several_answers_has_all_of_them(serve: Serve, drive: Drive) -> None:
    server = serve(calling("ask", question="Which?", choices="a\nb\nc"), DONE)
    host = drive(*ASKED)
    host.say("go")
    host.reply(host.asked(), behavior="allow", updatedInput={"answers": {"Which?": ["a", "c"]}})
    host.result()
    assert "a, c" in server.requests[-1].messages[-1]["content"]
    assert host.end() == 0


def test_a_dash_for_a_prompt_is_what_comes_on_stdin(serve: Serve, drive: Drive) -> None:
    server = serve(DONE)
    host = drive("-p", "-")
    host.say("go")
    assert host.result()["result"] == "Done."
    assert server.requests[0].messages[-1]["content"].endswith("go")
    assert host.end() == 0
