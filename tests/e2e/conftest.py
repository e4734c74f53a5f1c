"""A command line in an empty folder, and servers for it."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.rig import LLAMA, Cli
from tests.support.script import Answer
from tests.support.scripted_server import ScriptedServer, StartScripted


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    """qcode in an empty folder, without a server."""
    folder = tmp_path / "project"
    folder.mkdir()
    return Cli(folder)


@pytest.fixture
def serve(cli: Cli, scripted: StartScripted) -> Callable[..., ScriptedServer]:
    """Starts a scripted llama.cpp that `cli` talks to."""

    def start(*replies: Answer) -> ScriptedServer:
        server = scripted(*replies, about=LLAMA)
        cli.url = server.base_url
        return server

    return start


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 64 KiB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    line = ["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(disk)]
    try:
        subprocess.run(line, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("only root may mount a small disk, and only on Linux")
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)
