"""The index: quick, and never the truth."""

import os
import sqlite3
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from qcode.protocol.events import Renamed, Steered
from qcode.protocol.messages import user
from qcode.session.index import Index
from qcode.session.store import Store
from qcode.session.tables import FullText
from tests.session.histories import one_turn, started


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "sessions"


@pytest.fixture(params=["fts5", "like"])
def index(root: Path, request: pytest.FixtureRequest) -> Index:
    full_text: FullText = request.param
    return Index(root, full_text)


def saved(root: Path, folder: str, prompt: str, said: str = "Fixed.") -> str:
    with Store(root).create(Path(folder)) as log:
        log.append(started(log.session_id, folder))
        for event in one_turn(1, prompt, said):
            log.append(event)
    return log.session_id


def test_prompts_answers_commands_and_steering_are_found(root: Path, index: Index) -> None:
    session_id = saved(root, "/a", "Why is the basket empty?", "The total was cached.")
    with Store(root).resume(session_id).log as log:
        log.append(Steered(user("Leave the tests alone.", "steer")))
    found = {words: index.search(words) for words in ("basket", "cached", "pytest", "alone")}
    assert [hits[0].kind for hits in found.values()] == ["prompt", "answer", "command", "prompt"]
    assert all(hits[0].id == session_id for hits in found.values())
    assert "basket empty" in found["basket"][0].snippet


def test_all_words_must_be_in_one_passage(root: Path, index: Index) -> None:
    saved(root, "/a", "red apple", "green pear")
    assert len(index.search("apple red")) == 1
    assert index.search("red pear") == []


@pytest.mark.parametrize("words", ["APPLE", "app", "苹果", "好吃", "100%", "a_b", 'say "hi"'])
def test_capitals_parts_of_words_chinese_and_signs_are_found(
    root: Path, index: Index, words: str
) -> None:
    saved(root, "/a", '一个苹果很好吃 apple 100% a_b say "hi"')
    saved(root, "/a", "nothing of it")
    assert len(index.search(words)) == 1


@pytest.mark.parametrize(
    "words", ["", "  ", '"', "AND", "a OR", "(", "*", "%", "\0", "NEAR(", "-x"]
)
def test_no_words_break_the_search(root: Path, index: Index, words: str) -> None:
    saved(root, "/a", "plain prompt")
    assert index.search(words) == []


def test_a_search_may_be_limited_to_a_project(root: Path, index: Index) -> None:
    first, second = saved(root, "/a", "apple"), saved(root, "/b", "apple")
    assert {hit.id for hit in index.search("apple")} == {first, second}
    project = Store(root).path(first).parent.name
    assert [hit.id for hit in index.search("apple", project)] == [first]


def test_one_session_does_not_crowd_out_the_others(root: Path, index: Index) -> None:
    other = saved(root, "/a", "apple")
    talkative = saved(root, "/a", "apple")
    with Store(root).resume(talkative).log as log:
        for _ in range(20):
            log.append(Steered(user("apple", "steer")))
    ids = [hit.id for hit in index.search("apple", limit=10)]
    assert (ids.count(talkative), ids.count(other)) == (3, 1)


def test_snippets_are_one_line_without_control_characters(root: Path, index: Index) -> None:
    saved(root, "/a", "x" * 300 + "\n\x1b[31mapple\x1b[0m\n" + "y" * 300)
    snippet = index.search("apple")[0].snippet
    assert snippet.isprintable()
    assert "apple" in snippet


def test_what_was_appended_changed_or_deleted_is_seen(root: Path, index: Index) -> None:
    session_id = saved(root, "/a", "apple")
    assert index.search("apple")
    store = Store(root)
    with store.resume(session_id).log as log:
        log.append(Steered(user("pear", "steer")))
        log.append(Renamed("fruit"))
    assert index.search("pear")[0].title == "fruit"
    store.delete(session_id)
    assert index.search("apple") == index.search("pear") == []
    assert index.summaries() == []


def test_a_missing_index_is_built_again(root: Path, index: Index) -> None:
    session_id = saved(root, "/a", "apple")
    assert index.search("apple")
    index.path.unlink()
    assert [hit.id for hit in index.search("apple")] == [session_id]


@pytest.mark.parametrize("junk", [b"", b"not a database at all, but long enough to be one" * 99])
def test_a_broken_index_is_built_again(root: Path, index: Index, junk: bytes) -> None:
    session_id = saved(root, "/a", "apple")
    index.path.write_bytes(junk)
    assert [summary.id for summary in index.summaries()] == [session_id]
    assert index.path.read_bytes().startswith(b"SQLite format 3")


def test_a_damaged_page_is_healed(root: Path, index: Index) -> None:
    saved(root, "/a", "apple " + "filling " * 5000)
    before = index.summaries()
    data = bytearray(index.path.read_bytes())
    data[4096 : len(data) // 2] = os.urandom(len(data) // 2 - 4096)
    index.path.write_bytes(data)
    assert index.summaries() == before
    assert index.search("apple")


def test_an_index_of_another_making_is_built_again(root: Path, index: Index) -> None:
    session_id = saved(root, "/a", "apple")
    with sqlite3.connect(index.path) as connection:
        connection.execute("CREATE TABLE logs (other TEXT)")
        connection.execute("PRAGMA user_version = 77")
    connection.close()
    assert [hit.id for hit in index.search("apple")] == [session_id]


def test_a_row_that_was_tampered_with_is_built_again(root: Path, index: Index) -> None:
    session_id = saved(root, "/a", "apple")
    index.summaries()
    with sqlite3.connect(index.path) as connection:
        connection.execute("UPDATE logs SET summary = 'nonsense'")
    connection.close()
    assert [summary.id for summary in index.summaries()] == [session_id]


def test_a_file_that_cannot_be_an_index_does_not_matter(root: Path, index: Index) -> None:
    session_id = saved(root, "/a", "apple")
    index.path.mkdir()
    assert [hit.id for hit in index.search("apple")] == [session_id]


def test_only_the_owner_may_read_the_index(root: Path, index: Index) -> None:
    saved(root, "/a", "apple")
    index.summaries()
    if os.name == "posix":
        assert stat.S_IMODE(index.path.stat().st_mode) == 0o600


def test_unchanged_logs_are_not_read_again(root: Path, index: Index) -> None:
    session_id = saved(root, "/a", "apple")
    index.summaries()
    path = Store(root).path(session_id)
    found = path.stat()
    path.write_bytes(b"#" * found.st_size)
    os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns))
    assert index.summaries()[0].title == "apple"
    os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns + 1))
    assert not index.summaries()[0].usable


SEEKER = """
import sys
from pathlib import Path
from qcode.session.store import Store

store = Store(Path(sys.argv[1]))
for _ in range(10):
    assert len(store.search("apple", limit=100)) == 30, len(store.search("apple", limit=100))
    assert len(store.list()) == 30
"""


def test_processes_that_build_the_index_at_once_all_find_everything(root: Path) -> None:
    for number in range(30):
        saved(root, f"/{number}", "apple")
    command = [sys.executable, "-c", SEEKER, str(root)]
    seekers = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    assert [seeker.communicate()[1] for seeker in seekers] == ["", "", ""]
    assert [seeker.returncode for seeker in seekers] == [0, 0, 0]


def test_a_search_bears_that_another_renews_the_index(root: Path) -> None:
    paths = [Store(root).path(saved(root, f"/{number}", "apple")) for number in range(20)]
    done = threading.Event()

    def renew() -> None:
        while not done.is_set():
            for path in paths:
                os.utime(path)
            Index(root).summaries()

    other = threading.Thread(target=renew)
    other.start()
    try:
        assert [len(Index(root).search("apple")) for _ in range(100)] == [20] * 100
    finally:
        done.set()
        other.join()


def test_opening_the_store_does_not_load_sqlite() -> None:
    code = "import sys, qcode.session.store; sys.exit('sqlite3' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
