"""What bubblewrap is told."""

from itertools import pairwise
from pathlib import Path

import pytest

from qcode.sandbox.bubblewrap import arguments, program
from qcode.sandbox.fence import Inside
from qcode.sandbox.place import Place

INSIDE = Inside(("/bin/sh", "-c", "true"), Path("/w"), {"A": "b c"})


def test_the_command_follows_the_fence() -> None:
    told = arguments((), INSIDE)
    assert told[told.index("--") + 1 :] == INSIDE.words
    assert told[told.index("--chdir") + 1] == "/w"
    assert told[told.index("--setenv") + 1 :][:2] == ("A", "b c")
    assert {"--unshare-net", "--unshare-pid", "--unshare-user", "--new-session"} <= set(told)
    assert {"--clearenv", "--die-with-parent"} <= set(told)


def test_places_come_in_their_order_over_a_root_that_is_read_only(tmp_path: Path) -> None:
    secret, folder = tmp_path / "secret", tmp_path / "keys"
    secret.touch()
    folder.mkdir()
    places = (
        Place("tmp", "/tmp", "/private"),
        Place("hollow", "/run"),
        Place("write", "/w"),
        Place("pin", "/w/.git"),
        Place("read", "/w/.git/hooks"),
        Place("hide", str(secret)),
        Place("hide", str(folder)),
    )
    told = arguments(places, INSIDE)
    text = " ".join(told)
    order = (
        "--ro-bind / /",
        "--bind /private /tmp --tmpfs /run",
        "--bind /w /w --bind /w/.git /w/.git --ro-bind /w/.git/hooks /w/.git/hooks",
        f"--ro-bind /dev/null {secret}",
        f"--tmpfs {folder} --remount-ro {folder}",
        "--remount-ro /run --clearenv",
    )
    found = [text.index(part) for part in order]
    assert all(first < second for first, second in pairwise(found))


def test_a_link_is_refused_because_it_could_not_be_covered(tmp_path: Path) -> None:
    link = tmp_path / ".claude"
    link.symlink_to(tmp_path)
    with pytest.raises(OSError, match="is a link"):
        arguments((Place("hide", str(link)),), INSIDE)


def test_a_program_of_the_project_is_not_taken_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = tmp_path / "bwrap"
    fake.write_text("#!/bin/sh\n")
    fake.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    assert program({"PATH": ".:nowhere"}) is None
    assert program({"PATH": f".:{tmp_path}"}) == str(fake)
