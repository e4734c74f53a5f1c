"""Whole installations, each into an empty home: the wheel, and install.sh with the demo.

They download what a fresh machine downloads, so there are two of them and no more.
"""

import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from qcode.server.endpoint import PORTS
from tests.packaging.wheels import ROOT, build_wheel
from tests.support.script import Reply
from tests.support.scripted_server import StartScripted

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),  # 60 MB of packages over a slow line
    pytest.mark.skipif(os.name == "nt", reason="install.sh is a POSIX shell script"),
]

# As the machine has it, with its proxies and certificates: the fixture `home` takes those away.
MACHINE = {
    name: value
    for name, value in os.environ.items()
    if not name.startswith(("QCODE_", "OPENAI_", "XDG_", "PYTHON", "VIRTUAL_ENV", "GIT_"))
}


def a_server_listens_here() -> bool:
    for port in PORTS:
        with socket.socket() as probe:
            probe.settimeout(1)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return True
    return False


def demo_words() -> tuple[str, ...]:
    """On a developer's machine with a model running, the script is asked for by name."""
    return ("demo", "--playback") if a_server_listens_here() else ("demo",)


@dataclass(frozen=True)
class Fresh:
    """An empty home and an empty folder for temporary files."""

    home: Path
    temporary: Path

    def run(self, *line: str | Path, **more: str) -> subprocess.CompletedProcess[str]:
        places = {"HOME": str(self.home), "TMPDIR": str(self.temporary)}
        return run(line, {**MACHINE, **places, **more}, self.temporary)


def run(
    line: tuple[str | Path, ...], environment: Mapping[str, str], folder: Path
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        line,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )


@pytest.fixture
def fresh(tmp_path: Path) -> Fresh:
    made = Fresh(tmp_path / "home of a person", tmp_path / "temporary")
    made.home.mkdir()
    made.temporary.mkdir()
    return made


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command, installed from the wheel into an environment with nothing else in it."""
    folder = tmp_path_factory.mktemp("installed")
    wheel = build_wheel(folder)
    environment = {**MACHINE, "HOME": str(folder)}
    python = folder / "venv" / "bin" / "python"
    for line in (
        (sys.executable, "-m", "venv", folder / "venv"),
        (python, "-m", "pip", "install", "--quiet", "--no-cache-dir", wheel),
    ):
        done = run(line, environment, folder)
        assert done.returncode == 0, done.stdout + done.stderr
    return folder / "venv" / "bin" / "qcode"


def test_the_installed_wheel_runs_the_demo_and_leaves_nothing_behind(
    installed: Path, fresh: Fresh
) -> None:
    done = fresh.run(installed, *demo_words())
    assert done.returncode == 0, done.stdout + done.stderr
    assert "a script with answers written by hand for this one bug, and no model" in done.stdout
    assert "+        return self.arrival < other.departure" in done.stdout
    assert "The bug is fixed: the tests are green." in done.stdout
    assert list(fresh.home.iterdir()) == []
    assert list(fresh.temporary.iterdir()) == []


def test_the_demo_with_a_model_that_fails_ends_non_zero_and_says_so(
    installed: Path, fresh: Fresh, scripted: StartScripted
) -> None:
    server = scripted(Reply(text="The code looks fine to me."))
    done = fresh.run(installed, "demo", QCODE_BASE_URL=server.base_url)
    assert done.returncode != 0
    assert "The demo did not fix the bug: the tests are still red." in done.stdout
    assert "The bug is fixed" not in done.stdout
    (kept,) = fresh.temporary.glob("qcode-demo-*")
    assert f"The folder is kept: {kept}" in done.stdout


def test_the_installed_wheel_brings_its_data(installed: Path) -> None:
    (package,) = installed.parents[1].glob("lib/python3*/site-packages/qcode")
    assert (package / "themes" / "night.toml").is_file()
    assert (package / "server" / "data" / "qwen.tiktoken").is_file()


def test_install_demo_upgrade_and_uninstall_on_an_empty_home(fresh: Fresh, tmp_path: Path) -> None:
    script = tmp_path / "a link"
    script.symlink_to(ROOT / "install.sh")

    done = fresh.run("sh", script, *demo_words())
    assert done.returncode == 0, done.stdout + done.stderr
    link = fresh.home / ".local/bin/qcode"
    assert f"{link.parent} is not on your PATH" in done.stdout
    assert "The bug is fixed: the tests are green." in done.stdout

    again = fresh.run("sh", script, PATH=f"{link.parent}:{MACHINE['PATH']}")
    assert again.returncode == 0, again.stdout + again.stderr
    assert "PATH" not in again.stdout
    assert "Making a virtual environment" not in again.stdout
    assert fresh.run(link, "--version").stdout.startswith("qcode ")
    page = fresh.home / ".local/share/man/man1/qcode.1"
    assert page.read_text().startswith(".TH QCODE 1 ")

    gone = fresh.run("sh", script, "--uninstall")
    assert gone.returncode == 0, gone.stdout + gone.stderr
    left = {path.name for path in fresh.home.iterdir()}
    assert left <= {".cache", ".rustup"}  # pip's downloads; pip asks rustc for its version
