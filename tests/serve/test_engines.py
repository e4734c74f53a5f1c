"""Which engine is taken: real programs on a PATH of the test's own."""

import os
import sys
from pathlib import Path

import pytest

from qcode.protocol.errors import ConfigError
from qcode.serve.base import Gpu, Machine
from qcode.serve.boot import environment, start_of
from qcode.serve.engines import find, of_binary, uses
from tests.support import fake_llama

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there it runs inside WSL")

MACHINE = Machine("linux", "A processor", 8, 64 << 30, 48 << 30)
DEVICES = """\
ggml_cuda_init: found 1 CUDA devices:
Available devices:
  CUDA0: NVIDIA GeForce RTX 4090 (24111 MiB, 23689 MiB free)
  Vulkan0: NVIDIA GeForce RTX 4090 (24564 MiB, 24100 MiB free)
"""


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, the only one on the PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def test_a_llama_server_on_the_path_comes_first(programs: Path) -> None:
    binary = fake_llama.write(programs / "llama-server", devices=DEVICES)
    found = find(MACHINE)
    assert (found.backend, found.path, found.build) == ("llama-server", str(binary), 11549)
    assert found.uses == ("cuda", "vulkan")


def test_the_one_program_of_newer_builds_is_told_to_serve(programs: Path) -> None:
    binary = fake_llama.write(programs / "llama", version="b10217-ddd4ec142")
    found = find(MACHINE)
    assert (found.build, start_of(found.path)) == (10217, (str(binary), "serve"))


def test_the_named_binary_beats_the_path(programs: Path, tmp_path: Path) -> None:
    fake_llama.write(programs / "llama-server")
    own = fake_llama.write(tmp_path / "own" / "my-llama", version="version: 9999 (abc)")
    assert find(MACHINE, str(own)).build == 9999


def test_without_one_the_package_serves_on_the_processor(programs: Path) -> None:
    found = find(MACHINE)
    assert found.backend == "xllamacpp"
    assert found.build >= 11000
    assert found.uses == ()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the wheel may use a GPU")
def test_the_package_is_asked_what_it_uses_where_there_is_a_gpu(programs: Path) -> None:
    machine = Machine("linux", "A processor", 8, 1, 1, (Gpu("RTX", "nvidia", 1, 1),))
    assert find(machine).uses == ()


def test_a_package_for_a_mac_computes_with_metal(programs: Path) -> None:
    machine = Machine("macos", "Apple M4", 8, 64 << 30, 48 << 30)
    assert find(machine).uses == ("metal",)


def test_a_name_that_is_no_program_is_told_with_its_setting(programs: Path) -> None:
    with pytest.raises(ConfigError, match=r"serve\.binary is '/none/llama'"):
        find(MACHINE, "/none/llama")


def test_a_program_that_does_not_start_is_told_with_its_last_words(programs: Path) -> None:
    broken = programs / "llama-server"
    broken.write_text("#!/bin/sh\necho 'libcudart.so.13: not found' >&2\nexit 127\n")
    broken.chmod(0o755)
    with pytest.raises(ConfigError, match=r"exit code 127: libcudart\.so\.13: not found"):
        find(MACHINE)


def test_windows_is_sent_to_wsl() -> None:
    with pytest.raises(ConfigError, match="use WSL"):
        find(Machine("windows", "", 8, 1, 1))


@pytest.mark.parametrize(
    ("version", "build"),
    [
        ("version: 6115 (c8d0d14e)\nbuilt with cc 13 for x86_64-linux-gnu", 6115),
        ("version: 0.1.0-dev (build 10434, commit 7e4c0a9)", 10434),
        ("version: 0.1.0-dev (build 1, commit 7e4c0a9)\nbuilt with GNU 11.4.0", 0),
        ("b10217-ddd4ec142", 10217),
        ("built from source", 0),
    ],
)
def test_the_build_is_read_in_each_of_its_spellings(
    programs: Path, version: str, build: int
) -> None:
    binary = fake_llama.write(programs / "llama-server", version=version)
    assert of_binary(str(binary)).build == build


@pytest.mark.parametrize(
    ("devices", "wanted"),
    [
        (["CUDA0", "CUDA1"], ("cuda",)),
        (["ROCm0"], ("rocm",)),
        (["MTL0"], ("metal",)),
        (["CPU", "BLAS"], ()),
    ],
)
def test_devices_are_told_by_their_names(devices: list[str], wanted: tuple[str, ...]) -> None:
    assert uses(devices) == wanted


def test_an_engine_gets_no_key_and_no_second_word(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("QCODE_API_KEY", "OPENAI_API_KEY", "LLAMA_API_KEY", "LLAMA_ARG_HOST"):
        monkeypatch.setenv(name, "secret")
    assert "secret" not in environment().values()
    assert environment()["PATH"] == os.environ["PATH"]
