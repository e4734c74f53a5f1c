"""Reading files and folders."""

import json
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from qcode.protocol.display import FileBlock
from qcode.tools.base import Context, Outcome
from qcode.tools.read import MOST_CHARACTERS, Read
from tests.tools.contexts import make_context


@pytest.fixture
async def context(tmp_path: Path) -> AsyncIterator[Context]:
    made, runner = make_context(tmp_path)
    yield made
    await runner.close()


def put(context: Context, name: str, data: str | bytes) -> Path:
    file = context.workspace.root / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data.encode() if isinstance(data, str) else data)
    return file


async def reply(context: Context, path: str, first: int = 1, last: int = 0) -> str:
    outcome = await Read(path, first, last).run(context)
    assert outcome.status == "ok", outcome.text
    return outcome.text


async def refusal(context: Context, path: str, first: int = 1, last: int = 0) -> str:
    outcome: Outcome = await Read(path, first, last).run(context)
    assert outcome.status == "error", outcome.text
    assert not context.seen
    return outcome.text


async def test_lines_come_numbered_below_a_head(context: Context) -> None:
    file = put(context, "src/a.py", "def f():\n    return 1\n")
    outcome = await Read("./src/../src/a.py").run(context)
    assert outcome.text == ("src/a.py, lines 1-2 of 2\n    1\tdef f():\n    2\t    return 1")
    assert outcome.blocks == (FileBlock("src/a.py", 1, 2, 2),)
    assert list(context.seen) == [file]


async def test_a_range_is_shown_alone(context: Context) -> None:
    put(context, "a", "".join(f"{number}\n" for number in range(1, 21)))
    assert await reply(context, "a", 3, 4) == "a, lines 3-4 of 20\n    3\t3\n    4\t4"
    assert await reply(context, "a", 20, 99) == "a, line 20 of 20\n   20\t20"
    assert (await reply(context, "a", 0, 1)).startswith("a, line 1 of 20")
    assert await refusal(forgetful(context), "a", 21) == "a has only 20 lines."
    assert "lies before" in await refusal(forgetful(context), "a", 5, 2)


def forgetful(context: Context) -> Context:
    context.seen.clear()
    return context


async def test_a_long_file_is_cut_and_says_how_to_go_on(context: Context) -> None:
    put(context, "a", "".join(f"{number}\n" for number in range(1, 1001)))
    text = await reply(context, "a")
    assert text.startswith("a, lines 1-400 of 1000\n")
    assert text.endswith("  400\t400\n[600 more lines. Go on with first_line 401.]")
    assert (await reply(context, "a", 401, 1000)).startswith("a, lines 401-800 of 1000\n")
    put(context, "wide", ("x" * 999 + "\n") * 100)
    text = await reply(context, "wide")
    assert len(text) < MOST_CHARACTERS + 200
    assert "Go on with first_line 32.]" in text


async def test_a_line_of_300_kb_does_not_reach_the_model_whole(context: Context) -> None:
    put(context, "a.min.js", "x" * 300_000 + "\nend\n")
    text = await reply(context, "a.min.js")
    assert len(text) < 3000
    assert "x… [cut, 300,000 characters]" in text
    assert "    2\tend" in text
    assert "sed -n 1p FILE | cut -c 2001-" in text


@pytest.mark.parametrize(
    ("data", "head", "line"),
    [
        ("größe\r\n".encode(), "a, line 1 of 1, CRLF line ends", "größe"),
        ("\ufeffgröße\n".encode(), "a, line 1 of 1, UTF-8 with BOM", "größe"),
        ("größe\n".encode("utf-16"), "a, line 1 of 1, UTF-16", "größe"),
        ("größe\n".encode("latin-1"), "a, line 1 of 1, latin-1", "größe"),
        (b"no end", "a, line 1 of 1", "no end"),
        (b"\n", "a, line 1 of 1", ""),
    ],
)
async def test_how_the_file_is_written_is_said(
    context: Context, data: bytes, head: str, line: str
) -> None:
    put(context, "a", data)
    assert await reply(context, "a") == f"{head}\n    1\t{line}"


async def test_a_file_of_2_gb_is_read_by_ranges(context: Context) -> None:
    file = put(context, "huge", "".join(f"{number}\n" for number in range(1, 100_001)))
    os.truncate(file, 2 * 1024**3)
    text = await reply(context, "huge", 50_000, 50_001)
    assert text.startswith(
        "huge, lines 50000-50001; 2,147,483,648 bytes in all, lines not counted\n"
        "50000\t50000\n50001\t50001\n"
    )
    assert "Go on with first_line 50002" in text
    assert (await reply(context, "huge")).count("\n") == 401


async def test_a_notebook_is_shown_without_its_outputs(context: Context) -> None:
    cell = {
        "cell_type": "code",
        "source": ["print(1)\n"],
        "outputs": [{"data": {"image/png": "A" * 9000}}],
    }
    put(context, "a.ipynb", json.dumps({"cells": [cell], "nbformat": 4}))
    text = await reply(context, "a.ipynb")
    assert "notebook with its outputs cut" in text
    assert "(9,000 characters, cut)" in text
    assert '"print(1)\\n"' in text
    put(context, "b.ipynb", "no json")
    assert await reply(context, "b.ipynb") == "b.ipynb, line 1 of 1\n    1\tno json"


async def test_what_is_no_text_file_is_a_sentence(context: Context) -> None:
    put(context, "a.png", b"\x89PNG\r\n\x1a\n" + b"\0" * 100)
    put(context, "a.bin", b"a\0b")
    assert await refusal(context, "a.png") == (
        "a.png is PNG image (108 bytes) and cannot be read as text."
    )
    assert "binary data" in await refusal(context, "a.bin")
    assert "no ordinary file" in await refusal(context, "/dev/zero")


async def test_an_empty_file_says_so_and_counts_as_read(context: Context) -> None:
    file = put(context, "empty", "")
    assert await reply(context, "empty") == "empty is empty (0 bytes)."
    assert file in context.seen


async def test_a_folder_is_listed(context: Context) -> None:
    put(context, "src/a.py", "")
    put(context, "src/sub/b.py", "")
    assert await reply(context, "src") == "src is a folder. In it (2):\na.py\nsub/"
    (context.workspace.root / "void").mkdir()
    assert await reply(context, "void/") == "void is an empty folder."
    for number in range(300):
        put(context, f"many/{number:03}", "")
    text = await reply(context, "many")
    assert text.count("\n") == 101
    assert text.endswith("[and 200 more; glob finds files by name]")


async def test_a_missing_file_brings_the_nearest_names(context: Context) -> None:
    put(context, "src/main.py", "")
    assert await refusal(context, "main.py") == (
        "main.py does not exist. Did you mean src/main.py?"
    )
    assert await refusal(context, "src/mian.py") == (
        "src/mian.py does not exist. Did you mean src/main.py?"
    )
    assert "glob finds files by name" in await refusal(context, "nothing-like-it")
    assert "part of this path is a file" in await refusal(context, "src/main.py/x")
    assert "no file name can have" in await refusal(context, "a\0b")


def test_the_call_says_what_it_touches() -> None:
    call = Read("../a", 3, 9)
    assert call.summary() == "../a:3-9"
    assert Read("a\nb").summary() == "a"
    assert [(access.kind, access.target) for access in call.accesses()] == [("read", "../a")]
