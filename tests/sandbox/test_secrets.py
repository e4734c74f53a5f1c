"""One list for fences and tools."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from qcode.sandbox.ground import Ground
from qcode.sandbox.names import MAC_SECRETS, SECRETS, SYSTEM_SECRETS
from qcode.sandbox.plan import plan
from qcode.sandbox.secrets import kept, listed
from tests.sandbox.fences import outside_tmp


@pytest.fixture
def place() -> Iterator[Path]:
    """Not in /tmp, of which a fence shows nothing."""
    with outside_tmp() as folder:
        yield Path(os.path.realpath(folder))


def test_tools_are_kept_from_all_that_a_fence_hides(place: Path) -> None:
    home, work = place / "home", place / "work"
    for name in SECRETS:
        (home / name).mkdir(parents=True, exist_ok=True)
    (home / "dotfiles/aws").mkdir(parents=True)
    (home / ".aws").rmdir()
    (home / ".aws").symlink_to("dotfiles/aws")
    (home / "state").mkdir()
    work.mkdir()
    told = {"HOME": str(home), "KUBECONFIG": str(home / "kube.yaml")}
    (home / "kube.yaml").touch()
    ground = Ground.of((work,), (home / "state",), (), told)
    made = [one for one in plan(ground, place, ()).places if one.kind in ("hide", "hollow")]
    hidden = {one.path for one in made if str(home) in one.path}
    closed = kept((work,), (home / "state",), told)
    some = (".ssh", "dotfiles/aws", "state", "kube.yaml")
    assert hidden >= {f"{home}/{name}" for name in some}
    assert all(any(_below(path, one) for one in closed) for path in hidden)


def _below(path: str, place: str) -> bool:
    return path == place or path.startswith(f"{place}/")


def test_names_are_listed_whether_they_exist_or_not(tmp_path: Path) -> None:
    work = tmp_path / "work"
    closed = kept((work,), (tmp_path / "own",), {"HOME": str(tmp_path)})
    real = os.path.realpath(tmp_path)
    assert {f"{real}/{name}" for name in SECRETS} <= set(closed)
    assert {*SYSTEM_SECRETS, f"{real}/own"} <= {*closed, "/var/run/secrets"}


@pytest.mark.parametrize(("system", "is_listed"), [("darwin", True), ("linux", False)])
def test_those_of_a_mac_are_listed_there(tmp_path: Path, system: str, is_listed: bool) -> None:  # noqa: FBT001 - a row
    found = listed(Ground((tmp_path,), tmp_path), system)
    assert (f"{tmp_path}/{MAC_SECRETS[0]}" in found) is is_listed


def test_what_is_worked_in_is_no_secret_though_a_variable_names_it(tmp_path: Path) -> None:
    work = tmp_path / "a/b/work"
    work.mkdir(parents=True)
    closed = kept((work,), (), {"HOME": str(tmp_path), "KUBECONFIG": str(work / "kube.yaml")})
    assert str(work / "kube.yaml") not in closed


def test_a_repository_of_settings_can_be_worked_on_and_their_names_stay_closed(
    tmp_path: Path,
) -> None:
    home = Path(os.path.realpath(tmp_path))
    (home / "dotfiles/claude").mkdir(parents=True)
    (home / ".claude").symlink_to("dotfiles/claude")
    told = {"HOME": str(home)}
    closed = kept((home / "dotfiles",), (), told)
    assert f"{home}/dotfiles/claude" not in closed
    assert f"{home}/.claude" in closed
    for others in ((home / "project",), (home,)):
        assert f"{home}/dotfiles/claude" in kept(others, (), told)


@pytest.mark.skipif(not Path("/dev/null").exists(), reason="no /dev here")
def test_a_device_is_no_secret_though_a_variable_names_it(tmp_path: Path) -> None:
    told = {"HOME": str(tmp_path), "HISTFILE": "/dev/null", "NETRC": str(tmp_path / "a/b/netrc")}
    closed = kept((tmp_path / "work",), (), told)
    assert "/dev/null" not in closed
    assert os.path.realpath(tmp_path / "a/b/netrc") in closed
