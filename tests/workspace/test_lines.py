"""Lines of files too large to be read whole."""

import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qcode.workspace.files import Workspace, digest_now
from qcode.workspace.lines import some_lines
from qcode.workspace.notebook import cut_notebook
from qcode.workspace.trouble import FileTrouble


@given(
    st.lists(st.text(alphabet="aé", max_size=5), min_size=1, max_size=12),
    st.integers(1, 14),
    st.integers(1, 5),
)
def test_lines_are_those_of_the_text(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str], first: int, count: int
) -> None:
    file = tmp_path_factory.getbasetemp() / "lines"
    file.write_bytes("\r\n".join(lines).encode())
    some = some_lines(Workspace(file.parent).resolve("lines"), first, count, 100)
    expected = lines if lines[-1] else lines[:-1]  # after the last line end there is no line
    assert list(some.lines) == expected[first - 1 : first - 1 + count]


def test_a_range_of_a_2_gb_file_is_read_without_loading_it(tmp_path: Path) -> None:
    file = tmp_path / "huge.log"
    with file.open("wb") as out:
        for block in range(200):
            out.write(
                b"".join(
                    b"line %d\n" % number for number in range(block * 1000, block * 1000 + 1000)
                )
            )
        out.write(b"x" * 3_000_000 + b"\nafter\n")
        out.truncate(2 * 1024**3)
    start = time.monotonic()
    located = Workspace(tmp_path).resolve("huge.log")
    some = some_lines(located, 150_001, 2, 100)
    assert some.lines == ("line 150000", "line 150001")
    assert some.size == 2 * 1024**3
    assert some.stamp == digest_now(located)
    some = some_lines(located, 200_001, 2, 100)
    assert some.lines == ("x" * 100, "after")
    assert some.lengths == (3_000_001, 6)
    assert time.monotonic() - start < 20


def test_a_large_binary_or_wide_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "b").write_bytes(b"\x89PNG" + b"\n" * 100)
    (tmp_path / "w").write_bytes("x\n".encode("utf-16"))
    space = Workspace(tmp_path)
    with pytest.raises(FileTrouble, match="b is PNG image"):
        some_lines(space.resolve("b"), 1, 1, 100)
    with pytest.raises(FileTrouble, match="only read by line ranges"):
        some_lines(space.resolve("w"), 1, 1, 100)


def test_a_notebook_keeps_its_source_and_loses_its_outputs() -> None:
    data = {"image/png": "A" * 50_000, "text/plain": ["x" * 900 + "\n", "2"]}
    cell = {"cell_type": "code", "source": ["a = 1\n", "a"], "outputs": [{"data": data}]}
    text = cut_notebook(json.dumps({"cells": [cell], "nbformat": 4}))
    assert text is not None
    assert '    "a = 1\\n",' in text
    assert "(50,000 characters, cut)" in text
    assert "(902 characters, cut)" in text
    assert len(text) < 2000


@pytest.mark.parametrize("text", ["", "{}", "[]", "{", '{"cells": 1}', "[" * 100_000])
def test_what_is_no_notebook_is_told(text: str) -> None:
    assert cut_notebook(text) is None
