"""Paths that the system refuses to look at: a sentence, whatever the tool."""

from pathlib import Path

import pytest

from qcode.tools.base import Tool
from qcode.tools.edit import Edit
from qcode.tools.glob import Glob
from qcode.tools.grep import Grep
from qcode.tools.read import Read
from qcode.tools.write import Write
from tests.tools.contexts import make_context

LONG = "x" * 300


@pytest.mark.parametrize(
    "tool", [Read(LONG), Write(LONG, "x"), Edit(LONG, "a", "b"), Glob("*", LONG), Grep("a", LONG)]
)
async def test_a_name_that_is_too_long_is_told(tool: Tool, tmp_path: Path) -> None:
    context, runner = make_context(tmp_path)
    outcome = await tool.run(context)
    await runner.close()
    assert outcome.status == "error"
    assert "longer than this disk allows" in outcome.text or "is no folder" in outcome.text
