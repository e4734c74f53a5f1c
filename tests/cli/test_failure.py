"""How the end of a process is told when something went wrong."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from qcode.cli.failure import told
from qcode.config.paths import paths
from qcode.protocol.errors import ConfigError

JSON = ["-p", "x", "--output-format=json"]


def crash(words: str) -> RuntimeError:
    """A defect, with a place."""
    try:
        raise RuntimeError(words)
    except RuntimeError as error:
        return error


def test_a_crash_is_a_sentence_and_the_traceback_is_in_the_log_file(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert told(crash("the moon is full"), ["-p", "x"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert "crashed at test_failure.py:" in err
    assert str(paths().log_file) in err
    assert "Traceback" in paths().log_file.read_text()


def test_no_secret_stands_in_a_crash(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOME_TOKEN", "plain-words-0123456789")
    told(crash("sk-0123456789abcdef and http://me:hidden@host/"), JSON)
    out, err = capsys.readouterr()
    said = out + err + paths().log_file.read_text()
    assert "sk-0123456789abcdef" not in said
    assert "hidden" not in said


def test_a_crash_without_a_place_for_a_log_is_still_told(
    capsys: pytest.CaptureFixture[str], home: Path
) -> None:
    (home / "qcode").touch()
    assert told(crash("the moon is full"), JSON) == 1
    out, err = capsys.readouterr()
    assert "the moon is full" in err
    assert json.loads(out)["is_error"] is True


@pytest.mark.parametrize("argv", [["-p", "x", "--output-format", "json"], JSON])
def test_who_asked_for_json_gets_it(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert told(ConfigError("x.toml:3: broken."), argv) == 52
    out, err = capsys.readouterr()
    assert err == "qcode: x.toml:3: broken.\n"
    assert json.loads(out)["errors"] == ["x.toml:3: broken."]


@pytest.mark.parametrize(
    "argv", [[], ["-p", "x", "--output-format", "text"], ["-p", "json", "--output-format"]]
)
def test_nobody_else_does(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert told(ConfigError("x.toml:3: broken."), argv) == 52
    assert capsys.readouterr() == ("", "qcode: x.toml:3: broken.\n")


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [(KeyboardInterrupt(), 130, "Interrupted"), (SystemExit(143), 143, "Terminated")],
)
def test_signals_before_a_turn_have_their_codes(
    error: BaseException, code: int, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert told(error, JSON) == code
    out, err = capsys.readouterr()
    assert words in err
    assert json.loads(out)["qcode"]["exit_code"] == code


INTERRUPTED = """
import os, signal, sys
class AtTasks:
    def find_spec(self, name, path=None, target=None):
        if name == "asyncio.tasks":
            sys.meta_path.remove(self)
            os.kill(os.getpid(), signal.NUMBER)
sys.meta_path.insert(0, AtTasks())
from qcode.cli.dispatch import dispatch
sys.exit(dispatch(["-p", "x", "--base-url", "http://127.0.0.1:9/v1", "--no-session"]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="it has no such signals")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_while_asyncio_is_imported_has_its_code(
    number: signal.Signals, code: int, tmp_path: Path
) -> None:
    script = f"import sys; sys.path[:] = {sys.path!r}\n" + INTERRUPTED.replace(
        "NUMBER", number.name
    )
    done = subprocess.run((sys.executable, "-I", "-c", script), capture_output=True, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (code, b"")
    assert done.stderr.count(b"\n") == 1
    assert b"Traceback" not in done.stderr
