"""What a fence stands on."""

import getpass
from pathlib import Path

import pytest

from qcode.sandbox.ground import Ground


@pytest.mark.parametrize("variables", [{}, {"HOME": ""}, {"HOME": "relative"}])
def test_without_a_variable_the_home_of_the_user_is_the_one_with_the_keys(
    variables: dict[str, str],
) -> None:
    home = Path(f"~{getpass.getuser()}").expanduser().resolve()
    assert Ground.of((), (), (), variables).home == home


def test_a_variable_moves_it(tmp_path: Path) -> None:
    assert Ground.of((), (), (), {"HOME": str(tmp_path)}).home == tmp_path.resolve()


def test_keys_are_looked_for_where_variables_have_moved_them(tmp_path: Path) -> None:
    variables = {
        "XDG_CONFIG_HOME": str(tmp_path / "conf"),
        "CARGO_HOME": str(tmp_path / "rust"),
        "KUBECONFIG": f"{tmp_path}/one:{tmp_path}/two",
        "NETRC": "relative",
    }
    keys = Ground.of((), (), (), variables).keys
    expected = ("conf/gh", "conf/git/credentials", "rust/credentials.toml", "one", "two")
    assert {tmp_path / it for it in expected} <= set(keys)
    assert tmp_path / "conf" not in keys
    assert all(it.is_absolute() for it in keys)


@pytest.mark.parametrize("named", ["project/.kube", "project", ".", "home", "home/..", "/etc"])
def test_what_is_worked_in_is_never_hidden_because_a_variable_names_it(
    tmp_path: Path, named: str
) -> None:
    work = tmp_path / "project"
    work.mkdir()
    variables = {"HOME": str(tmp_path / "home"), "KUBECONFIG": str(tmp_path / named)}
    assert Ground.of((work,), (), (), variables).keys == ()
