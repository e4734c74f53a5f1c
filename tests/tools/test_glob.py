"""Finding files by name."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from qcode.protocol.display import MatchesBlock
from qcode.tools.base import Context
from qcode.tools.glob import Glob
from tests.tools.contexts import make_context


@pytest.fixture
async def context(tmp_path: Path) -> AsyncIterator[Context]:
    made, runner = make_context(tmp_path)
    for name in ("a.py", "src/b.py", "src/c.ts", "out/d.py", "src/.hidden.py"):
        (made.workspace.root / name).parent.mkdir(exist_ok=True)
        (made.workspace.root / name).write_text("")
    (made.workspace.root / ".gitignore").write_text("out/\n")
    yield made
    await runner.close()


async def test_files_come_in_path_order_without_ignored_ones(context: Context) -> None:
    outcome = await Glob("*.py").run(context)
    assert outcome.text == "3 files match *.py:\na.py\nsrc/.hidden.py\nsrc/b.py"
    assert outcome.blocks == (MatchesBlock("*.py", ("a.py", "src/.hidden.py", "src/b.py"), 3),)


async def test_a_folder_limits_the_search(context: Context) -> None:
    assert (await Glob("*.{ts,js}", "src").run(context)).text == (
        "1 file matches *.{ts,js}:\nsrc/c.ts"
    )
    assert (await Glob("*", "out").run(context)).text == "1 file matches *:\nout/d.py"
    pattern = f"{context.workspace.root}/src/*.ts"
    assert (await Glob(pattern).run(context)).text.endswith(":\nsrc/c.ts")


async def test_no_match_is_no_error(context: Context) -> None:
    outcome = await Glob("*.rs").run(context)
    assert outcome.status == "ok"
    assert outcome.text.startswith("No file matches *.rs.")


async def test_many_paths_are_cut_with_a_note(context: Context) -> None:
    for number in range(250):
        (context.workspace.root / f"{number:03}.txt").write_text("")
    outcome = await Glob("*.txt").run(context)
    assert outcome.text.startswith("More than 200 files match *.txt; the first are:\n000.txt\n")
    assert outcome.text.endswith("199.txt\n[cut; narrow the pattern or set path]")


@pytest.mark.parametrize(
    ("pattern", "path", "words"),
    [("/etc/*", ".", "set path"), ("../*", ".", "set path"), ("*", "a.py", "no folder"),
     ("*", "nope", "no folder")],
)  # fmt: skip
async def test_a_place_that_cannot_be_searched_is_a_sentence(
    context: Context, pattern: str, path: str, words: str
) -> None:
    outcome = await Glob(pattern, path).run(context)
    assert outcome.status == "error"
    assert words in outcome.text


def test_the_call_says_what_it_touches() -> None:
    assert Glob("*.py").summary() == "*.py"
    call = Glob("*.py", "../x")
    assert call.summary() == "*.py in ../x"
    assert [(access.kind, access.target) for access in call.accesses()] == [("read", "../x")]
