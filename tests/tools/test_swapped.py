"""Between the judgement of a folder and the look into it, a link takes its place."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from qcode.tools.base import Context, Tool
from qcode.tools.glob import Glob
from qcode.tools.grep import Grep
from qcode.tools.read import Read
from tests.tools.contexts import make_context

TOOLS = (Read("sub"), Glob("**/*", "sub"), Grep("token", "sub"), Grep("token", "sub", show="files"))


@pytest.fixture
def judged(tmp_path: Path) -> Context:
    """`sub` and what lies in it are judged; a folder outside has a key."""
    context, _ = make_context(tmp_path)
    root = context.workspace.root
    outside = tmp_path / "outside"
    for folder, name in ((root / "sub", "mine.txt"), (outside, "key.txt")):
        folder.mkdir(parents=True)
        (folder / name).write_text("token\n")
    return replace(context, workspace=context.workspace.pin(["sub", "sub/deep"]))


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: f"{tool.name} {tool.summary()}")
async def test_neither_names_nor_lines_of_another_folder_are_told(
    judged: Context, tmp_path: Path, tool: Tool
) -> None:
    assert "mine.txt" in (await tool.run(judged)).text
    sub = judged.workspace.root / "sub"
    sub.rename(sub.with_name("away"))
    sub.symlink_to(tmp_path / "outside")
    outcome = await tool.run(judged)
    assert "key" not in outcome.text
    assert "token\n" not in outcome.text


async def test_nor_where_a_folder_above_is_swapped(judged: Context, tmp_path: Path) -> None:
    root = judged.workspace.root
    (root / "sub/deep").mkdir()
    (tmp_path / "outside/deep").mkdir()
    (tmp_path / "outside/deep/key.txt").write_text("token\n")
    (root / "sub").rename(root / "away")
    (root / "sub").symlink_to(tmp_path / "outside")
    for tool in (Read("sub/deep"), Glob("*", "sub/deep"), Grep("token", "sub/deep")):
        assert "key" not in (await tool.run(judged)).text
