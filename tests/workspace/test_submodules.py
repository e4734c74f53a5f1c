"""Submodules are found in an index, whatever form git was told to keep it in."""

import os
import subprocess
import tracemalloc
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qcode.workspace.submodules import LARGEST, MOST, Unseen, _number, files, submodules

FORMS = {
    "plain": (),
    "version 3": (("update-index", "--skip-worktree", "src/f3.py"),),
    "packed names": (("update-index", "--index-version", "4"),),
    "packed and split": (
        ("update-index", "--index-version", "4"),
        ("update-index", "--split-index"),
    ),
    "split": (("update-index", "--split-index"),),
    "without a check": (("-c", "index.skipHash=true", "update-index", "--force-write-index"),),
}
COMMIT = {"sha1": "1" * 40, "sha256": "1" * 64}


def git(folder: Path, *words: str) -> None:
    env = {"PATH": os.environ["PATH"], "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1"}
    subprocess.run(("git", *words), cwd=folder, env=env, check=True, capture_output=True)


def found(folder: Path) -> set[str]:
    return {path for file in files(folder / ".git") for path in submodules(file)}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", COMMIT)
def test_a_submodule_is_found_in_each_form(tmp_path: Path, form: str, kind: str) -> None:
    git(tmp_path, "init", "-q", f"--object-format={kind}")
    (tmp_path / "src").mkdir()
    for number in range(300):  # some names are long, some have much in common
        (tmp_path / f"src/f{number}{'x' * (number % 150)}.py").touch()
    (tmp_path / "src/f3.py").touch()
    git(tmp_path, "add", "-A")
    for path in ("src/sub", "vendor/\u00e9 b", "z"):
        git(tmp_path, "update-index", "--add", "--cacheinfo", f"160000,{COMMIT[kind]},{path}")
    for words in FORMS[form]:
        git(tmp_path, *words)
    assert found(tmp_path) >= {"src/sub", "vendor/\u00e9 b", "z"}
    assert not {path for path in found(tmp_path) if path.endswith(".py")}


def test_what_is_no_index_names_nothing(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    assert found(tmp_path) == set()
    os.mkfifo(tmp_path / ".git/index")
    assert found(tmp_path) == set()


@given(st.binary(max_size=200), st.sampled_from([b"", b"DIRC\0\0\0\4\0\0\0\3", b"DIRC\0\0\0\2"]))
def test_no_bytes_break_it(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, head: bytes
) -> None:
    index = tmp_path_factory.getbasetemp() / "broken-index"
    index.write_bytes(head + data)
    with suppress(Unseen):
        assert isinstance(submodules(index), list)


SUBMODULE = b"\0\0\xe0\0"
FILE = b"\0\0\x81\xa4"


def packed(*entries: tuple[bytes, bytes, bytes]) -> bytes:
    """Mode, the number of letters that are dropped, and what follows them."""
    told = (bytes(24) + mode + bytes(12 + 20 + 2) + drops + name for mode, drops, name in entries)
    return b"DIRC\0\0\0\4" + len(entries).to_bytes(4, "big") + b"\0".join((*told, b""))


def test_a_number_that_never_ends_is_given_up(tmp_path: Path) -> None:
    """Read to its end it would be one of seven million bits."""
    index = tmp_path / "index"
    index.write_bytes(packed((FILE, b"\xff" * 1_000_000, b"\0a")))
    number, end = _number(index.read_bytes(), 12 + 62)
    assert number > LARGEST
    assert end < 12 + 62 + 9
    with pytest.raises(Unseen):
        submodules(index)


def test_names_that_grow_with_each_entry_hide_none_and_are_not_kept(tmp_path: Path) -> None:
    index = tmp_path / "index"
    grows = [(FILE, b"\0", b"x" * 200)] * 20_000
    last = (SUBMODULE, _written(20_000 * 200 - 3), b"/sub")
    index.write_bytes(packed(*grows, last))
    tracemalloc.start()
    try:
        assert submodules(index) == ["xxx/sub"]
        assert tracemalloc.get_traced_memory()[1] < 3 * index.stat().st_size
    finally:
        tracemalloc.stop()


def _written(number: int) -> bytes:
    """As git writes it in an index of version 4."""
    told = [number & 0x7F]
    while number := number >> 7:
        number -= 1
        told.append(0x80 | number & 0x7F)
    return bytes(reversed(told))


@pytest.mark.parametrize("version", ["packed", "plain"])
def test_more_than_may_be_asked_for_are_not_listed(tmp_path: Path, version: str) -> None:
    def index(count: int) -> Path:
        names = [b"%06d" % number for number in range(count)]
        plain = b"".join(bytes(24) + SUBMODULE + bytes(34) + name + b"\0\0" for name in names)
        drops = (b"\0", *[b"\x06"] * (count - 1))
        told = (SUBMODULE,) * count
        file = tmp_path / f"{version}-{count}"
        head = b"DIRC\0\0\0\2" + count.to_bytes(4, "big")
        data = packed(*zip(told, drops, names, strict=True))
        file.write_bytes(data if version == "packed" else head + plain)
        return file

    assert len(submodules(index(MOST // 4))) >= MOST // 4
    with pytest.raises(Unseen):
        submodules(index(MOST + 1))
