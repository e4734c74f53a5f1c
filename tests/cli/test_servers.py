"""`qcode servers`: what answers, with the numbers and where they come from; loads nothing."""

import argparse
import json
import socket
from contextlib import ExitStack
from pathlib import Path

import pytest

from qcode.cli import servers
from qcode.config.paths import make, paths
from qcode.protocol.cells import cells
from qcode.protocol.errors import UsageError
from tests.server.replay import load, replayed, wires

Captured = pytest.CaptureFixture[str]


def asked(*words: str, ports: tuple[int, ...] = ()) -> int:
    """The exit code of `qcode servers WORDS`, with other known ports."""
    parser = argparse.ArgumentParser()
    servers.add(parser.add_subparsers())
    return servers.run(parser.parse_args(["servers", *words]), ports)


def closed_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


@pytest.fixture(autouse=True)
def _at_home(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder and a home without settings."""
    monkeypatch.chdir(home)


def test_a_server_is_told_with_the_places_of_its_numbers(capsys: Captured) -> None:
    with replayed(load("llamacpp")) as wire:
        assert asked("--base-url", wire.base_url) == 0
    assert (
        capsys.readouterr().out
        == f"""\
llama.cpp b11549 at {wire.base_url}
  kind      llamacpp
  model     Qwen3.6-35B-A3B-UD-Q4_K_XL.gguf (loaded)
  context   131,072 tokens (from /props); made for 262,144 (from /v1/models)
  slots     1 at once
  vision    yes
  history   native: seen by rendering
  reasoning sent back as reasoning_content
  thinking  switch: chat_template_kwargs.enable_thinking; budget:
            thinking_budget_tokens
  counting  by the server
"""
    )


@pytest.mark.parametrize("name", [name for name in wires() if "base_url" not in load(name).told])
def test_every_server_is_told_within_eighty_columns(name: str, capsys: Captured) -> None:
    with replayed(load(name)) as wire:
        assert asked("--base-url", wire.base_url) == 0
    told = capsys.readouterr()
    assert told.err == ""
    assert f"  kind      {wire.told['facts']['kind']}\n" in told.out
    assert wire.told["facts"]["model"] in told.out
    assert max(map(cells, told.out.splitlines())) <= 80


def test_all_that_answer_are_listed_and_the_one_that_a_run_takes_is_named(
    capsys: Captured,
) -> None:
    with ExitStack() as running:
        idle = running.enter_context(replayed(load("ollama-idle")))
        ready = running.enter_context(replayed(load("vllm")))
        assert asked(ports=(closed_port(), idle.port, ready.port)) == 0
    told = capsys.readouterr()
    headings = [line for line in told.out.splitlines() if line and line[0] != " "]
    assert headings == [f"Ollama 0.33.0 at {idle.base_url}", f"vLLM 0.33.0 at {ready.base_url}"]
    assert f"a run would take {ready.base_url}" in told.err


def test_a_list_of_models_is_cut_and_counted(capsys: Captured) -> None:
    with replayed(load("generic")) as wire:
        rows = [{"id": f"model-{n}"} for n in range(30)]
        wire.told["answers"]["GET /v1/models"]["body"]["data"] = rows
        asked("--base-url", wire.base_url)
    assert "30: model-0," in (told := " ".join(capsys.readouterr().out.split()))
    assert "model-11 and 18 more" in told


def test_json_has_every_fact(capsys: Captured) -> None:
    with replayed(load("lmstudio")) as wire:
        assert asked("--json", "--base-url", wire.base_url) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["tried"] == [wire.base_url]
    (server,) = told["servers"]
    expected = wire.told["facts"]
    assert {key: server[key] for key in expected} == expected
    assert (server["name"], server["thinking_switch"]) == ("LM Studio", "effort")


def test_the_facts_of_a_named_model_are_told(capsys: Captured) -> None:
    with replayed(load("llamacpp-router")) as wire:
        other = wire.told["facts"]["models"][0]
        assert asked("--base-url", wire.base_url, "--model", other) == 0
    told = capsys.readouterr().out
    assert f"{other} (named; not loaded)" in told
    assert "the model is not loaded yet" in told


def test_the_address_of_the_settings_is_asked_unless_all_are_wanted(
    capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ExitStack() as running:
        named = running.enter_context(replayed(load("vllm")))
        other = running.enter_context(replayed(load("generic")))
        monkeypatch.setenv("QCODE_BASE_URL", named.base_url)
        assert asked(ports=(other.port,)) == 0
        assert named.base_url in capsys.readouterr().out
        assert asked("--all", ports=(other.port,)) == 0
        assert other.base_url in capsys.readouterr().out


def test_the_model_of_the_settings_is_looked_for_at_their_address_alone(
    capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QCODE_MODEL", "everyday")
    with replayed(load("ollama")) as wire:
        assert asked("--base-url", wire.base_url) == 0
        monkeypatch.setenv("QCODE_BASE_URL", wire.base_url)
        assert asked() == 42
    assert "has no model 'everyday'" in " ".join(capsys.readouterr().out.split())


def test_a_profile_may_be_named_as_for_a_run(capsys: Captured) -> None:
    with replayed(load("llamacpp-router")) as wire:
        other = wire.told["facts"]["models"][0]
        file = make(paths().config) / "config.toml"
        text = f'[profiles.deep]\nbase_url = "{wire.base_url}"\nmodel = "{other}"\n'
        file.write_text(text)
        assert asked("--model", "deep") == 0
    assert f"{other} (named; not loaded)" in capsys.readouterr().out


def test_nothing_that_answers_is_exit_75_with_the_addresses_tried(capsys: Captured) -> None:
    first, second = closed_port(), closed_port()
    assert asked(ports=(first, second)) == 75
    told = capsys.readouterr()
    assert told.out == ""
    assert f"http://127.0.0.1:{first}/v1, http://127.0.0.1:{second}/v1" in told.err
    assert asked("--json", ports=(first,)) == 75
    tried = [f"http://127.0.0.1:{first}/v1"]
    assert json.loads(capsys.readouterr().out) == {"tried": tried, "servers": []}


def test_a_server_that_loads_is_told_and_is_to_be_tried_later(capsys: Captured) -> None:
    with replayed(load("llamacpp")) as wire:
        body = {"error": {"message": "Loading model", "type": "unavailable_error", "code": 503}}
        wire.told["answers"]["GET /props"] = {"status": 503, "body": body}
        wire.told["answers"]["GET /v1/models"] = {"status": 503, "body": body}
        assert asked(ports=(wire.port,)) == 75
    assert "loads its model" in capsys.readouterr().out


def test_a_server_without_models_is_told_by_its_kind(capsys: Captured) -> None:
    with replayed(load("transformers")) as wire:
        wire.told["answers"]["GET /v1/models"]["body"]["data"] = []
        assert asked("--base-url", wire.base_url) == 42
    told = " ".join(capsys.readouterr().out.split())
    assert told.startswith(f"transformers serve at {wire.base_url} state")
    assert "lists no models. Set `model`" in told


def test_an_address_that_is_no_server_of_models_is_said_to_be_none(capsys: Captured) -> None:
    with replayed(load("generic")) as wire:
        wire.told["answers"]["GET /v1/models"]["body"] = "<html>It works!</html>"
        assert asked("--base-url", wire.base_url) != 0
    assert "Is base_url right?" in " ".join(capsys.readouterr().out.split())


def test_a_key_that_is_refused_is_exit_41(capsys: Captured) -> None:
    with replayed(load("llamacpp")) as wire:
        body = {"error": {"message": "Invalid API Key", "type": "authentication_error"}}
        wire.told["answers"]["GET /v1/models"] = {"status": 401, "body": body}
        assert asked("--base-url", wire.base_url) == 41
    assert "Invalid API Key" in " ".join(capsys.readouterr().out.split())


def test_what_a_server_says_cannot_move_the_cursor(capsys: Captured) -> None:
    with replayed(load("generic")) as wire:
        wire.told["answers"]["GET /v1/models"]["body"]["data"] = [{"id": "\x1b[2Jm\nx"}]
        asked("--base-url", wire.base_url)
    told = capsys.readouterr().out
    assert "\x1b" not in told
    assert "  model     m (" in told


def test_a_wrong_address_is_said_to_be_one() -> None:
    with pytest.raises(UsageError, match="ftp"):
        asked("--base-url", "ftp://here")


def test_the_context_that_an_ollama_is_asked_for_is_told_as_such(
    capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QCODE_CONTEXT_TOKENS", "131072")
    with replayed(load("ollama")) as wire:
        assert asked("--base-url", wire.base_url) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert f"Ollama (/api/chat) 0.33.0 at {wire.base_url}" in told
    assert "context 131,072 tokens (from num_ctx of each request); made for 262,144" in told
    assert "reasoning sent back as thinking" in told
    assert "switch: think;" in told
