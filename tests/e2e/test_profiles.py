"""Profiles, values of models and keys, as they reach a server."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.rig import DONE, YOLO, Cli, calling, logs
from tests.support.llama_words import About
from tests.support.script import Reply
from tests.support.scripted_server import ScriptedServer, StartScripted

Serve = Callable[..., ScriptedServer]
DEEP = About(kind="llamacpp", model="deep-model")


def configure(home: Path, text: str) -> None:
    """The user's settings."""
    file = home / "qcode" / "config" / "config.toml"
    file.parent.mkdir(parents=True)
    file.write_text(text)


def body(server: ScriptedServer) -> dict[str, Any]:
    """Of the only request."""
    [request] = server.requests
    return request.body


def test_model_names_a_profile_with_server_model_thinking_and_key(
    cli: Cli, home: Path, scripted: StartScripted
) -> None:
    server = scripted(DONE, about=DEEP)
    configure(
        home,
        '[server]\nbase_url = "http://127.0.0.1:9/v1"\nmodel = "everyday"\n'
        f'[profiles.deep]\nbase_url = "{server.base_url}"\nmodel = "deep-model"\n'
        'thinking = "off"\napi_key_env = "DEEP_KEY"\n',
    )
    ran = cli.ask("--model", "deep", environ={"DEEP_KEY": "sk-of-the-deep-one", "MORE": "x"})
    assert (ran.code, ran.out) == (0, "Done.\n")
    assert body(server)["model"] == "deep-model"
    assert body(server)["chat_template_kwargs"]["enable_thinking"] is False
    assert server.requests[0].headers["authorization"] == "Bearer sk-of-the-deep-one"
    assert "sk-of-the-deep-one" not in "".join(path.read_text() for path in logs(home))


def test_values_of_a_model_are_sent_and_flags_beat_them(cli: Cli, home: Path, serve: Serve) -> None:
    server = serve(DONE)
    configure(
        home,
        '[models."SCRIPTED"]\ntemperature = 0.2\ntop_p = 0.5\nthinking = 0\nmax_tokens = 999\n',
    )
    assert cli.ask("--top-p", "0.25", "--top-k", "7").code == 0
    sent = body(server)
    assert (sent["temperature"], sent["top_p"], sent["top_k"]) == (0.2, 0.25, 7)
    assert sent["max_tokens"] == 999
    assert sent["chat_template_kwargs"]["enable_thinking"] is False


def test_thinking_by_flag_beats_the_model_and_its_words_are_one_table(
    cli: Cli, home: Path, serve: Serve
) -> None:
    server = serve(*[DONE] * 4)
    configure(home, "[models.scripted]\nthinking = 0\n")
    for flags in (
        ("--think", "low"),
        ("--effort", "low"),
        ("--max-thinking-tokens", "2000"),
        ("--thinking", "2000"),
    ):
        assert cli.ask(*flags).code == 0
    budgets = {request.body["thinking_budget_tokens"] for request in server.requests}
    assert budgets == {2000}


def test_how_history_is_sent_can_be_chosen(cli: Cli, home: Path, serve: Serve) -> None:
    server = serve(Reply(text="One.", reasoning="I think."), DONE, Reply(text="x"))
    configure(home, '[server]\nhistory = "fold"\n')
    assert cli.ask().code == 0
    assert cli.ask("--continue").code == 0
    assert "<think>\nI think.\n</think>" in server.requests[1].messages[2]["content"]
    environ = {"QCODE_HISTORY": "plain"}
    assert cli.ask("--continue", environ=environ).code == 0
    assert "<think>" not in str(server.requests[2].messages)


def test_a_profile_that_is_not_there_is_a_models_name(cli: Cli, scripted: StartScripted) -> None:
    cli.url = scripted().base_url
    ran = cli.ask("--model", "deep")
    assert ran.code == 42
    assert "has no model 'deep'" in " ".join(ran.err.split())


def test_a_fallback_that_is_missing_ends_with_52(cli: Cli, home: Path) -> None:
    configure(home, '[agent]\nfallback = "spare"\n')
    ran = cli.ask()
    assert ran.code == 52
    assert "agent.fallback names the profile 'spare', which is not there." in ran.err


def test_a_fallback_answers_and_that_is_said(cli: Cli, home: Path, scripted: StartScripted) -> None:
    server = scripted(DONE, about=DEEP)
    configure(
        home,
        '[server]\nbase_url = "http://127.0.0.1:9/v1"\n[agent]\nfallback = "spare"\n'
        f'[profiles.spare]\nbase_url = "{server.base_url}"\n',
    )
    ran = cli.ask()
    assert (ran.code, ran.out) == (0, "Done.\n")
    assert "spare answers instead" in " ".join(ran.err.split())


def test_a_locked_keyring_keeps_no_run_from_starting(cli: Cli, serve: Serve) -> None:
    serve(DONE)
    environ = {
        "PYTHON_KEYRING_BACKEND": "tests.cli.ring_backend.Keyring",
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "RING_MOOD": "locked",
    }
    assert cli.ask(environ=environ).code == 0


def test_what_a_profile_says_beats_what_is_said_of_a_model_also_when_it_takes_over(
    cli: Cli, home: Path, scripted: StartScripted
) -> None:
    server = scripted(DONE, DONE, about=DEEP)
    configure(
        home,
        '[server]\nbase_url = "http://127.0.0.1:9/v1"\n[agent]\nfallback = "spare"\n'
        f'[profiles.spare]\nbase_url = "{server.base_url}"\nthinking = 600\n'
        "[models.deep]\nthinking = 700\nmax_tokens = 4096\n",
    )
    assert cli.ask().code == 0
    assert cli.ask("--model", "spare").code == 0
    sent = [request.body for request in server.requests]
    assert [body["thinking_budget_tokens"] for body in sent] == [600, 600]
    assert [body["max_tokens"] for body in sent] == [4096, 4096]


@pytest.mark.parametrize(
    ("variable", "keys"),
    [
        ('api_key_env = "TEAM_KEY"\n', ["the-first-one", "the-team-one"]),
        ("", ["the-first-one", "the-first-one"]),
    ],
)
def test_a_profile_at_the_same_address_is_sent_its_own_key_where_it_has_one(
    cli: Cli, home: Path, scripted: StartScripted, variable: str, keys: list[str]
) -> None:
    edit = calling("write", path="a.txt", content="x\n")
    server = scripted(edit, DONE, DONE, about=About(kind="llamacpp"))
    configure(
        home,
        f'[server]\nbase_url = "{server.base_url}"\napi_key_env = "FIRST_KEY"\n'
        '[agent]\nescalate_to = "team"\nescalate_after = 1\nverify = "false"\nverify_tries = 2\n'
        f'[profiles.team]\nbase_url = "{server.base_url}"\n{variable}',
    )
    environ = {"FIRST_KEY": "the-first-one", "TEAM_KEY": "the-team-one"}
    assert cli.ask(*YOLO, environ=environ).code == 1
    heads = [request.headers["authorization"] for request in server.requests]
    assert heads[1:] == [f"Bearer {key}" for key in keys]
