"""`qcode sandbox`: what holds here is said, and a command runs inside."""

import json
from pathlib import Path

import pytest

from qcode.cli.sandbox import main
from qcode.protocol.errors import InputError
from qcode.sandbox.promises import PROMISES
from tests.sandbox.fences import why_not

fenced = pytest.mark.skipif(bool(why_not()), reason=why_not() or "a fence holds")


@fenced
@pytest.mark.parametrize("columns", [80, 200])
def test_the_table_has_every_promise(
    home: Path, columns: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    assert main(["check"]) == 0
    rows = capsys.readouterr().out.splitlines()
    assert max(map(len, rows)) <= columns
    assert rows[-1] == "Commands get namespaces."
    assert rows[0].split()[:2] == ["promise", "namespaces"]
    column = rows[0].index("namespaces")
    told = [row for row in rows[1:] if row[column:].startswith("held")]
    assert len(told) == len(PROMISES)
    words = " ".join(" ".join(row[:column] for row in rows[1:]).split())
    assert all(promise in words for promise in PROMISES.values())


@fenced
def test_the_table_as_json(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["fence"] == "namespaces"
    assert {row["id"] for row in found["promises"]} == set(PROMISES)
    assert all(row["fences"]["namespaces"] == "held" for row in found["promises"])


@fenced
@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--", "sh", "-c", 'echo "$1"; exit 3', "sh", "a b"], 3, "a b\n"),
        (["--", "echo one && echo two"], 0, "one\ntwo\n"),
        (["--", "kill -9 $$"], 137, ""),
        (["--", "echo x >/usr/new || echo no"], 0, "no\n"),
    ],
)
def test_a_command_runs_inside(
    home: Path, capfd: pytest.CaptureFixture[str], words: list[str], code: int, said: str
) -> None:
    assert main(["run", *words]) == code
    assert capfd.readouterr().out == said


def test_without_a_command_it_says_what_is_missing(home: Path) -> None:
    with pytest.raises(InputError, match="qcode sandbox run -- CMD"):
        main(["run", "--"])
