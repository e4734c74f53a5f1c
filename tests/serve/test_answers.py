"""What a program told is kept as long as it is the same program. Real programs, really started."""

import os
import shutil
import sys
from functools import partial
from pathlib import Path

import pytest

from qcode.protocol.errors import ConfigError
from qcode.serve.answers import FILE, identity_of, kept
from qcode.serve.base import Gpu, Machine
from qcode.serve.engines import find, of_binary
from tests.support import fake_llama

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="a program with bytes behind its end starts on Linux alone"
)

SIZE = 1 << 20
MACHINE = Machine("linux", "A processor", 8, 1, 1)


def become(program: Path, command: str) -> None:
    """Put a program of the system in its place: as long, as old, and another one."""
    found = shutil.which(command)
    assert found
    data = Path(found).read_bytes()
    assert len(data) < SIZE
    about = program.stat() if program.exists() else None
    program.write_bytes(data.ljust(SIZE, b"\0"))
    program.chmod(0o755)
    if about:
        os.utime(program, ns=(about.st_atime_ns, about.st_mtime_ns))


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """`true`, which answers all questions with exit code 0, under the name of llama.cpp's."""
    if os.path.realpath(shutil.which("true") or "") == os.path.realpath(
        shutil.which("false") or ""
    ):
        pytest.skip("one program for many names is none that can be copied")
    folder = tmp_path / "bin"
    folder.mkdir()
    become(folder / "llama-server", "true")
    return folder / "llama-server"


@pytest.fixture
def memory(tmp_path: Path) -> Path:
    """An empty folder."""
    folder = tmp_path / "memory"
    folder.mkdir()
    return folder


def asked(program: Path, memory: Path) -> list[str]:
    """Questions that are asked when three are to be answered twice."""
    heard: list[str] = []

    def answer(question: str) -> str:
        heard.append(question)
        return question.upper()

    for question in ("a", "b", "c") * 2:
        told = kept(memory, str(program), question, partial(answer, question))
        assert told == question.upper()
    return heard


def test_each_question_is_asked_once(program: Path, memory: Path) -> None:
    assert asked(program, memory) == ["a", "b", "c"]
    assert asked(program, memory) == []


def test_a_newer_program_is_asked_again(program: Path, memory: Path) -> None:
    asked(program, memory)
    os.utime(program, ns=(0, program.stat().st_mtime_ns + 1))
    assert asked(program, memory) == ["a", "b", "c"]


def test_a_library_that_came_beside_it_is_noticed(program: Path, memory: Path) -> None:
    asked(program, memory)
    before = program.parent.stat().st_mtime_ns
    (program.parent / "libggml-cuda.so").touch()
    os.utime(program.parent, ns=(0, before + 1))  # the clock of a file system may be a coarse one
    assert asked(program, memory) == ["a", "b", "c"]


def test_a_script_or_a_shim_is_asked_each_time(program: Path, memory: Path) -> None:
    script = fake_llama.write(program.with_name("llama-script"))
    shim = program.with_name("shim")
    program.rename(shim)
    program.symlink_to(shim)
    for one in (script, program):
        assert identity_of(str(one)) == ""
        assert asked(one, memory) == ["a", "b", "c"] * 2


def test_no_answer_is_asked_for_again(program: Path, memory: Path) -> None:
    assert kept(memory, str(program), "a", lambda: "") == ""
    assert kept(memory, str(program), "a", lambda: "yes") == "yes"


def test_a_broken_or_missing_memory_is_only_slow(program: Path, memory: Path) -> None:
    (memory / FILE).write_text("[")
    assert asked(program, memory) == ["a", "b", "c"]
    assert asked(program, memory / "none") == ["a", "b", "c"] * 2


def test_programs_that_are_gone_are_forgotten(program: Path, memory: Path) -> None:
    other = Path(shutil.copy(program, program.with_name("llama-other")))
    asked(other, memory)
    other.unlink()
    asked(program, memory)
    assert b"llama-other" not in (memory / FILE).read_bytes()


def test_an_engine_is_found_without_starting_it(program: Path, memory: Path) -> None:
    before = find(MACHINE, str(program), memory)
    become(program, "false")
    assert of_binary(str(program), (), memory).build == before.build == 0
    os.utime(program, ns=(0, program.stat().st_mtime_ns + 1))
    with pytest.raises(ConfigError, match="fails with exit code 1"):
        find(MACHINE, str(program), memory)


def test_a_card_that_is_not_used_may_be_so_tomorrow(program: Path, memory: Path) -> None:
    card = Gpu("RTX", "nvidia", 1, 1, driver="580.1")
    of_binary(str(program), (card,), memory)
    become(program, "false")
    with pytest.raises(ConfigError, match="--list-devices fails"):
        of_binary(str(program), (card,), memory)
