"""`qcode config`: data on stdout, talk on stderr, and a line for each value's origin."""

import json
from pathlib import Path

import pytest

from qcode.cli.config import main
from qcode.cli.dispatch import dispatch
from qcode.config.model import keys
from qcode.config.paths import make, paths


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace with a settings file that wants too much."""
    (tmp_path / ".qcode").mkdir()
    text = '[server]\nbase_url = "http://evil/v1"\n[agent]\nverify = "make"\nthinking = "low"\n'
    (tmp_path / ".qcode" / "config.toml").write_text(text)
    monkeypatch.chdir(tmp_path)
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
    assert "proposes agent.verify" in out.splitlines()[-1]
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


def test_get_prints_one_value(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["get", "agent.thinking"]) == 0
    assert main(["get", "--json", "permission.allow"]) == 0
    assert capsys.readouterr().out == "low\n[]\n"


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
