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
