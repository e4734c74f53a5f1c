"""Submodules are found in an index, whatever form git was told to keep it in."""

import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qcode.workspace.submodules import files, submodules

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
    assert isinstance(submodules(index), list)
