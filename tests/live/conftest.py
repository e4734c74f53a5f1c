"""A real llama.cpp server for the tests here, started once a session. Without it they skip."""

import importlib.util
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.llama import LlamaServer, Options, StartLlama, Thinks, make_model
from tests.support.render import Style


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder for model files and server logs."""
    if not importlib.util.find_spec("xllamacpp"):
        pytest.skip("llama.cpp is not installed: pip install xllamacpp")
    return tmp_path_factory.mktemp("llama")


@pytest.fixture(scope="session")
def llama(models: Path) -> Iterator[LlamaServer]:
    """llama.cpp with a template of the 3.5 style: one slot of 65,536 tokens."""
    with LlamaServer(Options(str(make_model(models, "3.5"))), models / "3.5.log") as server:
        yield server


@pytest.fixture(scope="session")
def llama36(models: Path) -> Iterator[LlamaServer]:
    """The same with a template of the 3.6 style, which can keep earlier reasoning."""
    with LlamaServer(Options(str(make_model(models, "3.6"))), models / "3.6.log") as server:
        yield server


@pytest.fixture
def start_llama(models: Path, tmp_path: Path) -> Iterator[StartLlama]:
    """Servers of a test's own, to kill or to fill; all ended with the test."""
    started: list[LlamaServer] = []

    def start(
        style: Style = "3.5", *, n_ctx_checkpoints: int = 32, thinks: Thinks = "a while"
    ) -> LlamaServer:
        model = str(make_model(models, style, thinks))
        options = Options(model, n_ctx_checkpoints=n_ctx_checkpoints)
        started.append(LlamaServer(options, tmp_path / f"llama-{len(started)}.log"))
        return started[-1]

    yield start
    for server in started:
        server.close()
