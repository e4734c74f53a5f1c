"""What bubblewrap is told, and that it holds, where it is installed."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path

import pytest

from qcode.sandbox.base import Command
from qcode.sandbox.bubblewrap import Bubblewrap, arguments, program
from qcode.sandbox.choose import choose
from qcode.sandbox.fence import Inside
from qcode.sandbox.fenced import FencedRunner
from qcode.sandbox.ground import Ground
from qcode.sandbox.place import Place
from qcode.sandbox.trial import trial
from tests.sandbox.fences import outside_tmp

PROGRAM = shutil.which("bwrap") or ""
installed = pytest.mark.skipif(not PROGRAM, reason="bubblewrap is not installed here")
INSIDE = Inside(("/bin/sh", "-c", "true"), Path("/w"), {"A": "b c"})


def test_the_command_follows_the_fence() -> None:
    told = arguments((), INSIDE)
    assert told[told.index("--") + 1 :] == INSIDE.words
    assert told[told.index("--chdir") + 1] == "/w"
    assert told[told.index("--setenv") + 1 :][:2] == ("A", "b c")
    assert {"--unshare-pid", "--unshare-user", "--new-session"} <= set(told)
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


def test_a_socket_that_was_given_up_meanwhile_is_left_out(tmp_path: Path) -> None:
    gone = str(tmp_path / "s")
    assert gone not in arguments((Place("hide", gone),), INSIDE)


def test_a_program_of_the_project_is_not_taken_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = tmp_path / "bwrap"
    fake.write_text("#!/bin/sh\n")
    fake.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    assert program({"PATH": ".:nowhere"}) is None
    assert program({"PATH": f".:{tmp_path}"}) == str(fake)


@installed
def test_every_promise_holds() -> None:
    with outside_tmp() as base:
        found = trial(lambda ground: Bubblewrap(ground, PROGRAM), base)
        assert found.why == ""
        assert dict(found.broken) == {}
        assert list(base.iterdir()) == []


@installed
def test_what_was_proven_before_is_taken_though_there_is_a_stronger_one() -> None:
    """Where only bubblewrap holds, the others are not tried again at each start."""
    with outside_tmp() as home:
        workspace = home / "project"
        workspace.mkdir()
        ground = Ground((workspace,), home)
        first = choose(ground, home)
        assert first.fence is not None
        kept = home / "fence.json"
        kept.write_text(kept.read_text().replace(first.fence.name, Bubblewrap.name))
        second = choose(ground, home)
        assert second.fence is not None
        assert second.fence.name == Bubblewrap.name


@pytest.fixture
async def inside() -> AsyncIterator[tuple[FencedRunner, Path]]:
    """A runner, and the workspace that it may write."""
    with outside_tmp() as home:
        workspace = home / "project"
        workspace.mkdir()
        ground = Ground((workspace,), home, processes=99)
        it = FencedRunner(Bubblewrap(ground, PROGRAM), home / "spill")
        yield it, workspace
        await it.close()


@installed
async def test_commands_run_with_their_limit_and_nothing_is_left(
    inside: tuple[FencedRunner, Path],
) -> None:
    async def descriptors() -> int:
        await asyncio.sleep(1)  # by then the next one waits
        return len(list(Path("/proc/self/fd").iterdir()))

    runner, workspace = inside
    await runner.run(Command("true", workspace, 30), lambda _: None)
    before = await descriptors()
    line = "echo x >a; cat a; ulimit -u; echo x >.mcp.json; echo x >../a; exit 3"
    output = await runner.run(Command(line, workspace, 30), lambda _: None)
    assert (output.exit_code, output.head[:5]) == (3, "x\n99\n")
    assert "Is a directory" in output.head
    assert "Read-only file system" in output.head
    assert await descriptors() == before
    await runner.close()
    assert [path.name for path in workspace.iterdir()] == ["a"]
