"""qcode's own side: what is missing is named, what is there is no finding."""

import os
import sys
from pathlib import Path

import pytest

from qcode.doctor import ours
from qcode.doctor.base import Result
from qcode.protocol.errors import ConfigError

POSIX = pytest.mark.skipif(os.name != "posix", reason="permissions are of POSIX")
XTERM = {"TERM": "xterm-256color", "COLORTERM": "truecolor"}


def faults(result: Result) -> list[str]:
    return [finding.id for finding in result.findings]


@POSIX
def test_folders_that_are_open_to_others_are_broken_and_the_change_closes_them(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "my state"
    folder.mkdir(mode=0o755)
    folder.chmod(0o755)
    found = ours.permissions((folder, tmp_path / "missing"))
    assert faults(found) == ["own.folders.open"]
    assert found.findings[0].weight == "broken"
    assert os.system(found.findings[0].change) == 0
    assert ours.permissions((folder,)).verdict == "works"


@POSIX
def test_settings_that_others_may_read_are_a_note_and_what_they_may_write_is_not(
    tmp_path: Path,
) -> None:
    config, state = tmp_path / "config", tmp_path / "state"
    for folder, mode in ((config, 0o755), (state, 0o700)):
        folder.mkdir()
        folder.chmod(mode)
    found = ours.permissions((config, state), settings=config)
    assert (found.verdict, [each.weight for each in found.findings]) == ("works", ["note"])
    assert os.system(found.findings[0].change) == 0
    assert ours.permissions((config, state), settings=config).findings == ()
    config.chmod(0o777)
    assert ours.permissions((config, state), settings=config).findings[0].weight == "broken"
    config.chmod(0o755)
    state.chmod(0o755)
    assert ours.permissions((config, state), settings=config).findings[0].weight == "broken"


def test_a_full_disk_is_broken_and_a_small_one_a_note(tmp_path: Path) -> None:
    weights = [
        [finding.weight for finding in ours.disk(tmp_path, lambda _, size=size: size).findings]  # type: ignore[misc]  # a default, to bind it now
        for size in (10_000_000, 1_000_000_000, 50_000_000_000)
    ]
    assert weights == [["broken"], ["note"], []]
    assert "GB free" in ours.disk(tmp_path).said


def test_a_keyring_that_is_none_or_locked_is_no_finding() -> None:
    def refuses() -> str:
        raise ConfigError("The keyring is locked. Mend that, or set the key otherwise.")

    found = ours.keyring(refuses)
    assert (found.verdict, faults(found)) == ("unclear", [])
    assert "The keyring is locked" in found.said
    null = ours.keyring(str)  # the tests' own backend keeps nothing
    assert (null.verdict, faults(null)) == ("unclear", [])


def test_a_program_that_is_not_there_is_a_note(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert [faults(ours.installed_program(*row)) for row in ours.PROGRAMS] == [
        ["own.git"],
        ["own.ripgrep"],
    ]
    rg = tmp_path / ("rg.exe" if sys.platform == "win32" else "rg")
    rg.touch(mode=0o755)
    assert ours.installed_program(*ours.PROGRAMS[1]).said == str(rg)


@pytest.mark.parametrize(
    ("terminal", "verdict", "said"),
    [
        (ours.Terminal(120, 40, XTERM), "works", "120 by 40, all colours"),
        (ours.Terminal(120, 40, {"TERM": "linux"}), "works", "16 colours"),
        (ours.Terminal(120, 40, {**XTERM, "NO_COLOR": "1"}), "works", "no colours"),
        (ours.Terminal(40, 40, XTERM), "fails", "40 by 40"),
        (ours.Terminal(80, 24, {"TERM": "dumb"}), "fails", "80 by 24"),
    ],
)
def test_the_terminal_is_told_as_it_is(terminal: ours.Terminal, verdict: str, said: str) -> None:
    found = ours.terminal(terminal)
    assert found.verdict == verdict
    assert said in found.said


def test_all_checks_run_here_and_each_says_something(tmp_path: Path) -> None:
    own = ours.Own(tmp_path, tmp_path, (tmp_path,), ours.Terminal(0, 0, dict(os.environ)))
    found = ours.examined(own)
    assert [each.probe for each in found] == [
        *("sandbox", "folders", "disk", "keyring", "git", "ripgrep")
    ]
    assert all(each.said for each in found)


def test_only_where_there_is_a_terminal_it_is_told_of(tmp_path: Path) -> None:
    own = ours.Own(tmp_path, tmp_path, (tmp_path,), ours.Terminal(100, 40, XTERM))
    assert ours.examined(own)[-1].probe == "terminal"
