"""Making files, and replacing those that were read."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from qcode.protocol.display import DiffBlock
from qcode.tools.base import Context
from qcode.tools.read import Read
from qcode.tools.write import Write
from tests.tools.contexts import make_context


@pytest.fixture
async def context(tmp_path: Path) -> AsyncIterator[Context]:
    made, runner = make_context(tmp_path)
    yield made
    await runner.close()


async def refusal(context: Context, path: str, content: str) -> str:
    outcome = await Write(path, content).run(context)
    assert (outcome.status, outcome.edited) == ("error", ())
    return outcome.text


async def test_a_file_is_made_with_its_folders(context: Context) -> None:
    outcome = await Write("src/deep/a.py", "a = 1\nb = 2\n").run(context)
    assert outcome.text == "Created src/deep/a.py (2 lines)."
    assert outcome.edited == ("src/deep/a.py",)
    assert outcome.blocks == (
        DiffBlock(
            "src/deep/a.py",
            "--- a/src/deep/a.py\n+++ b/src/deep/a.py\n@@ -0,0 +1,2 @@\n+a = 1\n+b = 2\n",
            2,
            0,
        ),
    )
    assert (context.workspace.root / "src/deep/a.py").read_bytes() == b"a = 1\nb = 2\n"


async def test_what_was_written_may_be_written_again(context: Context) -> None:
    await Write("a", "one\n").run(context)
    outcome = await Write("a", "two\nthree").run(context)
    assert outcome.text == "Replaced a (+2 -1, now 2 lines)."
    outcome = await Write("a", "two\nthree").run(context)
    assert outcome.text == "a already holds exactly this."
    assert outcome.edited == ()


async def test_a_file_that_was_not_read_is_not_replaced(context: Context) -> None:
    file = context.workspace.root / "a"
    file.write_text("theirs")
    assert "was not read yet" in await refusal(context, "a", "mine")
    assert file.read_text() == "theirs"
    await Read("a").run(context)
    assert (await Write("a", "mine").run(context)).status == "ok"
    (context.workspace.root / "empty").write_text("")
    assert (await Write("empty", "mine").run(context)).status == "ok"


async def test_a_file_that_changed_since_it_was_read_is_not_replaced(context: Context) -> None:
    file = context.workspace.root / "a"
    file.write_text("one")
    await Read("a").run(context)
    file.write_text("theirs")
    assert "changed on disk since it was read" in await refusal(context, "a", "mine")
    assert file.read_text() == "theirs"
    await Read("a").run(context)
    assert (await Write("a", "mine").run(context)).status == "ok"


async def test_encoding_and_line_ends_of_the_file_stay(context: Context) -> None:
    file = context.workspace.root / "a"
    file.write_bytes("größe\r\nzwei\r\n".encode("utf-16"))
    await Read("a").run(context)
    await Write("a", "größer\ndrei\n").run(context)
    assert file.read_bytes() == "größer\r\ndrei\r\n".encode("utf-16")
    file.write_bytes("größe\n".encode("latin-1"))
    await Read("a").run(context)
    assert "latin-1, which has no character '→' (U+2192)" in await refusal(context, "a", "a → b\n")
    assert file.read_bytes() == "größe\n".encode("latin-1")


async def test_content_with_lone_surrogates_is_made_valid(context: Context) -> None:
    outcome = await Write("a", "x\udc80y").run(context)
    assert outcome.status == "ok"
    assert (context.workspace.root / "a").read_text() == "x\ufffdy"


async def test_a_placeholder_does_not_replace_code(context: Context) -> None:
    await Write("a.py", "def f():\n    return 1\n").run(context)
    text = await refusal(context, "a.py", "x = 1\n# ... rest of the code ...\n")
    assert "stands for code that was left out" in text
    outcome = await Write("new.md", "# ... rest of the code ...\n").run(context)
    assert outcome.status == "ok"  # nothing is there to be lost


async def test_what_cannot_be_written_is_a_sentence(context: Context) -> None:
    root = context.workspace.root
    (root / "sub").mkdir()
    (root / "file").write_text("")
    (root / "b.png").write_bytes(b"\x89PNG\0")
    assert "sub is a folder" in await refusal(context, "sub", "x")
    assert "names a folder" in await refusal(context, "new/", "x")
    assert "part of this path is a file" in await refusal(context, "file/x", "x")
    assert "b.png is PNG image; write only replaces text" in await refusal(context, "b.png", "x")
    assert "no file name can have" in await refusal(context, "a\0b", "x")
    assert sorted(path.name for path in root.iterdir()) == ["b.png", "file", "sub"]


def test_the_call_says_what_it_touches() -> None:
    call = Write("a", "text")
    assert call.summary() == "a"
    assert [(access.kind, access.target) for access in call.accesses()] == [("edit", "a")]
