"""A command line in an empty folder, and servers for it."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.host import Host
from tests.e2e.rig import LLAMA, Cli
from tests.support.llama_words import About
from tests.support.script import Answer
from tests.support.scripted_server import ScriptedServer, StartScripted

if sys.platform == "win32":  # no signals, no limits, no bash: there it runs inside WSL
    collect_ignore_glob = ["test_*.py"]


@pytest.fixture
def cli(tmp_path: Path) -> Iterator[Cli]:
    """qcode in an empty folder, without a server. What it leaves in TMPDIR fails the test."""
    folder, temporary = tmp_path / "project", tmp_path / "temporary"
    folder.mkdir()
    temporary.mkdir()
    made = Cli(folder, {**os.environ, "TMPDIR": str(temporary)})
    yield made
    left = [path.name for path in temporary.iterdir()]
    assert made.was_killed or not left, f"left behind: {left}"


@pytest.fixture
def serve(cli: Cli, scripted: StartScripted) -> Callable[..., ScriptedServer]:
    """Starts a scripted llama.cpp that `cli` talks to."""

    def start(*replies: Answer, about: About = LLAMA) -> ScriptedServer:
        server = scripted(*replies, about=about)
        cli.url = server.base_url
        return server

    return start


@pytest.fixture
def drive(cli: Cli) -> Iterator[Callable[..., Host]]:
    """Starts hosts; ends what they leave."""
    hosts: list[Host] = []

    def started(*argv: str) -> Host:
        hosts.append(Host(cli, *argv))
        return hosts[-1]

    yield started
    for host in hosts:
        host.process.kill()
        host.process.wait()


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
