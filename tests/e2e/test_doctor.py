"""`qcode doctor` whole, against servers that are up to something, and what runs make of it."""

import re
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest

from qcode.doctor.report import Report
from tests.e2e.rig import YOLO, Cli, Running, calling, words
from tests.support.http1 import Json
from tests.support.llama_words import About
from tests.support.mind import Mind
from tests.support.script import Pace, Received, Reply
from tests.support.scripted_server import ScriptedServer, StartScripted

if sys.platform == "win32":
    pytest.skip("no pseudo terminals there", allow_module_level=True)

from tests.support.terminal import Terminal

QWEN = About(kind="llamacpp", model="Qwen3.6-35B-A3B-Q8_0", context_tokens=131_072)
BUDGET = 100
PROMPT = "do it"


def of(text: str) -> Report:
    return msgspec.json.decode(text, type=Report)


def is_turn(body: Mapping[str, Any]) -> bool:
    """Whether a request is of a run, and not the doctor's."""
    said = (each["content"] for each in body["messages"] if each["role"] == "user")
    return any(PROMPT in str(each) for each in said)


def thinking(mind: Mind) -> Any:
    """A server that answers the doctor by `mind`, and in a run thinks as long as it is let."""

    def answer(body: Mapping[str, Any]) -> Reply:
        if not is_turn(body):
            return mind(body)
        if body["messages"][-1]["role"] == "assistant":  # its reasoning was closed
            return Reply(text="Done.")
        most = body.get("thinking_budget_tokens")
        slow = Pace(characters=40, delta_seconds=0.02)
        return Reply(reasoning=words(most or 600), text="Done.", pace=slow)

    return answer


def turns(server: ScriptedServer) -> list[dict[str, Any]]:
    return [each.body for each in server.requests if is_turn(each.body)]


def run_and_forget(cli: Cli, server: ScriptedServer) -> list[dict[str, Any]]:
    """The requests of one run."""
    before = len(turns(server))
    ran = cli.ask("--max-thinking-tokens", str(BUDGET))
    assert (ran.code, ran.out) == (0, "Done.\n")
    return turns(server)[before:]


def test_a_budget_that_the_doctor_saw_ignored_is_kept_by_qcode(
    cli: Cli, scripted: StartScripted
) -> None:
    mind = Mind("llamacpp", frozenset(["budget_ignored"]))
    server = scripted(about=QWEN, otherwise=thinking(mind))
    cli.url = server.base_url
    [trusting] = run_and_forget(cli, server)
    assert trusting["thinking_budget_tokens"] == BUDGET
    report = of(cli.run("doctor", "--json").out)
    assert report.learned.budget_holds is False
    assert "budget.ignored" in [finding.id for finding in report.findings]
    shown = " ".join(cli.run("doctor").out.split())
    assert "from now on qcode keeps the thinking budget itself" in shown
    first, closed = run_and_forget(cli, server)
    assert "thinking_budget_tokens" not in first
    assert first["chat_template_kwargs"]["enable_thinking"] is True
    thought = closed["messages"][-1]["reasoning_content"]
    assert 0.5 * BUDGET < len(thought.split()) < 2 * BUDGET
    assert cli.run("doctor", "--forget").code == 0
    [again] = run_and_forget(cli, server)
    assert again["thinking_budget_tokens"] == BUDGET


def test_sampling_that_was_seen_ignored_is_told_when_a_run_begins(
    cli: Cli, scripted: StartScripted
) -> None:
    mind = Mind("llamacpp", frozenset(["min_p_ignored"]))
    server = scripted(about=QWEN, otherwise=thinking(mind))
    cli.url = server.base_url
    assert "min_p" not in cli.ask("--min-p", "0.1").err
    assert of(cli.run("doctor", "--json").out).learned.ignored == ("min_p",)
    assert "takes no min_p" in cli.ask("--min-p", "0.1").err


def test_what_was_found_broken_is_one_line_of_a_run(cli: Cli, scripted: StartScripted) -> None:
    small = About(kind="llamacpp", context_tokens=4096)
    cli.url = scripted(about=small, otherwise=lambda _: Reply(text="Done.")).base_url
    assert "doctor" not in cli.ask().err
    assert cli.run("doctor", "--seconds", "2").code == 1
    ran = cli.ask()
    assert (ran.code, ran.out) == (0, "Done.\n")
    [line] = [each for each in ran.err.splitlines() if "qcode doctor found on 20" in each]
    assert "4,096 tokens is small" in line
    cli.run("doctor", "--forget")
    assert "doctor" not in cli.ask().err


def examining(cli: Cli) -> Running:
    """One that is still at it."""
    return Running(
        subprocess.Popen(
            cli.line("doctor", "--json"),
            cwd=cli.folder,
            env=cli.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
    )


def test_an_interrupted_examination_reports_what_it_knows_and_keeps_nothing(
    cli: Cli, scripted: StartScripted, home: Path
) -> None:
    server = scripted(about=QWEN, otherwise=lambda _: Reply(text="never", end="hang"))
    cli.url = server.base_url
    running = examining(cli)
    server.wait_for(lambda seen: bool(seen.requests))
    running.signal(signal.SIGINT)
    ran = running.end()
    report = of(ran.out)
    assert ran.code == 130
    assert report.interrupted
    assert report.own
    assert report.left_out
    server.wait_for(lambda seen: seen.requests[0].closed_early is not None)
    assert not (home / "qcode" / "state" / "doctor").exists()


def test_a_server_is_examined_as_the_settings_have_it_used(
    cli: Cli, scripted: StartScripted
) -> None:
    cli.url = scripted(about=QWEN).base_url
    cli.environ["QCODE_HISTORY"] = "fold"
    server = of(cli.run("doctor", "--only", "context", "--json").out).server
    assert server
    assert (server.strategy, server.strategy_why) == ("fold", "configuration")


def test_a_server_that_answers_nothing_is_not_well(cli: Cli, scripted: StartScripted) -> None:
    no = Reply(status=400, body={"error": {"message": "no such thing"}})
    cli.url = scripted(about=QWEN, otherwise=lambda _: no).base_url
    ran = cli.run("doctor", "--seconds", "20", "--json")
    assert ran.code == 1
    [found] = [it for it in of(ran.out).findings if it.id == "server.silent"]
    assert "no such thing" in found.change


class Saving(ScriptedServer):
    """A llama.cpp with `--slot-save-path`."""

    actions: list[str]

    async def other(self, request: Received) -> tuple[int, Json]:
        path, _, action = request.path.partition("?action=")
        if not path.startswith("/slots/"):
            return await super().other(request)
        self.actions.append(action)
        return 200, {"n_saved" if action == "save" else "n_restored": 900}


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 143)]
)
def test_an_examination_that_is_ended_puts_the_slot_back_and_says_so(
    cli: Cli, number: int, code: int
) -> None:
    server = Saving(about=QWEN, otherwise=lambda _: Reply(text="never", end="hang"))
    server.actions = []
    server.start()
    try:
        cli.url = server.base_url
        running = examining(cli)
        server.wait_for(lambda seen: bool(seen.requests))
        running.signal(number)
        ran = running.end()
        assert ran.code == code
        assert "the saved conversation was put back." in ran.err
    finally:
        server.close()
    assert server.actions == ["save", "restore"]


def test_a_turn_of_another_qcode_is_left_alone_also_while_its_tool_runs(
    cli: Cli, scripted: StartScripted
) -> None:
    gate = cli.folder / "gate"
    waits = calling("shell", command=f"until test -e '{gate}'; do sleep 0.05; done")
    server = scripted(waits, Reply(text="Done."), about=QWEN)
    cli.url = server.base_url
    running = cli.start(*YOLO)
    server.wait_for(lambda seen: bool(seen.requests) and seen.running == 0)
    ran = cli.run("doctor", "--only", "context")
    assert (ran.code, "in the middle of a turn with llamacpp" in ran.err) == (75, True)
    assert f"process {running.process.pid}" in ran.err
    assert "context" in cli.run("doctor", "--only", "context", "--anyway").out
    gate.touch()
    assert running.end().code == 0
    assert cli.run("doctor", "--only", "context").code == 0


def test_the_time_is_kept_and_what_it_did_not_suffice_for_is_named(
    cli: Cli, scripted: StartScripted
) -> None:
    slow = Pace(wait_seconds=1.0)
    server = scripted(about=QWEN, otherwise=lambda _: Reply(text="Yes.", pace=slow))
    cli.url = server.base_url
    ran = cli.run("doctor", "--seconds", "3", "--json")
    report = of(ran.out)
    assert report.left_out
    assert report.seconds < 6
    assert re.search(r"--seconds \d+ asks all", cli.run("doctor", "--seconds", "1").out)


def test_on_a_terminal_the_running_check_is_told_and_then_gone(
    cli: Cli, scripted: StartScripted
) -> None:
    server = scripted(about=QWEN, otherwise=lambda _: Reply(text="Yes.", pace=Pace(wait_seconds=1)))
    cli.url = server.base_url
    line = cli.line("doctor", "--seconds", "4")
    with Terminal(line, cwd=cli.folder, env=cli.environ, size=(100, 70)) as terminal:
        terminal.wait_for("of 4 s  ")
        terminal.wait_for(", took")
        assert "of 4 s" not in terminal.text


@pytest.mark.parametrize("flags", [("--json", "--markdown"), ("--seconds", "0")])
def test_wrong_flags_are_said(cli: Cli, flags: tuple[str, ...]) -> None:
    assert cli.run("doctor", *flags).code == 2
