"""Whatever calls and commands do to a tree, undo brings back what it was and redo what it became;
and whoever is killed while the store is written leaves one that can be read."""

import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from qcode.workspace.collecting import collect
from qcode.workspace.shadow import Shadow
from tests.workspace.trees import Driver, git, tree

NAMES = st.sampled_from(["a", "b", "dir/a", "dir/c", "dir/deep/d", "other/a", "b/x", "ünï"])
TEXTS = st.sampled_from(["", "one\n", "two\n", "x" * 5000, "\x00\xff"])
MODES = st.sampled_from([0o644, 0o600, 0o755, 0o444])

WRITE = st.tuples(st.just("write"), NAMES, TEXTS)
DEEDS = st.one_of(
    WRITE,
    st.tuples(st.just("delete"), NAMES, st.none()),
    st.tuples(st.just("rename"), NAMES, NAMES),
    st.tuples(st.just("mode"), NAMES, MODES),
    st.tuples(st.just("link"), NAMES, st.sampled_from(["a", "dir", "/nowhere", "../up"])),
    st.tuples(st.just("folder"), NAMES, st.sampled_from([0o755, 0o700])),
    st.tuples(st.just("touch"), NAMES, st.none()),
)
STEPS = st.one_of(
    st.tuples(st.just("call"), st.lists(WRITE, min_size=1, max_size=1)),
    st.tuples(st.just("shell"), st.lists(DEEDS, min_size=1, max_size=5)),
)
TURNS = st.lists(st.lists(STEPS, min_size=1, max_size=4), min_size=1, max_size=4)


def _do(root: Path, deed: tuple[str, str, object]) -> None:
    """Part of what a shell command might do; what cannot be done is not."""
    kind, name, value = deed
    path = root / name
    with suppress(OSError, shutil.Error):
        match kind:
            case "write":
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(str(value), encoding="latin-1")
            case "delete":
                shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
            case "rename":
                (root / str(value)).parent.mkdir(parents=True, exist_ok=True)
                path.rename(root / str(value))
            case "mode" if path.is_file() and not path.is_symlink():
                path.chmod(int(str(value)))
            case "link":
                path.parent.mkdir(parents=True, exist_ok=True)
                path.symlink_to(str(value))
            case "folder":
                path.mkdir(mode=int(str(value)), parents=True)
            case "touch":
                os.utime(path, follow_symlinks=False)


def _do_all(root: Path, deeds: Sequence[tuple[str, str, object]]) -> None:
    for deed in deeds:
        _do(root, deed)


@pytest.mark.skipif(sys.platform == "win32", reason="links and modes are not the same there")
@settings(max_examples=100, deadline=None)
@example(  # the second turn leaves the tree as the first did: its undo has nothing to do
    turns=[
        [("call", [("write", "a", "")])],
        [("shell", [("delete", "a", None)]), ("call", [("write", "a", "")])],
    ],
    committed="no git",
)
@given(turns=TURNS, committed=st.sampled_from(["no git", "all", "a part", "gone dirty"]))
def test_undo_is_the_tree_as_it_was_and_redo_the_later_one(
    turns: list[list[tuple[str, list[tuple[str, str, object]]]]], committed: str
) -> None:
    with tempfile.TemporaryDirectory() as place:
        root = Path(os.path.realpath(place)) / "project"
        for name, text in (("a", "one\n"), ("dir/a", "two\n"), ("dir/deep/d", "")):
            _do(root, ("write", name, text))
        if committed != "no git":
            git(root, "init", "-q")
            git(root, "add", "dir" if committed == "a part" else ".")
            git(root, "commit", "-qm", "x")
        if committed == "gone dirty":
            (root / "a").write_text("dirty\n")
        driver = Driver(root, Path(place) / "store")
        states = [tree(root)]
        for turn, steps in enumerate(turns, 1):
            driver.turn = turn
            for how, deeds in steps:
                if how == "shell":
                    driver.command(partial(_do_all, root, deeds))
                elif not _through_link(root, deeds[0][1]):
                    driver.edit(deeds[0][1], partial(_do, root, deeds[0]))
            states.append(tree(root))
        distinct = [
            one for one, other in zip(states, [None, *states], strict=False) if one != other
        ]
        seen = [tree(root)]
        for _ in turns:
            if (back := driver.undo()) is None:
                break
            assert back.left == {}
            seen.append(tree(root))
        assert seen[-1] == states[0]
        assert [one for one in distinct if one not in seen] == []
        assert driver.undo() is None
        while (back := driver.redo()) is not None:
            assert back.left == {}
        assert tree(root) == states[-1]


def _through_link(root: Path, name: str) -> bool:
    """The engine resolves links before it keeps anything: calls do not reach through them here."""
    path = root / name
    return os.path.realpath(path) != str(path) or path.is_dir()


WRITER = """
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from qcode.workspace.shadow import Shadow, new_id
from qcode.workspace.kept import Entry, Note
store = Shadow(Path(sys.argv[1]))
store.open()
number = 0
while True:
    number += 1
    data = b"%d" % number * 3000
    befores = {b"a": Entry("file", 0o644, store.put(data), len(data))}
    note = Note(new_id(), "", number, "change", befores)
    store.begin(note)
    print(note.id, flush=True)
    data += b"after"
    store.finish(note.id, {b"a": Entry("file", 0o644, store.put(data), len(data))})
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL there")
@settings(max_examples=25, deadline=None)
@given(seconds=st.floats(0.0, 0.05))
def test_who_is_killed_leaves_a_store_that_can_be_read(seconds: float) -> None:
    with tempfile.TemporaryDirectory() as place:
        process = subprocess.Popen(
            [sys.executable, "-c", WRITER, place], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        first = process.stdout.readline().strip()
        threading.Event().wait(seconds)
        process.send_signal(signal.SIGKILL)
        ids = [first, *process.stdout.read().split("\n")[:-1]]
        process.wait()
        process.stdout.close()
        store = Shadow(Path(place))
        store.open()
        for one in ids:
            note = store.read(one)
            assert note is not None
            for entry in (*note.befores.values(), *(note.afters or {}).values()):
                data = store.get(entry.content)
                assert data is not None
                assert len(data) == entry.size
        collect(store, frozenset)
        store.close()


def test_two_at_once_do_not_damage_each_other(tmp_path: Path) -> None:
    (tmp_path / "project").mkdir()
    roots = [tmp_path / "project", tmp_path / "project"]
    drivers = [Driver(root, tmp_path / "store") for root in roots]
    for number in range(20):
        for index, driver in enumerate(drivers):
            driver.turn = number
            driver.edit(
                f"file{index}",
                partial((roots[index] / f"file{index}").write_text, f"{number}"),
            )
        assert collect(drivers[0].keeper.shadow, frozenset) == 0
    for driver in drivers:
        for _ in range(20):
            back = driver.undo()
            assert back is not None
            assert back.left == {}
    assert tree(tmp_path / "project") == {}


def _aged(store: Path, days: float) -> None:
    for path in store.rglob("*"):
        if path.is_file():
            then = path.stat().st_mtime - days * 86_400
            os.utime(path, (then, then))


def _collected_before(driver: Driver) -> None:
    """The first time nothing is collected."""
    assert collect(driver.keeper.shadow, frozenset) == 0


def test_what_a_fork_names_stays_when_its_parent_is_deleted(tmp_path: Path) -> None:
    root, store = tmp_path / "project", tmp_path / "store"
    root.mkdir()
    (root / "a").write_text("1")
    driver = Driver(root, store)
    driver.keeper.session = "parent"
    driver.edit("a", lambda: (root / "a").write_text("2"))
    shared = list(driver.ids)
    driver.edit("a", lambda: (root / "a").write_text("3"))
    _collected_before(driver)
    _aged(store, 2)
    assert collect(driver.keeper.shadow, lambda: {*shared}) == 1
    fork = Driver(root, store, shared)
    (root / "a").write_text("2")
    fork.undo()
    assert (root / "a").read_text() == "1"


@pytest.mark.parametrize("days", [-400, 8, 400])
def test_a_clock_that_jumps_costs_nothing(tmp_path: Path, days: int) -> None:
    root, store = tmp_path / "project", tmp_path / "store"
    root.mkdir()
    driver = Driver(root, store)
    (root / "a").write_text("1")
    driver.edit("a", lambda: (root / "a").write_text("2"))
    _collected_before(driver)
    _aged(store, days)
    assert collect(driver.keeper.shadow, frozenset) == 0
    driver.undo()
    assert (root / "a").read_text() == "1"


def test_an_end_that_a_power_cut_tore_counts_as_not_known(tmp_path: Path) -> None:
    root, store = tmp_path / "project", tmp_path / "store"
    root.mkdir()
    (root / "a").write_text("1")
    driver = Driver(root, store)
    driver.edit("a", lambda: (root / "a").write_text("2"))
    for path in (store / "notes").glob("*.after"):
        path.write_bytes(b"")
    driver.undo()
    assert (root / "a").read_text() == "1"


def test_what_was_killed_while_it_was_written_is_collected(tmp_path: Path) -> None:
    root, store = tmp_path / "project", tmp_path / "store"
    root.mkdir()
    driver = Driver(root, store)
    (root / "a").write_text("1")
    driver.edit("a", lambda: (root / "a").write_text("2"))
    torn = [store / "notes" / "0123.tmp", next((store / "objects").iterdir()) / "0123.tmp"]
    for path in torn:
        path.write_bytes(b"half")
    _collected_before(driver)
    _aged(store, 2)
    collect(driver.keeper.shadow, lambda: {*driver.ids})
    assert not [path for path in torn if path.exists()]
    driver.undo()
    assert (root / "a").read_text() == "1"


def test_what_a_deleted_session_kept_is_collected_and_what_is_needed_stays(
    tmp_path: Path,
) -> None:
    root, store = tmp_path / "project", tmp_path / "store"
    root.mkdir()
    (root / "untracked").write_text("kept by the baseline alone")
    driver = Driver(root, store)
    for session in ("gone", "here"):
        driver.keeper.session = session
        driver.shell(f"echo {session} > a")
    shadow = driver.keeper.shadow
    [gone, here] = driver.ids
    _collected_before(driver)
    _aged(store, 2)
    assert collect(shadow, lambda: {here}, driver.keeper.held) == 0
    assert shadow.read(gone) is None
    kept = shadow.read(here)
    assert kept is not None
    for entry in kept.befores.values():
        assert shadow.get(entry.content) == b"gone\n"
    driver.ids = [here]
    driver.shell("rm untracked")
    driver.undo()
    assert (root / "untracked").exists()


def test_old_objects_go_and_this_happens_once_a_day(tmp_path: Path) -> None:
    root, store = tmp_path / "project", tmp_path / "store"
    root.mkdir()
    driver = Driver(root, store)
    (root / "a").write_text("1")
    driver.edit("a", lambda: (root / "a").write_text("2"))
    _aged(store, 29)
    _collected_before(driver)
    _aged(store, 2)
    assert collect(driver.keeper.shadow, lambda: {*driver.ids}) == 2
    assert not [path for path in (store / "objects").rglob("*") if path.is_file()]
    driver.edit("a", lambda: (root / "a").write_text("3"))
    _aged(store / "objects", 31)
    _aged(store / "notes", 31)
    assert collect(driver.keeper.shadow, lambda: {*driver.ids}) == 0


def test_an_undo_that_had_nothing_to_do_is_behind_the_next(tmp_path: Path) -> None:
    """A file that a command removed and a call made again, just as it was."""
    root = tmp_path / "project"
    root.mkdir()
    (root / "a").write_text("one")
    driver = Driver(root, tmp_path / "store")
    driver.turn = 1
    driver.edit("a", lambda: (root / "a").write_text(""))
    driver.turn = 2
    driver.shell("rm a")
    driver.edit("a", lambda: (root / "a").write_text(""))
    driver.undo()
    driver.undo()
    assert (root / "a").read_text() == "one"


def test_a_damaged_object_is_told_and_nothing_is_overwritten(tmp_path: Path) -> None:
    root, store = tmp_path / "project", tmp_path / "store"
    root.mkdir()
    (root / "a").write_text("1")
    driver = Driver(root, store)
    driver.edit("a", lambda: (root / "a").write_text("2"))
    for path in (store / "objects").rglob("*"):
        if path.is_file():
            path.write_bytes(b"torn")
    back = driver.undo()
    assert back is not None
    assert back.left == {"a": "what it was is not kept"}
    assert (root / "a").read_text() == "2"
    assert stat.S_IMODE((root / "a").stat().st_mode) & 0o600 == 0o600
