"""Everyday work is not asked about where it cannot do harm; the figures that were promised."""

from pathlib import Path

import pytest

from tests.redteam.everyday import EVERYDAY, Tried, asking, project, tried

COMPOUND = ("|", ">", "&&", "$(", "<<", ";")


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> list[Tried]:
    folder: Path = tmp_path_factory.mktemp("project")
    project(folder)
    return list(tried(folder))


def test_the_list_is_the_one_that_was_agreed() -> None:
    lines = [line for lines in EVERYDAY.values() for line in lines]
    assert len(lines) == len(set(lines)) == 120
    assert sum(any(sign in line for sign in COMPOUND) for line in lines) >= 30
    for needed in ("$(", "<<'EOF'", "DEBUG=1 ", " | ", " > ", " >> ", "2>&1", "2>/dev/null"):
        assert any(needed in line for line in lines)


def test_in_auto_mode_within_a_fence_no_local_command_asks(found: list[Tried]) -> None:
    assert asking(found, "auto", "holds", "local") == []


@pytest.mark.parametrize("fence", ["none", "holds"])
def test_in_edit_mode_at_most_a_third_asks(found: list[Tried], fence: str) -> None:
    asks = [line for sort in EVERYDAY for line in asking(found, "edit", fence, sort)]  # type: ignore[arg-type] # literals
    assert 10 < len(asks) <= 40


@pytest.mark.parametrize("sort", ["network", "protected"])
@pytest.mark.parametrize("mode", ["plan", "ask", "edit", "auto"])
def test_without_a_fence_network_and_protected_names_always_ask(
    found: list[Tried], mode: str, sort: str
) -> None:
    asked = asking(found, mode, "none", sort)  # type: ignore[arg-type] # literals
    assert asked == list(EVERYDAY[sort])  # type: ignore[index] # a literal


@pytest.mark.parametrize("fence", ["none", "holds"])
def test_what_changes_a_file_is_not_free_in_ask_mode_or_in_plan_mode(
    found: list[Tried], fence: str
) -> None:
    for mode in ("plan", "ask"):
        asked = asking(found, mode, fence, "local")  # type: ignore[arg-type] # literals
        for line in ("rm -rf build", "echo 'build/' >> .gitignore", "git diff > changes.patch"):
            assert line in asked
