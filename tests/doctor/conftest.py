"""llama.cpp with a fault, for the tests here; without it they skip."""

import importlib.util
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def llama_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the tiny models are written, once; logs of servers too."""
    if not importlib.util.find_spec("xllamacpp"):
        pytest.skip("llama.cpp is not installed: pip install xllamacpp")
    return tmp_path_factory.mktemp("doctor")
