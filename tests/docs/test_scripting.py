"""docs/scripting.md: every block that shows how is run, in a real shell, against a real server."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.script import Call, Reply
from tests.support.scripted_server import StartScripted

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```(sh|python|python-sdk)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BLOCKS = BLOCK.findall((ROOT / "docs" / "scripting.md").read_text(encoding="utf-8"))
DONE = Reply(text="It counts rooms.")
VALUE = Reply(calls=(Call("structured_output", {"tests": 3}),))


def named(block: tuple[str, str]) -> str:
    kind, code = block
    return f"{kind}: {' '.join(code.split())[:60]}"


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """`qcode` on the PATH, a home of its own."""
    programs = str(Path(sys.executable).parent)
    return {
        **os.environ,
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "QCODE_HOME": str(tmp_path / "home"),
    }


@pytest.mark.parametrize("block", BLOCKS, ids=map(named, BLOCKS))
def test_what_the_page_shows_runs(
    block: tuple[str, str], scripted: StartScripted, tmp_path: Path, environ: dict[str, str]
) -> None:
    kind, code = block
    if kind == "python-sdk":
        pytest.importorskip("claude_agent_sdk", reason="the extra `sdk` is not installed")
    replies = [VALUE] if "--json-schema" in code else [DONE] * max(1, code.count("qcode -p"))
    server = scripted(*replies)
    folder = tmp_path / "repository"
    folder.mkdir()
    line = (
        ["bash", "-euo", "pipefail", "-c", code] if kind == "sh" else [sys.executable, "-c", code]
    )
    done = subprocess.run(
        line,
        cwd=folder,
        env={**environ, "QCODE_BASE_URL": server.base_url},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    printed = done.stdout or (folder / "answer.md").read_text()
    assert printed.strip()
    if "--json-schema" in code:
        assert json.loads(printed) == {"tests": 3}


def test_there_are_blocks_of_each_kind() -> None:
    assert {kind for kind, _ in BLOCKS} == {"sh", "python", "python-sdk"}
