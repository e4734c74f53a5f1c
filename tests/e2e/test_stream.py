"""stream-json both ways, with real processes: a host that drives, errs, falls silent, goes away."""

import json
import re
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.host import BOTH, Host
from tests.e2e.rig import DONE, YOLO, Cli, calling, words
from tests.support.script import Pace, Reply
from tests.support.scripted_server import ScriptedServer

Serve = Callable[..., ScriptedServer]
Drive = Callable[..., Host]
ASKED = ("--permission-prompt-tool", "stdio")
SLOW = Reply(text=words(400), pace=Pace(characters=5, delta_seconds=0.02))


def test_one_prompt_is_a_line_for_each_thing_that_happens(cli: Cli, serve: Serve) -> None:
    serve(calling("glob", pattern="*"), DONE)
    ran = cli.ask("--output-format", "stream-json")
    found = [json.loads(line) for line in ran.out.splitlines()]
    assert [one["type"] for one in found if one["type"] != "system"] == [
        *("assistant", "user", "assistant", "result"),
    ]
    assert found[0]["subtype"] == "init"
    assert found[0]["tools"][:2] == ["Read", "Write"]
    assert found[-1]["result"] == "Done."
    assert ran.code == 0


def test_json_array_is_the_same_as_one_list(cli: Cli, serve: Serve) -> None:
    serve(DONE)
    found = json.loads(cli.ask("--output-format", "json-array").out)
    assert found[0]["subtype"] == "init"
    assert found[-1]["type"] == "result"


def test_a_run_that_cannot_begin_ends_with_a_result(cli: Cli) -> None:
    ran = cli.ask("--output-format", "stream-json", "--resume", "nobody")
    assert json.loads(ran.out)["is_error"] is True
    assert ran.code == 42
    ran = cli.ask("--output-format", "json-array", "--resume", "nobody")
    assert json.loads(ran.out)[0]["is_error"] is True


def test_initialize_is_answered_before_the_server_is_asked(cli: Cli, drive: Drive) -> None:
    cli.url = "http://127.0.0.1:9/v1"  # nobody answers there
    host = drive()
    assert host.request("initialize", hooks=None)["subtype"] == "success"
    assert host.end() == 0


def test_prompts_follow_one_another_in_one_session(serve: Serve, drive: Drive) -> None:
    server = serve(Reply(text="One."), Reply(text="Two."))
    host = drive()
    host.say("first")
    first = host.result()
    time.sleep(1)
    began = time.monotonic()
    host.say("second")
    second = host.result()
    assert second["duration_ms"] <= 1000 * (time.monotonic() - began) + 1
    assert (first["result"], second["result"]) == ("One.", "Two.")
    assert first["session_id"] == second["session_id"] == host.seen[0]["session_id"]
    assert (first["num_turns"], second["num_turns"]) == (1, 1)
    assert len(server.requests[1].messages) > len(server.requests[0].messages)
    assert host.end() == 0


def test_a_message_during_a_turn_steers_it(serve: Serve, drive: Drive) -> None:
    server = serve(SLOW, DONE)
    host = drive("--include-partial-messages")
    host.say("first")
    host.until(lambda line: line["type"] == "stream_event")
    host.say("rather this")
    assert host.end() == 0
    assert server.requests[1].messages[-1]["content"].endswith("rather this")
    assert [line["type"] for line in host.seen].count("result") == 1


def test_interrupt_ends_the_turn_and_not_the_run(serve: Serve, drive: Drive) -> None:
    serve(SLOW, DONE)
    host = drive("--include-partial-messages")
    host.say("first")
    host.until(lambda line: line["type"] == "stream_event")
    assert host.request("interrupt")["subtype"] == "success"
    assert host.result()["is_error"] is True
    host.say("again")
    assert host.result()["result"] == "Done."
    assert host.end() == 0


def test_the_host_decides_about_calls(cli: Cli, serve: Serve, drive: Drive) -> None:
    edit = {"path": "a.txt", "old_string": "1", "new_string": "2"}
    server = serve(calling("edit", **edit), calling("shell", command="touch /x"), DONE)
    (cli.folder / "a.txt").write_text("1\n")
    host = drive(*ASKED)
    host.say("go")
    asked = host.asked()["request"] | {"request_id": host.seen[-1]["request_id"]}
    assert asked["tool_name"] == "Edit"
    assert asked["input"]["file_path"] == str(cli.folder / "a.txt")
    host.reply(asked, behavior="allow", updatedInput=asked["input"] | {"new_string": "3"})
    host.reply(host.asked(), behavior="deny", message="not that")
    host.result()
    assert (cli.folder / "a.txt").read_text() == "3\n"
    assert "not that" in server.requests[-1].messages[-1]["content"]
    assert host.end() == 0


def test_rules_that_were_offered_may_be_kept_for_the_session(
    cli: Cli, serve: Serve, drive: Drive
) -> None:
    edits = [{"path": "a.txt", "old_string": str(n), "new_string": str(n + 1)} for n in (1, 2)]
    serve(*(calling("edit", **edit) for edit in edits), DONE)
    (cli.folder / "a.txt").write_text("1\n")
    host = drive(*ASKED)
    host.say("go")
    asked = host.asked()
    offered = asked["request"]["permission_suggestions"]
    other = [{"type": "addRules", "behavior": "allow", "rules": [{"toolName": "Bash"}]}]
    host.reply(asked, behavior="allow", updatedPermissions=offered + other)
    assert host.result()["permission_denials"] == []
    assert (cli.folder / "a.txt").read_text() == "3\n"
    assert [line["type"] for line in host.seen].count("control_request") == 1
    assert host.end() == 0


def test_a_host_that_never_answers_has_said_no(cli: Cli, serve: Serve, drive: Drive) -> None:
    server = serve(calling("write", path="a.txt", content="x"), DONE)
    cli.environ["QCODE_APPROVAL_SECONDS"] = "0.3"
    host = drive(*ASKED)
    host.say("go")
    host.asked()
    host.until(lambda line: line["type"] == "control_cancel_request")
    host.result()
    assert "nobody replied" in server.requests[-1].messages[-1]["content"]
    assert host.end() == 0


def test_a_host_that_is_gone_has_said_no(cli: Cli, serve: Serve, drive: Drive) -> None:
    serve(calling("write", path="a.txt", content="x"), DONE)
    host = drive(*ASKED)
    host.say("go")
    host.asked()
    assert host.end() == 0
    assert not (cli.folder / "a.txt").exists()


def test_a_host_that_reads_no_more_ends_the_run(serve: Serve, drive: Drive) -> None:
    serve(SLOW)
    host = drive("--include-partial-messages")
    host.say("go")
    host.until(lambda line: line["type"] == "stream_event")
    host.leave()
    assert host.process.wait(20) == 1
    assert host.process.stderr
    assert b"nobody reads" in host.process.stderr.read()


def test_broken_lines_are_told_and_the_run_goes_on(serve: Serve, drive: Drive) -> None:
    serve(DONE)
    host = drive()
    wrong = (b"{", b"[1]", b'{"type":"other"}', b'{"type":"user","message":{"content":7}}')
    for line in wrong:
        host.send(line)
    host.send(b'{"type":"user","message":{"content":"' + b"x" * 17_000_000 + b'"}}')
    host.say("go")
    assert host.result()["result"] == "Done."
    errors = [line for line in host.seen if line.get("subtype") == "qcode_error"]
    assert len(errors) == len(wrong) + 1
    assert "too long" in errors[-1]["error"]
    assert host.end() == 0


@pytest.mark.parametrize(
    "line", [b"{", b'{"type":"user","message":{"content":7}}', b'{"type":"prompt","text":"hi"}']
)
def test_a_last_word_that_nobody_could_take_up_is_no_success(drive: Drive, line: bytes) -> None:
    host = drive()
    host.send(line)
    assert host.end() == 42
    result = host.seen[-1]
    assert (result["type"], result["is_error"]) == ("result", True)
    told = next(line for line in host.seen if line.get("subtype") == "qcode_error")
    assert result["errors"] == [told["error"]]


def test_a_broken_line_behind_a_prompt_has_a_result_of_its_own(
    cli: Cli, serve: Serve, drive: Drive
) -> None:
    serve(DONE, DONE)
    host = drive("-o", "last.txt")
    host.say("go")
    host.send(b"{")
    assert host.end() == 42, host.seen
    assert [line["is_error"] for line in host.seen if line["type"] == "result"] == [False, True]
    assert (cli.folder / "last.txt").read_text() == "Done.\n"
    host = drive()
    host.say("go")
    host.send(b'{"type":"of_a_newer_client"}')
    assert host.end() == 0


def test_fifty_megabytes_on_a_line_are_told_in_bounds(serve: Serve, drive: Drive) -> None:
    serve(DONE)
    host = drive()
    host.until(lambda line: line.get("subtype") == "init")
    host.send(b'{"type":"user","message":{"content":"' + b"x" * 50_000_000 + b'"}}')
    told = host.until(lambda line: line.get("subtype") == "qcode_error")
    assert "50,000,040 bytes is too long" in told["error"]
    status = Path(f"/proc/{host.process.pid}/status")
    if status.exists():  # Linux
        peak = re.search(r"VmHWM:\s+(\d+) kB", status.read_text())
        assert peak
        assert int(peak[1]) < 150_000
    host.say("go")
    assert host.result()["result"] == "Done."
    assert host.end() == 0


def test_requests_that_cannot_be_are_refused_with_a_sentence(drive: Drive, serve: Serve) -> None:
    serve(DONE)
    host = drive()
    assert "does not know" in host.request("mcp_toggle")["error"]
    assert "not a permission mode" in host.request("set_permission_mode", mode="wild")["error"]
    assert "when a run starts" in host.request("set_permission_mode", mode="yolo")["error"]
    assert host.request("set_permission_mode", mode="plan")["response"] == {"mode": "plan"}
    assert "needs a" in host.request("set_model", model=7)["error"]
    assert "No turn" in host.request("rewind_files", user_message_id="u")["error"]
    assert host.request("mcp_status")["response"] == {"mcpServers": []}
    host.say("go")
    host.result()
    assert host.request("get_context_usage")["response"]["model"] == "scripted-model"
    assert host.end() == 0


def test_files_go_back_to_before_a_message(cli: Cli, serve: Serve, drive: Drive) -> None:
    serve(calling("write", path="a.txt", content="x"), DONE)
    host = drive(*YOLO)
    host.say("go", uuid="m-1")
    host.result()
    assert (cli.folder / "a.txt").exists()
    assert host.request("rewind_files", user_message_id="m-1")["subtype"] == "success"
    assert not (cli.folder / "a.txt").exists()
    assert host.end() == 0


def test_files_go_back_also_where_that_is_the_last_word(
    cli: Cli, serve: Serve, drive: Drive
) -> None:
    serve(calling("write", path="a.txt", content="x"), DONE)
    host = drive(*YOLO)
    host.say("go", uuid="m-1")
    host.result()
    asked = {"subtype": "rewind_files", "user_message_id": "m-1"}
    host.send({"type": "control_request", "request_id": "r", "request": asked})
    assert host.end() == 0
    assert not (cli.folder / "a.txt").exists()
    assert host.seen[-1]["response"]["subtype"] == "success"


def test_a_session_has_the_id_that_was_chosen_and_goes_on_by_it(cli: Cli, serve: Serve) -> None:
    serve(DONE, DONE)
    chosen = "0b5a8e0e-3f5d-4c39-9d1e-0a2f6f0c7f11"
    assert cli.ask("--session-id", chosen, "--output-format", "json").json["session_id"] == chosen
    assert cli.ask("--session-id", chosen).code == 42
    assert cli.ask("--session-id=../../x").code == 42
    assert cli.ask(f"--resume={chosen}").code == 0


def test_another_system_prompt_takes_the_place_of_ours_and_an_empty_one_does_not(
    cli: Cli, serve: Serve
) -> None:
    server = serve(DONE, DONE)
    cli.ask("--system-prompt", "You are terse.")
    cli.ask("--system-prompt", "")
    own, built_in = (request.messages[0]["content"] for request in server.requests)
    assert own == "You are terse."
    assert len(built_in) > 500


def test_flags_of_other_agents_are_taken_with_a_word_and_unknown_ones_are_not(
    cli: Cli, serve: Serve
) -> None:
    serve(DONE)
    ran = cli.ask("--betas", "a,b", "--session-mirror", "--thinking", "adaptive")
    assert ran.code == 0
    assert "--session-mirror, --betas: taken, but without a meaning here." in ran.err
    assert cli.ask("--no-such-flag").code == 2
    ran = cli.run(*BOTH, "-i", "a.png")
    assert ran.code == 2
    assert "goes with a prompt" in ran.err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_driven_run(serve: Serve, drive: Drive, number: signal.Signals) -> None:
    serve(SLOW)
    host = drive("--include-partial-messages")
    host.say("go")
    host.until(lambda line: line["type"] == "stream_event")
    host.process.send_signal(number)
    assert host.result()["is_error"] is True
    assert host.end() == {signal.SIGINT: 130, signal.SIGTERM: 143}[number]


def test_the_model_is_offered_only_the_tools_that_were_named(cli: Cli, serve: Serve) -> None:
    server = serve(DONE, DONE, DONE)
    cli.ask("--tools", "Read,grep")
    cli.ask("--tools", "")
    cli.ask("--tools", "default")
    some, none, every = (request.body.get("tools", []) for request in server.requests)
    assert [tool["function"]["name"] for tool in some] == ["read", "grep"]
    assert none == []
    assert len(every) > 5
    assert "tools" not in server.requests[1].body
    assert cli.ask("--tools", "Nonsense").code == 42


def test_two_clients_cannot_have_one_session(cli: Cli, serve: Serve, drive: Drive) -> None:
    serve(DONE)
    host = drive("--session-id", "0b5a8e0e-3f5d-4c39-9d1e-0a2f6f0c7f11")
    host.say("go")
    found = host.result()["session_id"]
    ran = cli.ask("--resume", found, "--output-format", "stream-json")
    assert ran.code == 42
    assert "open in another qcode" in json.loads(ran.out)["errors"][0]
    assert host.end() == 0


def test_what_settings_of_other_agents_deny_is_denied(cli: Cli, serve: Serve) -> None:
    serve(calling("write", path="a.txt", content="x"), DONE)
    settings = {"permissions": {"deny": ["Write", "Edit(a.txt)"]}, "statusLine": {}}
    (cli.folder / "s.json").write_text(json.dumps(settings))
    ran = cli.ask("--settings", "s.json", "--output-format", "stream-json", *YOLO)
    found = [json.loads(line) for line in ran.out.splitlines()]
    assert found[1]["qcode"]["text"].startswith("--settings.statusLine: taken, but without")
    assert "--settings.statusLine" in ran.err
    (denial,) = found[-1]["permission_denials"]
    assert "--settings, permissions.deny" in denial["because"]
    assert not (cli.folder / "a.txt").exists()


def test_what_settings_of_other_agents_allow_is_allowed_and_what_they_ask_about_asked(
    cli: Cli, serve: Serve, drive: Drive, tmp_path: Path
) -> None:
    beside = tmp_path / "beside"
    beside.mkdir()
    serve(
        calling("shell", command="printf '%s' \"$TZ\" > tz; touch made"),
        calling("write", path=str(beside / "b.txt"), content="x"),
        calling("edit", path=str(beside / "b.txt"), old_string="x", new_string="y"),
        DONE,
    )
    permissions = {
        "defaultMode": "acceptEdits",
        "allow": ["Bash"],
        "ask": [f"Edit(/{beside}/never)"],
        "additionalDirectories": [str(beside)],
    }
    settings = {"permissions": permissions, "env": {"TZ": "Asia/Tokyo"}, "model": "tiny"}
    host = drive("--settings", json.dumps(settings), "--sandbox", "off", *ASKED)
    host.say("go")
    assert host.result()["permission_denials"] == []
    assert (host.seen[0]["permissionMode"], host.seen[0]["model"]) == ("acceptEdits", "tiny")
    assert (cli.folder / "tz").read_text() == "Asia/Tokyo"
    assert (beside / "b.txt").read_text() == "y"
    assert not [line for line in host.seen if line["type"] == "control_request"]
    assert host.end() == 0


def test_what_settings_of_other_agents_ask_about_is_asked_in_every_mode(
    cli: Cli, serve: Serve, drive: Drive
) -> None:
    serve(calling("write", path="a.txt", content="x"), DONE)
    settings = {"permissions": {"ask": ["Edit"], "allow": ["Edit"], "defaultMode": "auto"}}
    host = drive("--settings", json.dumps(settings), *ASKED)
    host.say("go")
    asked = host.asked()
    assert "--settings, permissions.ask" in asked["request"]["decision_reason"]
    host.reply(asked, behavior="allow")
    host.result()
    assert (cli.folder / "a.txt").exists()
    assert host.end() == 0


def test_words_for_the_end_of_the_system_prompt_may_be_a_pipe(cli: Cli, serve: Serve) -> None:
    server = serve(DONE, DONE)
    ran = cli.shell("qcode -p go --append-system-prompt-file <(printf 'Be terse.')")
    assert ran.code == 0, ran.err
    assert server.requests[0].messages[0]["content"].endswith("Be terse.")
    ran = cli.shell("qcode -p go --system-prompt-file <(printf 'You are terse.')")
    assert server.requests[1].messages[0]["content"] == "You are terse."


@pytest.mark.parametrize(
    "said",
    [
        *("{", "nowhere.json", '{"permissions":{"deny":"Write"}}', '{"permissions":{"deny":[7]}}'),
        '{"permissions":{"deny":["Wrote(a.txt)"]}}',
    ],
)
def test_settings_that_cannot_be_read_end_the_run(cli: Cli, said: str) -> None:
    ran = cli.ask("--settings", said)
    assert ran.code == 42
    assert "--settings" in ran.err


def test_servers_of_the_host_are_told_as_failed(cli: Cli, drive: Drive) -> None:
    cli.url = "http://127.0.0.1:9/v1"
    servers = {"mcpServers": {"calc": {"type": "sdk", "name": "calc"}}}
    host = drive("--mcp-config", json.dumps(servers), "--strict-mcp-config")
    (status,) = host.request("mcp_status")["response"]["mcpServers"]
    assert (status["name"], status["status"]) == ("calc", "failed")
    assert "calls no MCP servers" in status["error"]
    assert host.seen[0]["mcp_servers"] == [{"name": "calc", "status": "failed"}]
    told = [line["qcode"]["text"] for line in host.seen if line.get("subtype") == "qcode_notice"]
    assert "--strict-mcp-config, --mcp-config" in told[0]
    assert told[1].endswith("not offered the tools of: calc.")
    assert host.end() == 0
