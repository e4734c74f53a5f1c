"""The command line and the servers of `tests/e2e`, and one that always answers."""

import sys
from collections.abc import Callable, Iterator

import pytest

from tests.e2e.conftest import cli, serve, small_disk
from tests.e2e.rig import LLAMA, Cli
from tests.support.script import Answer, Body, Reply
from tests.support.scripted_server import ScriptedServer

__all__ = ["cli", "serve", "small_disk"]

if sys.platform != "linux":  # /proc tells what is left, and how much memory it took
    collect_ignore_glob = ["test_*.py"]


@pytest.fixture
def always(cli: Cli) -> Iterator[Callable[[Answer], ScriptedServer]]:
    """A server that gives this one answer, however often it is asked."""
    servers: list[ScriptedServer] = []

    def start(answer: Answer) -> ScriptedServer:
        def reply(body: Body) -> Reply:
            return answer if isinstance(answer, Reply) else answer(body)

        servers.append(ScriptedServer(about=LLAMA, otherwise=reply).start())
        cli.url = servers[-1].base_url
        return servers[-1]

    yield start
    for server in servers:
        server.close()
