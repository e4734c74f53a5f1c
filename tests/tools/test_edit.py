"""Replacing one passage of a file."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Literal

import pytest

from qcode.protocol.display import DiffBlock
from qcode.tools.base import Context
from qcode.tools.edit import Edit
from qcode.tools.read import Read
from tests.tools.contexts import make_context

CODE = """\
def one():
    return 1


def two():
    return 2


def three():
    return 1
"""


@pytest.fixture
async def context(tmp_path: Path) -> AsyncIterator[Context]:
    made, runner = make_context(tmp_path)
    (made.workspace.root / "a.py").write_text(CODE)
    yield made
    await runner.close()


def code(context: Context) -> str:
    return (context.workspace.root / "a.py").read_text()


async def edit(context: Context, old: str, new: str, count: Literal["one", "all"] = "one") -> str:
    outcome = await Edit("a.py", old, new, count).run(context)
    assert outcome.status == "ok", outcome.text
    assert outcome.edited == ("a.py",)
    return outcome.text


async def refusal(
    context: Context, old: str, new: str, count: Literal["one", "all"] = "one"
) -> str:
    before = code(context)
    outcome = await Edit("a.py", old, new, count).run(context)
    assert (outcome.status, outcome.edited, outcome.blocks) == ("error", (), ())
    assert code(context) == before
    assert outcome.text.startswith("a.py")
    return outcome.text


async def test_an_exact_passage_is_replaced_also_in_a_file_not_read(context: Context) -> None:
    outcome = await Edit("a.py", "    return 2\n", "    x = 2\n    return x\n").run(context)
    assert outcome.text == "Edited a.py, now lines 6-7."
    assert code(context) == CODE.replace("    return 2\n", "    x = 2\n    return x\n")
    (block,) = outcome.blocks
    assert isinstance(block, DiffBlock)
    assert (block.added, block.removed) == (2, 1)
    assert "-    return 2\n+    x = 2\n+    return x\n" in block.patch
    assert not context.seen  # it is known in part only: write must not replace the rest


async def test_every_occurrence_is_replaced_when_asked_for(context: Context) -> None:
    assert await edit(context, "return 1", "return 0", "all") == "Edited a.py: 2 places replaced."
    assert code(context) == CODE.replace("return 1", "return 0")


async def test_several_occurrences_are_refused_with_their_lines(context: Context) -> None:
    text = await refusal(context, "    return 1\n", "    return 0\n")
    assert "occurs 2 times, not once: lines 2, 10." in text
    assert 'set count to "all"' in text


async def test_loose_steps_need_a_file_that_was_read(context: Context) -> None:
    text = await refusal(context, "def two():  \n    return 2", "def two():\n    return 3")
    assert "old_string is not in the file" in text
    await Read("a.py").run(context)
    text = await edit(context, "def two():  \n    return 2", "def two():\n    return 3")
    assert text == (
        "Edited a.py (blanks at line ends ignored). It now reads, lines 5-6:\n"
        "    5\tdef two():\n    6\t    return 3"
    )
    assert code(context) == CODE.replace("return 2", "return 3")


async def test_loose_steps_never_replace_all(context: Context) -> None:
    await Read("a.py").run(context)
    text = await refusal(context, "return 1  \n", "return 0\n", "all")
    assert "occurs 2 times, not once (indentation shifted): lines 2, 10." in text
    assert "count" not in text


async def test_a_miss_shows_the_closest_passage(context: Context) -> None:
    await Read("a.py").run(context)
    text = await refusal(context, "def two():\n    return 22\n", "x\n")
    assert "The closest is lines 5-6:\n    3\t\n    4\t\n    5\tdef two():\n" in text
    assert "Line 6 is the first that differs. Copy old_string from there." in text
    assert "Nothing in it resembles" in await refusal(context, "wholly different words", "x")
    assert "escaped once too often" in await refusal(context, "def two():\\n    return 2", "x")


async def test_a_change_that_is_there_already_is_told(context: Context) -> None:
    await Read("a.py").run(context)
    await edit(context, "return 2", "return 22 + 0")
    text = await refusal(context, "    return 2\n", "    return 22 + 0\n")
    assert "new_string is already there, line 6" in text
    assert "    6\t    return 22 + 0" in text


async def test_a_file_that_changed_since_it_was_read_is_refused_once(context: Context) -> None:
    await Read("a.py").run(context)
    changed = CODE.replace("def two():", "# theirs\ndef two():")
    (context.workspace.root / "a.py").write_text(changed)
    text = await refusal(context, "    return 2\n", "    return 3\n")
    assert "changed on disk since it was read" in text
    assert "    5\t# theirs\n    6\tdef two():\n    7\t    return 2\n" in text
    await edit(context, "    return 2\n", "    return 3\n")  # it has seen the place now
    assert code(context) == changed.replace("return 2", "return 3")


async def test_edits_follow_one_another_without_reading_again(context: Context) -> None:
    await Read("a.py").run(context)
    for number in range(3, 6):
        await edit(context, f"return {number - 1}\n", f"return {number}\n")
    assert "return 5\n" in code(context)


async def test_edits_of_one_step_do_not_lose_each_other(context: Context) -> None:
    await Read("a.py").run(context)
    calls = [Edit("a.py", f"def {name}", f"def new_{name}") for name in ("one", "two", "three")]
    outcomes = await asyncio.gather(*(call.run(context) for call in calls))
    assert [outcome.status for outcome in outcomes] == ["ok"] * 3
    assert code(context).count("def new_") == 3


async def test_useless_arguments_are_refused(context: Context) -> None:
    assert "are equal" in await refusal(context, "return 2", "return 2")
    assert "old_string is empty" in await refusal(context, "", "x")
    text = await refusal(context, "    return 2", "    # ... existing code ...\n    return 3")
    assert "stands for code that was left out" in text


async def test_an_emptied_passage_is_deleted(context: Context) -> None:
    assert await edit(context, "def two():\n    return 2\n\n\n", "") == "Edited a.py, now line 5."
    assert code(context) == CODE.replace("def two():\n    return 2\n\n\n", "")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"\xef\xbb\xbfa\r\nold\r\nz", b"\xef\xbb\xbfa\r\nnew\r\nline\r\nz"),
        (b"a\nold\nb\r\nc\r\n", b"a\nnew\nline\nb\r\nc\r\n"),
        (b"a\nold\r\nb\nc\n", b"a\nnew\r\nline\r\nb\nc\n"),
        (b"a\r\nb\r\nold", b"a\r\nb\r\nnew\r\nline"),
        ("ä\r\nold\r\n".encode("utf-16"), "ä\r\nnew\r\nline\r\n".encode("utf-16")),
        ("\ufeffä\nold".encode("utf-16-be"), "\ufeffä\nnew\nline".encode("utf-16-be")),
        ("\ufeffä\nold".encode("utf-32-le"), "\ufeffä\nnew\nline".encode("utf-32-le")),
        ("ä\nold".encode("utf-16-be"), None),
        ("größe\nold\n".encode("latin-1"), "größe\nnew\nline\n".encode("latin-1")),
        (b"\xc3\xb6\xff\xfe\x80\nold\n\xc3", b"\xc3\xb6\xff\xfe\x80\nnew\nline\n\xc3"),
        (b"old", b"new\nline"),
        (b"a\x0c\x1c\x85\rold\r\n", b"a\x0c\x1c\x85\rnew\r\nline\r\n"),
    ],
)
async def test_bytes_beside_the_passage_never_change(
    context: Context, before: bytes, after: bytes | None
) -> None:
    file = context.workspace.root / "a"
    file.write_bytes(before)
    outcome = await Edit("a", "old", "new\nline").run(context)
    assert file.read_bytes() == (after if after is not None else before)
    assert (outcome.status == "ok") == (after is not None)


async def test_a_character_that_the_file_cannot_hold_is_named(context: Context) -> None:
    file = context.workspace.root / "a"
    file.write_bytes("größe old\n".encode("latin-1"))
    outcome = await Edit("a", "old", "→").run(context)
    assert "written in latin-1, which has no character '→'" in outcome.text
    assert file.read_bytes() == "größe old\n".encode("latin-1")


async def test_what_cannot_be_edited_is_a_sentence(context: Context) -> None:
    root = context.workspace.root
    (root / "sub").mkdir()
    (root / "b.png").write_bytes(b"\x89PNG\0")
    with (root / "huge").open("wb") as file:
        file.truncate(2 * 1024**3)
    for path, words in {
        "sub": "sub is a folder",
        "b.png": "b.png is PNG image and cannot be edited as text",
        "sub/a.py": "Did you mean a.py?",
        "huge": "2,147,483,648 bytes",
    }.items():
        outcome = await Edit(path, "old", "new").run(context)
        assert outcome.status == "error"
        assert words in outcome.text


async def test_a_reply_about_a_long_line_stays_short(context: Context) -> None:
    (context.workspace.root / "a.py").write_text("x = 1\n" + "y" * 300_000 + "\nz = 3\n")
    await Read("a.py").run(context)
    for old in ("y" * 200_000 + "z", "z = 33"):
        outcome = await Edit("a.py", old, "w").run(context)
        assert len(outcome.text) < 8000


def test_the_call_says_what_it_touches() -> None:
    call = Edit("a", "x", "y")
    assert call.summary() == "a"
    assert [(access.kind, access.target) for access in call.accesses()] == [("edit", "a")]
