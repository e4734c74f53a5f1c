"""`qcode --gguf` as an app: the prompt is there at once, and the engine comes behind it."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from qcode.config.paths import paths
from tests.e2e.rig import Cli
from tests.support import fake_llama
from tests.support.llama import make_model
from tests.support.served import PATIENCE_SECONDS, none_left, ours, until

if sys.platform == "win32":
    pytest.skip("no pseudo terminals there", allow_module_level=True)

from tests.support.terminal import Terminal

pytestmark = pytest.mark.llamacpp

WORDS = ("--tools", "", "--permission-mode", "plan", "--loops", "off")
"""The tiny model talks at random, and does nothing else."""


def configure(text: str) -> None:
    """In `[serve]`."""
    file = paths().config_file
    file.parent.mkdir(parents=True)
    file.write_text(f"[serve]\n{text}\n")


@pytest.fixture
def model(tmp_path: Path, home: Path) -> Iterator[str]:
    """The tiny model; what serves it is ended, and leaves nothing."""
    configure('flags = ["--threads 1", "--threads-batch 1"]')
    with none_left(home):
        yield str(make_model(tmp_path, "3.5"))


@pytest.fixture
def slow(tmp_path: Path, home: Path) -> Iterator[str]:
    """A model that is never done with loading."""
    program = fake_llama.write(tmp_path / "llama-server", slow=600.0)
    configure(f'binary = "{program}"')
    with none_left(home):
        yield str(make_model(tmp_path, "3.5"))


@contextmanager
def app(cli: Cli, *words: str) -> Iterator[Terminal]:
    """In a terminal."""
    line = cli.line(*words)
    with Terminal(line, cwd=cli.folder, env=cli.environ, size=(100, 30)) as terminal:
        yield terminal


def served(cli: Cli) -> list[dict[str, Any]]:
    """What runs now."""
    found: list[dict[str, Any]] = json.loads(cli.run("serve", "--status", "--json").out)
    return found


def test_what_is_typed_while_it_starts_is_answered_then(cli: Cli, model: str) -> None:
    with app(cli, "--gguf", model, *WORDS) as terminal:
        terminal.wait_for("❯", PATIENCE_SECONDS)
        terminal.type("hello there\r")
        terminal.wait_for("hello there", PATIENCE_SECONDS)
        terminal.wait_for("loading model", PATIENCE_SECONDS)
        assert "tok/s" not in terminal.text
        terminal.wait_for("tok/s", PATIENCE_SECONDS)  # what it says scrolls the rest away
        assert [one["users"] for one in served(cli)] == [1]
        terminal.type("\x03")
        terminal.wait_until(lambda seen: "Esc" not in seen.rows[-1], PATIENCE_SECONDS)


def test_a_prompt_of_the_command_line_is_seen_and_waits_too(cli: Cli, slow: str) -> None:
    with app(cli, "--gguf", slow, "what is this") as terminal:
        terminal.wait_for("loading model 2 s", PATIENCE_SECONDS)
        terminal.wait_for("what is this", PATIENCE_SECONDS)
        terminal.type("\x03")
        terminal.wait_for("not waited for any longer", PATIENCE_SECONDS)
        terminal.type("\x11")
        assert terminal.wait(PATIENCE_SECONDS) == 0


def test_ctrl_c_ends_the_wait_and_the_engine_and_says_what_can_be_done(
    cli: Cli, slow: str, home: Path
) -> None:
    with app(cli, "--gguf", slow) as terminal:
        terminal.wait_for("loading model 1 s", PATIENCE_SECONDS)
        assert ours(home)
        terminal.type("a draft")
        terminal.type("\x03")
        terminal.wait_for("No server answers yet", PATIENCE_SECONDS)
        terminal.wait_for("serve a model file", PATIENCE_SECONDS)
        terminal.wait_for("a draft", PATIENCE_SECONDS)
        until(lambda: not ours(home))
        terminal.settle(2.0)
        terminal.type("r")
        terminal.wait_for("loading model 1 s", PATIENCE_SECONDS)
        terminal.type("\x03")
        terminal.wait_for("No server answers yet", PATIENCE_SECONDS)
        terminal.settle(2.0)
        terminal.type("q")
        assert terminal.wait(PATIENCE_SECONDS) == 0
    until(lambda: not ours(home))


@pytest.mark.parametrize("leaving", ["a key", "a signal", "the terminal"])
def test_leaving_while_it_loads_leaves_no_engine(
    cli: Cli, slow: str, home: Path, leaving: str
) -> None:
    with app(cli, "--gguf", slow) as terminal:
        terminal.wait_for("loading model 1 s", PATIENCE_SECONDS)
        if leaving == "a key":
            terminal.type("\x11")
        elif leaving == "a signal":
            terminal.process.send_signal(signal.SIGTERM)
        else:
            terminal.process.send_signal(signal.SIGHUP)
        code = terminal.wait(PATIENCE_SECONDS)
        assert (code == 0) == (leaving == "a key")
    until(lambda: not ours(home))


def test_what_is_no_model_is_told_where_something_can_be_done_about_it(
    cli: Cli, model: str, home: Path
) -> None:
    bad = cli.folder / "bad.gguf"
    bad.write_text("words")
    with app(cli, "--gguf", str(bad)) as terminal:
        terminal.wait_for("The session cannot begin yet", PATIENCE_SECONDS)
        words = "is no GGUF file. qcode serve runs"  # which the width breaks somewhere
        terminal.wait_until(lambda seen: words in " ".join(seen.text.split()), PATIENCE_SECONDS)
        assert not ours(home)
        terminal.settle(2.0)
        terminal.type("q")
        assert terminal.wait(PATIENCE_SECONDS) == 0


def test_the_last_words_of_an_engine_that_dies_are_told(
    cli: Cli, tmp_path: Path, home: Path
) -> None:
    program = fake_llama.write(tmp_path / "llama-server", dies="error: no such tensor")
    configure(f'binary = "{program}"')
    with none_left(home), app(cli, "--gguf", str(make_model(tmp_path, "3.5"))) as terminal:
        terminal.wait_for("No server answers yet", PATIENCE_SECONDS)
        terminal.wait_for("no such tensor", PATIENCE_SECONDS)
        terminal.type("\x11")
        assert terminal.wait(PATIENCE_SECONDS) == 0


def test_one_that_is_loading_for_somebody_else_is_waited_for_and_left_alone(
    cli: Cli, slow: str
) -> None:
    cli.url = ""
    cli.environ.pop("QCODE_BASE_URL", None)
    other = subprocess.Popen(
        cli.line("serve", slow),
        cwd=cli.folder,
        env=cli.environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        until(lambda: [one["users"] for one in served(cli)] == [1])
        with app(cli, *WORDS) as terminal:
            terminal.wait_for("loading model 1 s", PATIENCE_SECONDS)
            terminal.type("\x03")
            terminal.wait_for("No server answers yet", PATIENCE_SECONDS)
            until(lambda: [one["users"] for one in served(cli)] == [1])
            terminal.type("\x11")
            assert terminal.wait(PATIENCE_SECONDS) == 0
    finally:
        other.send_signal(signal.SIGINT)
        other.wait(PATIENCE_SECONDS)
