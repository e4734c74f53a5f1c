"""A runner whose processes are all ended after the test."""

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from qcode.sandbox.base import Command
from qcode.sandbox.plain import PlainRunner
from tests.sandbox.processes import Strays

MakeCommand = Callable[..., Command]


@pytest.fixture
async def runner(tmp_path: Path) -> AsyncIterator[PlainRunner]:
    it = PlainRunner(tmp_path / "spill")
    yield it
    await it.close()


@pytest.fixture
def command(tmp_path: Path) -> MakeCommand:
    folder = tmp_path / "root"
    folder.mkdir()

    def make(line: str, timeout_seconds: float = 30) -> Command:
        return Command(line, folder, timeout_seconds)

    return make


@pytest.fixture
def strays(tmp_path: Path) -> Iterator[Strays]:
    it = Strays(tmp_path / "strays")
    it.path.touch()
    yield it
    it.kill()
