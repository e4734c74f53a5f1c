"""The first start, in a terminal: no server, but a model's file on this machine."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from qcode.config.paths import paths
from tests.e2e.rig import Cli
from tests.support.llama import make_model
from tests.support.served import PATIENCE_SECONDS, none_left, until

if sys.platform == "win32":
    pytest.skip("no pseudo terminals there", allow_module_level=True)

from tests.support.terminal import Terminal

pytestmark = pytest.mark.llamacpp

SETTINGS = """\
[server]
base_url = "http://127.0.0.1:9/v1"
[serve]
flags = ["--threads 1", "--threads-batch 1"]
"""
"""Nobody is at that address; two threads on busy cores wait for each other."""


@pytest.fixture
def model(tmp_path: Path, home: Path) -> Iterator[Path]:
    """The tiny model; what serves it is ended, and leaves nothing."""
    file = paths().config_file
    file.parent.mkdir(parents=True)
    file.write_text(SETTINGS)
    (tmp_path / "models").mkdir()
    with none_left(home):
        yield make_model(tmp_path / "models", "3.5")


def users(cli: Cli) -> list[int]:
    """Of the servers that run."""
    return [one["users"] for one in json.loads(cli.run("serve", "--status", "--json").out)]


def test_without_a_server_a_model_is_found_and_served(cli: Cli, model: Path) -> None:
    environ = {**cli.environ, "HF_HUB_CACHE": str(model.parent), "HOME": str(model.parent)}
    words = ("--tools", "", "--permission-mode", "plan", "--loops", "off")
    with Terminal(cli.line(*words), cwd=cli.folder, env=environ, size=(100, 30)) as terminal:
        terminal.wait_for("serve a model file", PATIENCE_SECONDS)
        terminal.settle(2.0)  # a key too soon is no answer
        terminal.type("m")
        terminal.wait_for("found on this machine", PATIENCE_SECONDS)
        terminal.wait_for("MiB", PATIENCE_SECONDS)
        terminal.type("\r")
        terminal.wait_for("is served by qcode itself", PATIENCE_SECONDS)
        terminal.wait_for(f"{model.stem} answers", PATIENCE_SECONDS)
        assert users(cli) == [1]
        terminal.type("/new")
        terminal.settle(1.0)
        terminal.type("\r")
        terminal.wait_for(f"{model.stem} answers", PATIENCE_SECONDS)
        terminal.type("\x04")
        assert terminal.wait(PATIENCE_SECONDS) == 0
    until(lambda: users(cli) == [0])
