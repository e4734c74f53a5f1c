"""Somebody keeps putting a link in the place of a folder while files are read and written."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path

import pytest

from qcode.engine.approval import Approvals
from qcode.engine.single import Single
from qcode.protocol.access import Access, Verdict
from qcode.protocol.messages import ToolCall
from qcode.tools.base import Tool
from qcode.tools.edit import Edit
from qcode.tools.read import Read
from qcode.tools.write import Write
from qcode.workspace.files import Workspace, load
from qcode.workspace.kept import Entry
from qcode.workspace.looking import Room, look
from qcode.workspace.putting import Step, carry_out
from qcode.workspace.save import save
from qcode.workspace.shadow import Shadow
from qcode.workspace.straight import open_straight, walked
from qcode.workspace.trouble import FileTrouble
from tests.tools.contexts import make_context

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="renames of open folders fail")

SWAPS = 10_000
SWAPPER = """
import os, sys
from contextlib import suppress
os.chdir(sys.argv[1])
for number in range(int(sys.argv[2])):
    with suppress(OSError):
        os.rename("sub", f"kept")
        os.rename("link", "sub")
        os.rename("sub", "link")
        os.rename("kept", "sub")
print("swapped")
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """`sub/a`, and `link`, which leads to a folder outside with an `a` of its own."""
    root, out = tmp_path / "root", tmp_path / "out"
    (root / "sub").mkdir(parents=True)
    (root / "sub" / "a").write_bytes(b"inside")
    out.mkdir()
    (out / "a").write_bytes(b"secret")
    (root / "link").symlink_to(out)
    return root


@contextmanager
def swapped(root: Path) -> Iterator["subprocess.Popen[str]"]:
    """Another process exchanges `sub` and `link` again and again; it must get to its end."""
    line = [sys.executable, "-c", SWAPPER, str(root), str(SWAPS)]
    process = subprocess.Popen(line, stdout=subprocess.PIPE, text=True)
    try:
        yield process
        assert process.communicate(timeout=60)[0] == "swapped\n"
    finally:
        process.kill()
        process.wait()


def _outside(root: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (root.parent / "out").iterdir()}


def test_no_save_and_no_load_gets_outside(root: Path) -> None:
    located = Workspace(root).resolve("sub/a")
    new = Workspace(root).resolve("sub/deep/new")
    done = {"saved": 0, "read": 0, "refused": 0}
    with swapped(root) as process:
        while process.poll() is None:
            try:
                was = load(located)
                assert was.data != b"secret"
                done["read"] += 1
                save(located, os.urandom(8), was)
                with suppress(FileTrouble):
                    save(new, b"new", None)
                done["saved"] += 1
            except FileTrouble:
                done["refused"] += 1
    assert _outside(root) == {"a": b"secret"}
    assert min(done.values()) > 0, done


def test_no_way_back_gets_outside(root: Path, tmp_path: Path) -> None:
    shadow = Shadow(tmp_path / "store")
    shadow.open()
    done = {"put": 0, "failed": 0}
    path = root / "sub" / "a"
    with swapped(root) as process:
        number = 0
        while process.poll() is None:
            number += 1
            now = look(path, shadow, Room())
            if now.kind == "file" and now.content:
                assert shadow.get(now.content) != b"secret"
            data = b"%d" % number
            for target in (Entry("file", 0o600, b"x", len(data)), Entry("absent")):
                failed = carry_out([Step(path, now, target, data)])
                done["failed" if failed else "put"] += 1
                now = look(path, shadow, Room())
    shadow.close()
    assert _outside(root) == {"a": b"secret"}
    assert min(done.values()) > 0, done


@pytest.mark.parametrize("how", [open_straight, walked])
def test_no_path_is_opened_through_a_link(root: Path, how: object) -> None:
    opens = open_straight if how is open_straight else walked
    with swapped(root) as process:
        while process.poll() is None:
            with suppress(OSError):
                descriptor = opens(root / "sub" / "a", os.O_RDONLY)
                data = os.read(descriptor, 100)
                os.close(descriptor)
                assert data == b"inside"


@pytest.mark.parametrize(
    "tool",
    [Write("sub/new", "mine"), Edit("sub/a", "secret", "mine"), Read("sub/a")],
    ids=["write", "edit", "read"],
)
async def test_a_link_that_comes_behind_the_judgement_is_not_followed(
    root: Path, tmp_path: Path, tool: Tool
) -> None:
    """Between judging and running, files are kept: that takes its time."""
    context, runner = make_context(tmp_path)
    approvals = Approvals(lambda accesses: Verdict("allow", "test"), lambda event: None)
    single = Single((type(tool),), context, approvals, lambda event: None)

    def swap() -> None:
        (root / "sub").rename(root / "kept")
        (root / "link").rename(root / "sub")

    @asynccontextmanager
    async def around(accesses: Sequence[Access]) -> AsyncIterator[None]:
        swap()
        yield

    single.around = around
    if tool.effect == "read":  # nothing is kept before it: it is swapped as the tool begins
        context.progress = lambda text: None
        workspace = context.workspace.pin(["sub/a"])
        swap()
        with pytest.raises(FileTrouble, match="symbolic link"):
            await asyncio.to_thread(load, workspace.resolve("sub/a"))
    else:
        outcome = await single.run(ToolCall("1", tool.name, "{}"), tool)
        assert outcome.status == "error", outcome.text
        assert "secret" not in outcome.text
    await runner.close()
    assert _outside(root) == {"a": b"secret"}
