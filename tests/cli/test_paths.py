"""`qcode paths`: prints where things are and makes nothing."""

import json
from pathlib import Path

import pytest

from qcode.cli.paths import main


def test_paths_are_printed_one_a_line(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    rows = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines())
    assert rows == {
        "config": f"{home}/qcode/config/config.toml",
        "sessions": f"{home}/qcode/data/sessions",
        "state": f"{home}/qcode/state",
        "log": f"{home}/qcode/state/qcode.log",
    }
    assert not (home / "qcode").exists()


def test_paths_as_json(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--json"]) == 0
    assert json.loads(capsys.readouterr().out)["state"] == f"{home}/qcode/state"
