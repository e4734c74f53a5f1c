"""Limits, modes and flags: what each does, and the exit code that it leads to."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.rig import DONE, YOLO, Cli, calling, results
from tests.support.script import Call, Pace, Reply, Usage
from tests.support.scripted_server import ScriptedServer

Serve = Callable[..., ScriptedServer]
JSON = ("--output-format", "json")
LOOK = calling("glob", pattern="*")


def test_max_turns_is_53(cli: Cli, serve: Serve) -> None:
    serve(LOOK, LOOK)
    ran = cli.ask("--max-turns", "2", *JSON)
    assert ran.code == 53
    assert ran.json["subtype"] == "error_max_turns"
    assert ran.json["num_turns"] == 2
    assert "--max-turns" in ran.err


def test_max_tool_calls_is_55_and_every_call_has_a_result(cli: Cli, serve: Serve) -> None:
    serve(Reply(calls=LOOK.calls * 3), DONE)
    ran = cli.ask("--max-tool-calls", "2", *JSON)
    assert ran.code == 55
    assert ran.json["qcode"]["tool_calls"] == 3
    assert "limit of 2 tool calls" in ran.json["errors"][0]
    assert cli.ask("--continue").code == 0


def test_max_tokens_total_is_55(cli: Cli, serve: Serve) -> None:
    serve(Reply(calls=LOOK.calls, usage=Usage(1000, 500)))
    ran = cli.ask("--max-tokens-total", "1200")
    assert ran.code == 55
    assert "1,200 tokens was reached (1,500 used)" in ran.err


def test_max_wall_time_is_55_while_the_model_writes(cli: Cli, serve: Serve) -> None:
    server = serve(Reply(text="x" * 500, pace=Pace(delta_seconds=0.1, characters=1)))
    ran = cli.ask("--max-wall-time", "1s")
    assert ran.code == 55
    assert ran.out.startswith("x")  # what there is, is given out
    server.wait_for(lambda it: it.running == 0)
    assert server.requests[0].closed_early


def test_max_wall_time_ends_a_command(cli: Cli, serve: Serve) -> None:
    serve(calling("shell", command="sleep 1000"))
    ran = cli.ask("--max-wall-time", "1s", *YOLO)
    assert ran.code == 55
    assert ran.seconds < 10
    assert "Cancelled before it finished" in ran.err


def test_a_denial_names_the_flag_and_is_in_the_result(cli: Cli, serve: Serve) -> None:
    server = serve(calling("shell", command="make test"), Reply(text="I could not."))
    ran = cli.ask("--permission-mode", "edit", *JSON)
    assert ran.code == 0
    [told] = results(server.requests[1].body)
    assert "--allowed-tools 'Bash(make test)'" in told
    assert "--allowed-tools 'Bash(make test)'" in ran.err
    [denial] = ran.json["permission_denials"]
    assert denial["tool_input"] == {"command": "make test"}
    assert "--allowed-tools 'Bash(make test)'" in denial["allowed_by"]
    assert "edit mode asks before commands" in denial["because"]


def test_the_flag_that_a_denial_names_allows_the_call(cli: Cli, serve: Serve) -> None:
    serve(calling("shell", command="touch made"), DONE)
    assert cli.ask("--allowed-tools", "Bash(touch made)").code == 0
    assert (cli.folder / "made").exists()


def test_three_denied_steps_running_are_58(cli: Cli, serve: Serve) -> None:
    serve(*[calling("shell", command="make test")] * 3)
    ran = cli.ask("--permission-mode", "edit", *JSON)
    assert ran.code == 58
    assert len(ran.json["permission_denials"]) == 3
    assert ran.err.count("allow it with") == 1


@pytest.mark.parametrize(("mode", "because"), [("dontAsk", "dontAsk"), ("plan", "plan mode")])
def test_modes_that_deny_are_in_the_result(cli: Cli, serve: Serve, mode: str, because: str) -> None:
    server = serve(calling("write", path="a.txt", content="x"), Reply(text="I could not."))
    found = cli.ask("--permission-mode", mode, *JSON).json
    assert not (cli.folder / "a.txt").exists()
    assert because in results(server.requests[1].body)[0]
    assert because in str(found["permission_denials"])


def test_a_denying_rule_beats_every_mode(cli: Cli, serve: Serve) -> None:
    serve(calling("shell", command="touch made"), Reply(text="I could not."))
    ran = cli.ask(*YOLO, "--disallowed-tools", "Bash(touch:*)", *JSON)
    assert not (cli.folder / "made").exists()
    assert ran.json["permission_denials"]


def test_yolo_is_said_once_and_runs(cli: Cli, serve: Serve) -> None:
    for name, flags in {"a": ("--yolo",), "b": ("--approval-mode", "bypassPermissions")}.items():
        serve(calling("shell", command=f"touch {name}"), DONE)
        ran = cli.ask(*flags)
        assert (cli.folder / name).exists()
        assert ran.err.count("without a sandbox") == 1


def test_yolo_is_not_taken_from_the_environment(cli: Cli) -> None:
    assert cli.ask(environ={"QCODE_PERMISSION_MODE": "yolo"}).code == 52


def test_a_required_sandbox_that_is_not_there_is_44(cli: Cli) -> None:
    ran = cli.ask("--sandbox", "required", "-C", "/")  # around everything there is no fence
    assert ran.code == 44
    assert "sandbox" in ran.err


def test_nothing_waits_for_an_answer_that_cannot_come(cli: Cli, serve: Serve) -> None:
    command = (
        "git init -q . && git -c user.name=a -c user.email=a@b commit -q --allow-empty 2>&1; "
        "cat; read line; git --no-optional-locks log | cat; "
        "git ls-remote https://user@127.0.0.1:1/x.git; echo end"
    )
    server = serve(calling("shell", command=command), calling("ask", question="Which?"), DONE)
    ran = cli.ask(*YOLO)
    assert ran.code == 0
    assert ran.seconds < 15
    assert "ask" not in [tool["function"]["name"] for tool in server.requests[0].body["tools"]]
    shell, asked = results(server.requests[2].body)
    assert shell.endswith("end")
    assert "no tool `ask`" in asked


def test_folders_are_chosen_by_flags(cli: Cli, serve: Serve, tmp_path: Path) -> None:
    other, more = tmp_path / "other", tmp_path / "more"
    other.mkdir()
    more.mkdir()
    server = serve(
        Reply(
            calls=(
                Call("write", {"path": "here.txt", "content": "x"}),
                Call("write", {"path": str(more / "there.txt"), "content": "x"}),
                Call("write", {"path": str(tmp_path / "outside.txt"), "content": "x"}),
            )
        ),
        DONE,
    )
    cli.ask("-C", str(other), "--add-dir", str(more))
    assert (other / "here.txt").exists()
    assert (more / "there.txt").exists()
    assert not (tmp_path / "outside.txt").exists()
    assert f"Folder: {other}" in server.requests[0].messages[1]["content"]


def test_words_are_appended_to_the_system_text(cli: Cli, serve: Serve) -> None:
    server = serve(DONE)
    cli.ask("--append-system-prompt", "Speak like a pirate.")
    assert server.requests[0].messages[0]["content"].endswith("\n\nSpeak like a pirate.")


def test_verify_decides_about_success(cli: Cli, serve: Serve) -> None:
    edit = calling("write", path="a.txt", content="x\n")
    server = serve(edit, Reply(text="one"), Reply(text="two"))
    ran = cli.ask("--verify", "echo it is broken; exit 3", "--verify-tries", "2", *JSON)
    assert ran.code == 1
    assert ran.json["qcode"]["verify"] == {"command": "echo it is broken; exit 3", "exit_code": 3}
    assert "it is broken" in server.requests[2].messages[-1]["content"]
    serve(calling("write", path="b.txt", content="x\n"), DONE)
    assert cli.ask("--verify", "test -f b.txt").code == 0


def test_a_project_may_propose_a_check_but_not_run_it(cli: Cli, serve: Serve) -> None:
    file = cli.folder / ".qcode" / "config.toml"
    file.parent.mkdir()
    file.write_text(
        '[agent]\nverify = "touch pwned"\n[server]\nbase_url = "http://127.0.0.1:1/v1"\n'
    )
    serve(calling("write", path="a.txt", content="x\n"), DONE)
    ran = cli.ask("--trust")
    assert ran.code == 0
    assert not (cli.folder / "pwned").exists()
    assert "proposes to verify with 'touch pwned'" in ran.err
    assert f"{file}:4" in ran.err
