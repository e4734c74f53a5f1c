"""The store: sessions are found, forked and deleted as files, whatever else lies about."""

import os
import re
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from qcode.protocol.errors import InputError, SessionError, SessionNotSaved
from qcode.protocol.events import Compacted, LoggedEvent, Parent, Renamed, Rewound, TurnStarted
from qcode.protocol.messages import user
from qcode.session.conversation import fold
from qcode.session.places import project
from qcode.session.store import Store
from tests.session.histories import one_turn, started


class Clock:
    """A clock that goes on by a second whenever it is read, and further when told to."""

    def __init__(self) -> None:
        self.time = datetime(2026, 11, 21, 9, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.time += timedelta(seconds=1)
        return self.time


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Store:
    return Store(tmp_path / "data" / "sessions", clock)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "My Shop"
    made.mkdir()
    return made


def saved(store: Store, folder: Path, *events: LoggedEvent) -> str:
    """A session with `events` after its first line; returns its id."""
    with store.create(folder) as log:
        log.append(started(log.session_id, str(folder)))
        for event in events:
            log.append(event)
    return log.session_id


def test_a_session_lies_in_a_readable_private_folder_of_its_project(
    store: Store, folder: Path
) -> None:
    session_id = saved(store, folder)
    path = store.path(session_id)
    assert re.fullmatch(r"20261121-0900-[0-9a-f]{4}", session_id)
    assert re.fullmatch(r"my-shop-[0-9a-f]{8}", path.parent.name)
    if os.name == "posix":
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        assert stat.S_IMODE(store.root.stat().st_mode) == 0o700


@pytest.mark.parametrize("name", ["a/b", "ünï", "..", "x" * 200, "日本"])
def test_a_project_name_is_safe_on_every_file_system(tmp_path: Path, name: str) -> None:
    assert re.fullmatch(r"[a-z0-9][a-z0-9-]{0,60}", project(tmp_path / name))


def test_a_link_to_a_folder_is_the_same_project_and_a_namesake_is_not(tmp_path: Path) -> None:
    real, other = tmp_path / "a" / "shop", tmp_path / "b" / "shop"
    real.mkdir(parents=True)
    (tmp_path / "link").symlink_to(real)
    assert project(tmp_path / "link") == project(real) != project(other)


def test_resuming_reads_back_and_appends(store: Store, folder: Path) -> None:
    session_id = saved(store, folder, *one_turn())
    resumed = store.resume(session_id)
    with resumed.log as log:
        assert log.append(Renamed("n")) == 12
    assert store.open(session_id).events[:-1] == resumed.opened.events


def test_a_fork_of_all_is_the_same_conversation_with_an_id_and_a_parent(
    store: Store, folder: Path
) -> None:
    session_id = saved(store, folder, *one_turn())
    forked = store.fork(session_id)
    forked.log.close()
    conversation = fold(forked.opened.events)
    assert conversation.parent == Parent(session_id, 11)
    assert conversation.session_id == forked.log.session_id != session_id
    assert conversation.messages == fold(store.open(session_id).events).messages


def test_event_numbers_are_the_same_in_fork_and_parent(store: Store, folder: Path) -> None:
    session_id = saved(store, folder, *one_turn())
    forked = store.fork(session_id, event=5)
    forked.log.close()
    parent = store.open(session_id)
    shared = [(entry.n, entry.at, entry.event) for entry in parent.entries[1:5]]
    assert [(entry.n, entry.at, entry.event) for entry in forked.opened.entries[1:]] == shared
    assert forked.opened.entries[0].at == parent.entries[0].at


def test_a_fork_survives_its_parent_and_goes_its_own_way(store: Store, folder: Path) -> None:
    session_id = saved(store, folder, *one_turn())
    forked = store.fork(session_id)
    with forked.log as log:
        store.delete(session_id)
        assert log.append(Renamed("mine")) == 12
    assert store.open(log.session_id).events[-1] == Renamed("mine")


def test_a_fork_before_a_turn_ends_where_that_turn_began(store: Store, folder: Path) -> None:
    session_id = saved(store, folder, *one_turn(1), *one_turn(2, "Second."))
    forked = store.fork(session_id, before_turn=2)
    forked.log.close()
    assert fold(forked.opened.events).live_turns == (1,)


def test_a_fork_of_a_fork_names_its_own_parent(store: Store, folder: Path) -> None:
    first = saved(store, folder, *one_turn())
    second = store.fork(first, event=3)
    second.log.close()
    third = store.fork(second.log.session_id)
    third.log.close()
    assert fold(third.opened.events).parent == Parent(second.log.session_id, 3)


def test_a_session_in_use_can_be_forked(store: Store, folder: Path) -> None:
    session_id = saved(store, folder, *one_turn())
    with store.resume(session_id).log:
        store.fork(session_id).log.close()


def test_unknown_events_go_along_into_a_fork(store: Store, folder: Path) -> None:
    session_id = saved(store, folder)
    strange = b'{"v":1,"n":2,"at":"x","type":"Dreamt","of":1}\n'
    with store.path(session_id).open("ab") as file:
        file.write(strange)
    forked = store.fork(session_id)
    forked.log.close()
    assert store.path(forked.log.session_id).read_bytes().endswith(strange)


@pytest.mark.parametrize(
    ("event", "before_turn", "sentence"),
    [(99, 0, "no event 99; its last is 11"), (0, 7, "no turn 7; it has: 1"), (-1, 0, "no event")],
)
def test_a_fork_at_a_place_that_is_not_there_is_refused(
    store: Store, folder: Path, event: int, before_turn: int, sentence: str
) -> None:
    session_id = saved(store, folder, *one_turn())
    with pytest.raises(SessionError, match=sentence):
        store.fork(session_id, event=event, before_turn=before_turn)
    assert len(store.list()) == 1


def test_a_list_is_of_one_folder_or_of_all_newest_first(
    store: Store, folder: Path, tmp_path: Path
) -> None:
    first = saved(store, folder, *one_turn(1, "First."))
    second = saved(store, folder, *one_turn(1, "Second."))
    other = saved(store, tmp_path, *one_turn())
    store.rename(first, "again")
    assert [summary.id for summary in store.list(folder)] == [first, second]
    assert {summary.id for summary in store.list()} == {first, second, other}
    newest = store.list(folder)[0]
    assert (newest.title, newest.turns, newest.generated_tokens, newest.edits) == (
        "again",
        1,
        25,
        1,
    )
    assert (newest.folder, newest.broken, newest.usable) == (str(folder), "", True)


def test_the_list_of_nothing_is_empty_and_makes_no_folder(store: Store, folder: Path) -> None:
    assert store.list() == ()
    assert not store.root.exists()


def test_a_cut_log_is_listed_and_says_what_is_lost(store: Store, folder: Path) -> None:
    session_id = saved(store, folder, *one_turn(1, "Hello."))
    path = store.path(session_id)
    path.write_bytes(path.read_bytes()[:-5])
    summary = store.list(folder)[0]
    assert (summary.title, summary.usable) == ("Hello.", True)
    assert "The log was cut" in summary.broken


def test_broken_files_are_listed_as_broken_and_stop_nobody(store: Store, folder: Path) -> None:
    good = saved(store, folder, *one_turn())
    place = store.path(good).parent
    (place / "empty.jsonl").write_bytes(b"")
    (place / "noise.jsonl").write_bytes(os.urandom(5000))
    (place / "newer.jsonl").write_bytes(b'{"v":9,"n":1,"at":"","type":"SessionStarted"}\n')
    (place / "folder.jsonl").mkdir()
    (place / "deep.jsonl").write_bytes(b"[" * 100_000 + b"\n")
    broken = {summary.id: summary.broken for summary in store.list(folder) if not summary.usable}
    assert set(broken) == {"empty", "noise", "newer", "folder", "deep"}
    assert "newer qcode" in broken["newer"]
    assert "cannot be read" in broken["folder"]
    assert store.latest(folder) == good


def test_the_latest_is_the_one_used_last_in_which_something_was_said(
    store: Store, folder: Path
) -> None:
    first = saved(store, folder, *one_turn())
    saved(store, folder, *one_turn())
    store.rename(first, "used again")
    saved(store, folder)
    assert store.latest(folder) == first


def test_no_session_to_continue_is_a_sentence(store: Store, folder: Path) -> None:
    with pytest.raises(SessionError, match="no session to continue"):
        store.latest(folder)


def test_a_session_is_found_by_id_beginning_end_and_name(store: Store, folder: Path) -> None:
    session_id = saved(store, folder, *one_turn(), Renamed("Sums"))
    for words in (session_id, session_id[:-1], session_id[-4:], "Sums", "sums"):
        assert store.find(words) == session_id


def test_of_two_with_one_name_the_one_of_this_folder_is_meant(
    store: Store, folder: Path, tmp_path: Path
) -> None:
    here = saved(store, folder, Renamed("sums"))
    there = saved(store, tmp_path, Renamed("sums"))
    assert store.find("sums", folder) == here
    assert store.find("sums", tmp_path) == there


def test_an_ambiguous_beginning_names_those_it_may_mean(store: Store, folder: Path) -> None:
    ids = [saved(store, folder, *one_turn(1, f"Prompt {n}.")) for n in (1, 2)]
    with pytest.raises(SessionError, match="means 2 sessions") as refused:
        store.find("20261121", folder)
    assert all(session_id in str(refused.value) for session_id in ids)
    assert "Prompt 1." in str(refused.value)


def test_an_unknown_id_names_the_nearest(store: Store, folder: Path) -> None:
    session_id = saved(store, folder, Renamed("refactor shop"))
    with pytest.raises(SessionError, match=f"The nearest: {session_id}"):
        store.find("20261122-0900-0000")
    with pytest.raises(SessionError, match="refactor shop"):
        store.find("refactor-shop")


@pytest.mark.parametrize("words", ["", "../x", "/etc/passwd", "*", "\0", "20261121-0900-3f9a/.."])
def test_odd_words_find_nothing_and_touch_nothing(store: Store, folder: Path, words: str) -> None:
    saved(store, folder)
    with pytest.raises(SessionError):
        store.find(words, folder)
    with pytest.raises(SessionError):
        store.delete(words)


def test_deleting_removes_the_log_its_cut_tails_and_an_empty_folder(
    store: Store, folder: Path
) -> None:
    session_id = saved(store, folder, *one_turn())
    path = store.path(session_id)
    path.write_bytes(path.read_bytes()[:-5])
    store.resume(session_id).log.close()
    assert len(list(path.parent.iterdir())) == 2
    store.delete(session_id)
    assert not path.parent.exists()
    assert store.list() == ()


@pytest.mark.parametrize("way", ["delete", "prune"])
def test_no_word_of_a_deleted_session_stays_in_the_index(
    store: Store, folder: Path, clock: Clock, way: str
) -> None:
    said = TurnStarted(1, user("the password is xylophone"))
    session_id = saved(store, folder, said, said)
    clock.time += timedelta(days=31)
    saved(store, folder, TurnStarted(1, user("nothing secret")))
    index = store.root / "index.sqlite"
    assert store.search("xylophone")
    assert b"xylophone" in index.read_bytes()
    if way == "delete":
        store.delete(session_id)
    else:
        assert len(store.prune(30)) == 1
    assert b"xylophone" not in index.read_bytes()
    assert store.search("secret")


def test_a_broken_session_can_be_deleted(store: Store, folder: Path) -> None:
    place = store.path(saved(store, folder)).parent
    (place / "noise.jsonl").write_bytes(b"noise")
    store.delete("noise")
    assert len(store.list()) == 1


def test_a_session_in_use_is_neither_deleted_nor_pruned(
    store: Store, folder: Path, clock: Clock
) -> None:
    session_id = saved(store, folder, *one_turn())
    clock.time += timedelta(days=100)
    with store.resume(session_id).log:
        with pytest.raises(SessionError, match="is open in"):
            store.delete(session_id)
        assert store.prune(30) == ()
    assert store.list()[0].id == session_id


def test_pruning_removes_the_old_but_keeps_the_newest(
    store: Store, folder: Path, clock: Clock
) -> None:
    old = [saved(store, folder, *one_turn()) for _ in range(3)]
    clock.time += timedelta(days=40)
    young = saved(store, folder, *one_turn())
    assert [summary.id for summary in store.prune(30, keep=2, folder=folder)] == old[1::-1]
    assert {summary.id for summary in store.list()} == {young, old[2]}


def test_a_name_is_one_visible_line(store: Store, folder: Path) -> None:
    session_id = saved(store, folder)
    store.rename(session_id, "\x1b[31mred\x1b[0m\nline")
    assert store.list()[0].name == "red"
    with pytest.raises(InputError):
        store.rename(session_id, " \x1b[0m\n")


def test_titles_hold_no_control_characters(store: Store, folder: Path) -> None:
    saved(store, folder, TurnStarted(1, user("\x1b]0;gotcha\x07Hello\x1b[2J")))
    assert store.list()[0].title == "Hello"


def test_rewound_turns_do_not_count(store: Store, folder: Path) -> None:
    saved(store, folder, *one_turn(1), *one_turn(2), Rewound(2))
    assert store.list()[0].turns == 1


def test_compaction_does_not_change_what_a_list_shows(store: Store, folder: Path) -> None:
    short = Compacted(user("Short.", "summary"), 0, 900, 90)
    saved(store, folder, *one_turn(1, "Hello."), short)
    assert (store.list()[0].title, store.list()[0].turns) == ("Hello.", 1)


def test_a_file_in_the_place_of_the_folder_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("not a folder")
    with pytest.raises(SessionNotSaved, match="could not be saved"):
        Store(tmp_path / "data" / "sessions").create(tmp_path)
