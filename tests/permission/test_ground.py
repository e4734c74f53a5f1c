"""Where patterns start: what is judged has its links resolved, so the patterns must have too."""

from pathlib import Path

import pytest

from qcode.permission.judge import Policy, judge
from qcode.permission.patterns import Ground
from qcode.permission.rules import parse_rule
from qcode.protocol.access import Access


def test_a_home_behind_a_link_is_protected_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = tmp_path / "disk" / "me"
    (real / ".ssh").mkdir(parents=True)
    (tmp_path / "home").symlink_to(real)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))
    rule = parse_rule("Read(~/.ssh/**)", "deny", "user config", Ground.of(tmp_path))
    access = Access("read", (real / ".ssh" / "id").as_posix(), "outside")
    assert judge([access], Policy("auto", "off", (rule,))).answer == "deny"
