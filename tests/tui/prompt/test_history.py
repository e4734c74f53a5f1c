"""Earlier prompts and drafts survive, together with those of other processes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qcode.tui.prompt import history
from qcode.tui.prompt.drafts import DraftFile
from qcode.tui.prompt.history import HistoryFile, Recall
from qcode.tui.prompt.writing import EMPTY, Writing

posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes and locks")

_APPEND = """
import sys
from pathlib import Path
from qcode.tui.prompt.history import HistoryFile
from qcode.tui.prompt.writing import Writing
for number in range(200):
    HistoryFile(Path(sys.argv[1])).append(Writing(f"{sys.argv[2]} {number} " + "x" * 2000))
"""


def test_what_was_kept_is_read_again_in_its_order(tmp_path: Path) -> None:
    file = HistoryFile(tmp_path / "deep" / "h.jsonl")
    entries = [Writing("one\ntwo"), Writing("[pasted #1: 3 lines]", {1: "a\nb\nc"})]
    for entry in entries:
        file.append(entry)
    assert file.read() == entries


@posix
def test_nobody_else_can_read_it(tmp_path: Path) -> None:
    file = HistoryFile(tmp_path / "h.jsonl")
    file.append(Writing("secret plan"))
    assert (tmp_path / "h.jsonl").stat().st_mode & 0o777 == 0o600


def test_a_line_that_cannot_be_read_costs_only_itself(tmp_path: Path) -> None:
    path = tmp_path / "h.jsonl"
    file = HistoryFile(path)
    file.append(Writing("good"))
    with path.open("ab") as out:
        out.write(b'{"text": \xff\xfe\nnot json\n{"text": 7}\n')
    file.append(Writing("better"))
    assert [entry.text for entry in file.read()] == ["good", "better"]


def test_it_does_not_grow_beyond_its_bound_and_keeps_the_newest(tmp_path: Path) -> None:
    file = HistoryFile(tmp_path / "h.jsonl")
    for number in range(60):
        file.append(Writing(f"{number} " + "x" * 90_000))
    assert (tmp_path / "h.jsonl").stat().st_size <= history.FILE_BYTES
    texts = [entry.text.split()[0] for entry in file.read()]
    assert texts == [str(number) for number in range(60 - len(texts), 60)]
    assert len(texts) > 5


def test_a_prompt_as_long_as_a_file_is_not_kept(tmp_path: Path) -> None:
    file = HistoryFile(tmp_path / "h.jsonl")
    file.append(Writing("x" * history.ENTRY_BYTES))
    assert file.read() == []


@posix
def test_two_processes_lose_no_line_of_each_other(tmp_path: Path) -> None:
    path = tmp_path / "h.jsonl"
    running = [
        subprocess.Popen([sys.executable, "-c", _APPEND, str(path), name]) for name in ("a", "b")
    ]
    assert [process.wait(60) for process in running] == [0, 0]
    entries = [entry.text.rpartition(" ")[0] for entry in HistoryFile(path).read()]
    assert sorted(entries) == sorted(f"{name} {number}" for name in "ab" for number in range(200))


def test_repeats_and_what_begins_with_a_blank_are_not_kept() -> None:
    recall = Recall()
    assert recall.add(Writing("one"))
    assert not recall.add(Writing("one"))
    assert not recall.add(Writing(" secret"))
    assert not recall.add(Writing("\n"))


@given(st.lists(st.text("ab", min_size=1, max_size=3), max_size=8), st.text("xy", max_size=3))
def test_going_up_to_the_end_and_down_again_leads_back(texts: list[str], unsent: str) -> None:
    recall = Recall([Writing(text) for text in texts])
    now = Writing(unsent)
    seen = []
    while (entry := recall.older(now)) is not None:
        seen.append(entry.text)
    assert seen == texts[::-1]
    last = now
    while (back := recall.newer()) is not None:
        last = back
    assert last == now


def test_search_finds_the_newest_first_and_heeds_capitals_only_if_there_are_any() -> None:
    recall = Recall([Writing("Fix API"), Writing("fix tests"), Writing("Fix API"), Writing("run")])
    assert [entry.text for entry in recall.matches("fix")] == ["Fix API", "fix tests"]
    assert [entry.text for entry in recall.matches("Fix")] == ["Fix API"]


def test_a_draft_of_a_living_process_is_left_alone(tmp_path: Path) -> None:
    drafts = DraftFile(tmp_path, "key")
    drafts.keep(Writing("mine"))
    assert drafts.left() == EMPTY
    drafts.keep(EMPTY)
    assert list(tmp_path.iterdir()) == []


def test_the_newest_draft_of_the_dead_is_offered_once(tmp_path: Path) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait(60)
    for number, text in ((dead.pid, "lost"), (99_999_999, "older")):
        DraftFile(tmp_path, "key").keep(Writing(text))
        own = tmp_path / f"key.{os.getpid()}.json"
        own.rename(tmp_path / f"key.{number}.json")
    os.utime(tmp_path / "key.99999999.json", (0, 0))
    assert DraftFile(tmp_path, "key").left() == Writing("lost")
    assert DraftFile(tmp_path, "key").left() == EMPTY
