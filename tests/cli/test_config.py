"""`qcode config`: data on stdout, talk on stderr, and a line for each value's origin."""

import json
from pathlib import Path

import pytest

from qcode.assemble import Start
from qcode.cli.config import main
from qcode.cli.dispatch import dispatch
from qcode.cli.trust import main as trust
from qcode.config.load import load, sources
from qcode.config.model import keys
from qcode.config.paths import make, paths
from tests.engine.rig import rig
from tests.support.llama_words import About
from tests.support.script import Reply
from tests.support.scripted_server import ScriptedServer


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A trusted workspace with a settings file that wants too much."""
    (tmp_path / ".qcode").mkdir()
    text = '[server]\nbase_url = "http://evil/v1"\n[agent]\nverify = "make"\nthinking = "low"\n'
    (tmp_path / ".qcode" / "config.toml").write_text(text)
    monkeypatch.chdir(tmp_path)
    assert trust(["add"]) == 0
    return tmp_path


def write_user_file(text: str) -> Path:
    file = paths().config_file
    make(file.parent)
    file.write_text(text)
    return file


def test_show_says_where_each_value_came_from(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write_user_file('[server]\nbase_url = "http://u:p@127.0.0.1:1/v1"\n')
    monkeypatch.setenv("QCODE_MODEL", "qwen")
    assert main(["show"]) == 0
    out, err = capsys.readouterr()
    lines = dict(line.split(" = ", 1) for line in out.splitlines()[: len(keys())])
    assert list(lines) == list(keys())
    assert lines["server.base_url"] == f'"http://…@127.0.0.1:1/v1" # user {file}:2'
    assert lines["server.model"].split() == ['"qwen"', "#", "environment", "QCODE_MODEL"]
    assert lines["agent.thinking"].endswith(f"# project {project}/.qcode/config.toml:5")
    assert "proposes agent.verify" in out.splitlines()[len(keys())]
    assert f"{project}/.qcode/config.toml:2: a project may not set server.base_url" in err


def test_show_as_json_has_the_same(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "--json"]) == 0
    out, err = capsys.readouterr()
    found = json.loads(out)
    assert found["settings"]["agent.thinking"] == {
        "value": "low",
        "from": {"kind": "project", "name": f"{project}/.qcode/config.toml", "line": 5},
    }
    assert found["proposed_verify"]["value"] == "make"
    assert len(found["notices"]) == 1
    assert not err


def test_show_says_what_does_not_count_and_why(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert trust(["forget"]) == 0
    capsys.readouterr()
    assert main(["show"]) == 0
    out, err = capsys.readouterr()
    file = f"{project}/.qcode/config.toml"
    why = "does not count: you have not trusted this folder."
    assert f'# agent.thinking = "low" of project {file}:5 {why}' in out
    assert f'# agent.verify = "make" of project {file}:4 {why}' in out
    assert f"{file} does not count, since you have not trusted this folder." in err
    assert main(["show", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["settings"]["agent.thinking"]["from"]["kind"] == "default"
    assert found["proposed_verify"] is None
    assert found["project"]["trust"] == "untrusted"
    assert found["project"]["withheld"]["agent.thinking"]["value"] == "low"


def test_get_takes_nothing_from_a_project_that_is_not_trusted(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["get", "agent.thinking"]) == 0
    assert trust(["forget"]) == 0
    capsys.readouterr()
    assert main(["get", "agent.thinking"]) == 0
    assert capsys.readouterr().out == "medium\n"


def request_of(out: str) -> dict[str, tuple[str, str]]:
    """Field -> value and source, of what stands below the headline."""
    rows = out.partition("# What would be sent to ")[2].splitlines()[1:]
    pairs = [row.split(" = ", 1) for row in rows if not row.startswith("#")]
    cut = {name: rest.rsplit(" # ", 1) for name, rest in pairs}
    return {name: (value.strip(), source) for name, (value, source) in cut.items()}


def test_show_ends_with_the_request_and_the_source_of_each_field(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    file = write_user_file(
        '[agent]\nthinking = 512\n[models."qwen3.6*"]\ntop_p = 0.5\nmax_tokens = 4096\n'
    )
    assert main(["show", "--model", "qwen3.6:35b"]) == 0
    found = request_of(capsys.readouterr().out)
    assert found["model"] == ('"qwen3.6:35b"', "server.model, flag --model")
    assert found["temperature"] == ("0.6", "model card of Qwen3.6-35B-A3B")
    assert found["top_p"] == ("0.5", f"models.qwen3.6*.top_p, user {file}:4")
    assert found["max_tokens"] == ("4096", f"models.qwen3.6*.max_tokens, user {file}:5")
    value, source = found["thinking_budget_tokens"]
    assert (value, f"agent.thinking, user {file}:2" in source) == ("512", True)
    assert found["cache_prompt"][1].startswith("server row: llama.cpp")


def test_show_has_the_words_of_the_kind_that_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["show", "--kind", "ollama", "--model", "gpt-oss:20b", "--json"]) == 0
    request = json.loads(capsys.readouterr().out)["request"]
    assert (request["kind"], request["family"], request["unsaid"]) == ("ollama", "gpt-oss", "")
    assert request["fields"]["reasoning_effort"]["value"] == "medium"
    assert "top_k" not in request["fields"]
    assert main(["show", "--kind", "transformers", "--model", "qwen3.6:27b"]) == 0
    out = capsys.readouterr().out
    assert out.endswith("# transformers serve takes no top_k: its own values hold.\n")
    assert dispatch(["config", "show", "--kind", "nobody"]) != 0


def test_show_says_when_no_model_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["show"]) == 0
    out = capsys.readouterr().out
    assert "a model that is not named (--model NAME shows another), family generic" in out
    assert request_of(out)["model"] == ('""', "server.model, default")


async def test_what_show_shows_is_what_is_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    write_user_file('[agent]\nthinking = "low"\n[models."qwen"]\ntop_k = 7\n')
    about = About(kind="llamacpp", model="qwen3.6-35b", style="3.6", context_tokens=262_144)
    with ScriptedServer(Reply("Hello."), about=about) as server:
        sources_here = sources({"server.base_url": ("--base-url", server.base_url)})
        config = load(sources_here).config
        async with rig(config, Start(tmp_path)) as run:
            await run.turn("Hello")
        server.check()
    body = dict(server.requests[-1].body)
    assert main(["show", "--json", "--model", "qwen3.6-35b"]) == 0
    shown = json.loads(capsys.readouterr().out)["request"]["fields"]
    del body["messages"], body["tools"], body["stream"]
    assert {name: one["value"] for name, one in shown.items()} == body


async def test_what_show_shows_is_what_an_ollama_is_sent_that_is_asked_for_a_context(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    write_user_file('[models."qwen"]\ncontext_tokens = 65536\ntop_k = 7\n')
    about = About(kind="ollama", model="qwen3.6:35b", context_tokens=4_096)
    with ScriptedServer(Reply("Hello."), about=about) as server:
        sources_here = sources({"server.base_url": ("--base-url", server.base_url)})
        async with rig(load(sources_here).config, Start(tmp_path)) as run:
            await run.turn("Hello")
        server.check()
    body = dict(server.requests[-1].body)
    assert main(["show", "--json", "--kind", "ollama", "--model", "qwen3.6:35b"]) == 0
    request = json.loads(capsys.readouterr().out)["request"]
    shown = {name: one["value"] for name, one in request["fields"].items()}
    options = {f"options.{name}": value for name, value in body.pop("options").items()}
    del body["messages"], body["tools"], body["stream"]
    assert request["kind"] == "ollama-chat"
    assert shown == body | options
    assert (shown["options.num_ctx"], shown["options.top_k"]) == (65_536, 7)
    assert "qwen" in json.dumps(request["fields"]["options.num_ctx"]["from"])


def test_what_was_said_for_this_run_is_shown_over_what_is_said_of_a_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    write_user_file(
        '[profiles.deep]\nmodel = "qwen3.6:35b"\nthinking = 500\n'
        '[models."qwen3.6*"]\nthinking = 700\nmax_tokens = 4096\n'
    )
    assert main(["show", "--model", "deep"]) == 0
    found = request_of(capsys.readouterr().out)
    value, source = found["thinking_budget_tokens"]
    assert (value, "agent.thinking, profile deep" in source) == ("500", True)
    monkeypatch.setenv("QCODE_MAX_TOKENS", "2048")
    assert main(["show", "--model", "qwen3.6:35b"]) == 0
    found = request_of(capsys.readouterr().out)
    assert found["max_tokens"] == ("2048", "agent.max_tokens, environment QCODE_MAX_TOKENS")
    assert found["thinking_budget_tokens"][0] == "700"


def test_get_prints_one_value(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["get", "agent.thinking"]) == 0
    assert main(["get", "--json", "permission.allow"]) == 0
    assert capsys.readouterr().out == "low\n[]\n"


def test_get_takes_a_key_as_show_spells_it(capsys: pytest.CaptureFixture[str]) -> None:
    write_user_file('[models."qwen3.6*"]\ntop_k = 7\n')
    assert main(["get", 'models."qwen3.6*".top_k']) == 0
    assert main(["get", "models.qwen3.6*.top_k"]) == 0
    assert capsys.readouterr().out == "7\n7\n"


def test_get_of_an_unknown_key_names_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert dispatch(["config", "get", "server.url"]) == 42
    assert "Did you mean server.base_url?" in capsys.readouterr().err


def test_path_prints_the_settings_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["path"]) == 0
    out, err = capsys.readouterr()
    assert out == f"{paths().config_file}\n"
    assert "does not exist yet" in err


def test_a_broken_settings_file_ends_with_52(capsys: pytest.CaptureFixture[str]) -> None:
    file = write_user_file("[server\n")
    assert dispatch(["config", "show"]) == 52
    out, err = capsys.readouterr()
    assert not out
    assert err.startswith(f"qcode: {file}:1: not valid TOML")
