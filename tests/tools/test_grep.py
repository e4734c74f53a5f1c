"""Finding lines."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from qcode.protocol.display import MatchesBlock
from qcode.tools.base import Context
from qcode.tools.glob import Glob
from qcode.tools.grep import MOST_CHARACTERS, Grep
from tests.support.nobody import opened, without_privileges
from tests.tools.contexts import make_context


@pytest.fixture(params=["with ripgrep", "without ripgrep"])
async def context(
    tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Context]:
    if request.param == "without ripgrep":
        monkeypatch.setenv("PATH", str(tmp_path))
    elif shutil.which("rg") is None:
        pytest.skip("ripgrep is not on the PATH")
    made, runner = make_context(tmp_path)
    files = {
        "a.py": "def one():\n    return 1\n\ndef two():\n    return 2\n",
        "src/b.py": "from a import one\nONE = one()\n",
        "src/c.md": "one\n",
        "out/d.py": "one\n",
        ".gitignore": "out/\n",
    }
    for name, text in files.items():
        (made.workspace.root / name).parent.mkdir(exist_ok=True)
        (made.workspace.root / name).write_text(text)
    yield made
    await runner.close()


async def test_lines_come_below_their_file(context: Context) -> None:
    outcome = await Grep("one").run(context)
    assert outcome.text == (
        "4 lines in 3 files:\na.py\n1:def one():\n"
        "src/b.py\n1:from a import one\n2:ONE = one()\nsrc/c.md\n1:one"
    )
    (block,) = outcome.blocks
    assert isinstance(block, MatchesBlock)
    assert block.total == 4


async def test_a_search_can_be_narrowed_and_widened(context: Context) -> None:
    assert (
        await Grep("one", glob="*.md").run(context)
    ).text == "1 line in 1 file:\nsrc/c.md\n1:one"
    assert (await Grep("ONE", "src", case="ignore", show="files").run(context)).text == (
        "2 files with `ONE`:\nsrc/b.py\nsrc/c.md"
    )
    assert (await Grep("return", "a.py", context=1).run(context)).text == (
        "2 lines in 1 file:\na.py\n1-def one():\n2:    return 1\n3-\n4-def two():\n5:    return 2"
    )
    assert (await Grep("one", "out").run(context)).text == "1 line in 1 file:\nout/d.py\n1:one"
    assert (await Grep(r"def \w+\(", "a.py").run(context)).text.startswith("2 lines in 1 file:")


async def test_a_gap_between_lines_is_marked(context: Context) -> None:
    (context.workspace.root / "long.txt").write_text("x\n" + "-\n" * 9 + "x\n")
    text = (await Grep("x", "long.txt", context=1).run(context)).text
    assert text == "2 lines in 1 file:\nlong.txt\n1:x\n2--\n--\n10--\n11:x"


async def test_no_match_is_no_error(context: Context) -> None:
    outcome = await Grep("nowhere", "src").run(context)
    assert (outcome.status, outcome.text) == ("ok", "No line matches `nowhere` in src.")


async def test_a_broken_pattern_is_searched_as_plain_text(context: Context) -> None:
    outcome = await Grep("one(").run(context)
    assert outcome.text.startswith("2 lines in 2 files:\na.py\n1:def one():")
    assert "[searched as plain text: as a regular expression, missing )" in outcome.text


async def test_long_lines_and_many_lines_are_cut(context: Context) -> None:
    root = context.workspace.root
    (root / "wide.js").write_text("a" * 200_000 + "needle" + "b" * 100_000 + "\n")
    text = (await Grep("needle").run(context)).text
    assert "aneedleb" in text
    assert "[cut, 300,006 characters]" in text
    assert len(text) < 600
    for number in range(30):
        (root / f"{number:02}.txt").write_text(f"{'z' * 290}\n" * 10)
    text = (await Grep("z").run(context)).text
    assert text.startswith("More than 100 lines in 10 files:\n00.txt\n1:zzz")
    assert text.endswith("[cut, there are more; narrow the pattern, path or glob]")
    assert len(text) < MOST_CHARACTERS + 200


async def test_a_line_searched_in_part_is_told(context: Context) -> None:
    (context.workspace.root / "wide.js").write_text("one" + " " * 20_000 + "two\n")
    text = (await Grep("one *two|one", "wide.js").run(context)).text
    assert "[of very long lines only the beginning was searched]" in text


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (Grep(""), "pattern is empty"),
        (Grep("x", "sub/a.py"), "Did you mean a.py?"),
        (Grep("a\nb"), "line end cannot be found"),
        (Grep("x", "huge"), "too large"),
    ],
)
async def test_what_cannot_be_searched_is_a_sentence(
    context: Context, call: Grep, words: str
) -> None:
    with (context.workspace.root / "huge").open("wb") as file:
        file.truncate(2 * 1024**3)
    outcome = await call.run(context)
    assert outcome.status == "error"
    assert words in outcome.text


async def test_a_folder_that_cannot_be_listed_is_not_called_empty(
    tmp_path: Path, context: Context
) -> None:
    opened(tmp_path)
    (context.workspace.root / "closed").mkdir()
    (context.workspace.root / "closed/a.py").write_text("one\n")
    (context.workspace.root / "closed").chmod(0o311)
    with without_privileges():
        outcomes = [
            await call.run(context) for call in (Grep("one", "closed"), Glob("*", "closed"))
        ]
    for outcome in outcomes:
        assert outcome.status == "error"
        assert outcome.text.startswith("closed: no permission to list it.")


async def test_a_cancelled_search_stops_soon(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, context: Context
) -> None:
    slow = tmp_path / "bin/rg"
    slow.parent.mkdir()
    slow.write_text(f"#!/bin/sh\necho $$ > {tmp_path}/pid\nexec sleep 60\n")
    slow.chmod(0o755)
    monkeypatch.setenv("PATH", f"{slow.parent}:{os.defpath}")
    task = asyncio.create_task(Grep("one").run(context))
    while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():  # noqa: ASYNC110 - another process writes it
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.get_running_loop().shutdown_default_executor()  # returns: the thread has ended
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


def test_the_call_says_what_it_touches() -> None:
    call = Grep("x", "../y", glob="*.py")
    assert call.summary() == "x in ../y (*.py)"
    assert [(access.kind, access.target) for access in call.accesses()] == [("read", "../y")]
