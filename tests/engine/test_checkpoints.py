"""What a turn changed is put back, by calls and by commands, also in another process."""

import asyncio
import sys
from pathlib import Path
from typing import Any

import pytest

from qcode.assemble import Start
from qcode.protocol.events import CheckpointTaken, Notice, Rewound, StepStarted, TurnFinished
from qcode.protocol.inputs import Cancel, Input, Prompt, Redo, Rewind, RunShell, Undo
from qcode.session.conversation import fold
from qcode.session.store import Store
from tests.engine.rig import YOLO, Rig, configured, rig, started
from tests.support.script import Call, Pace, Reply
from tests.support.scripted_server import StartScripted
from tests.workspace.trees import tree


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    (folder / "src").mkdir(parents=True)
    (folder / "src" / "a.py").write_text("one\n")
    (folder / "b.txt").write_text("b\n")
    return folder


def _kept(root: Path, **fields: Any) -> Start:
    return started(root, kept=root.parent / "state" / "checkpoints" / "project", **fields)


def _shell(line: str) -> Reply:
    return Reply(calls=(Call("shell", {"command": line}),))


def _write(path: str, text: str) -> Reply:
    return Reply(calls=(Call("write", {"path": path, "content": text}),))


async def _say(run: Rig, given: Input) -> str:
    """The sentence that answers it."""
    run.engine.submit(given)
    return (await run.until(Notice)).text


async def test_an_edit_is_undone_and_redone(scripted: StartScripted, root: Path) -> None:
    server = scripted(_write("new/c.txt", "made\n"), Reply(text="done"))
    before = tree(root)
    async with rig(configured(server.base_url, permission=YOLO), _kept(root)) as run:
        await run.turn("go")
        after = tree(root)
        assert "c.txt" in (await _say(run, Undo()))
        assert tree(root) == before
        await _say(run, Redo())
        assert tree(root) == after
        assert await _say(run, Redo()) == "There is nothing to redo."
    [taken, *_] = run.said(CheckpointTaken)
    assert taken.paths == ("new", "new/c.txt")


async def test_what_a_command_removed_comes_back(scripted: StartScripted, root: Path) -> None:
    server = scripted(_shell("ls"), _shell("rm -rf src"), Reply(text="done"))
    before = tree(root)
    async with rig(configured(server.base_url, permission=YOLO), _kept(root)) as run:
        await run.turn("go")
        assert not (root / "src").exists()
        assert [event.paths for event in run.said(CheckpointTaken)] == [("src", "src/a.py")]
        assert run.events.index(run.said(CheckpointTaken)[0]) < len(run.events) - 1
        assert await _say(run, Undo()) == "Put back: src, src/a.py. /redo takes that back."
    assert tree(root) == before


async def test_each_undo_goes_one_turn_back_also_in_another_process(
    scripted: StartScripted, root: Path, tmp_path: Path
) -> None:
    store = Store(tmp_path / "sessions")
    log = store.create(root)
    server = scripted(
        *(_shell("echo 1 > src/a.py; mkdir x"), _write("b2.txt", "1"), Reply(text="a")),
        *(Reply(text="nothing to do"), _shell("echo 2 > src/a.py"), Reply(text="c")),
    )
    config = configured(server.base_url, permission=YOLO)
    states = [tree(root)]
    async with rig(config, _kept(root, log=log)) as run:
        for prompt in ("one", "two", "three"):
            await run.turn(prompt)
            states.append(tree(root))
        await _say(run, Undo())
        assert tree(root) == states[2]
    resumed = store.resume(log.session_id)
    talk = fold(resumed.opened.events)
    start = _kept(root, log=resumed.log, conversation=talk)
    async with rig(configured("http://127.0.0.1:9/v1"), start) as run:  # no server answers
        await _say(run, Undo())
        assert tree(root) == states[0]
        assert (await _say(run, Undo())).startswith("There is nothing to undo")
        await _say(run, Redo())
        await _say(run, Redo())
        assert tree(root) == states[3]


@pytest.mark.parametrize("restore", ["files", "both"])
async def test_a_rewind_takes_the_files_with_it(
    scripted: StartScripted, root: Path, restore: Any
) -> None:
    server = scripted(
        *(_write("c.txt", "1"), Reply(text="a")),
        *(_shell("rm b.txt"), Reply(text="b")),
        *(_shell("rm src/a.py"), Reply(text="c")),
    )
    async with rig(configured(server.base_url, permission=YOLO), _kept(root)) as run:
        await run.turn("one")
        then = tree(root)
        await run.turn("two")
        await run.turn("three")
        words = await _say(run, Rewind(2, restore))
        await asyncio.sleep(0)
        if restore == "both":
            assert await run.until(Rewound) == Rewound(2, ("b.txt", "src/a.py"))
        assert words == "Put back: b.txt, src/a.py. /redo takes that back."
        assert tree(root) == then
    assert len(run.said(Rewound)) == (restore == "both")


async def test_what_the_person_changed_meanwhile_stays(scripted: StartScripted, root: Path) -> None:
    server = scripted(_shell("echo 1 > src/a.py; echo 1 > b.txt"), Reply(text="a"))
    async with rig(configured(server.base_url, permission=YOLO), _kept(root)) as run:
        await run.turn("one")
        (root / "b.txt").write_text("mine")
        await _say(run, Undo())
        assert (await run.until(Notice)).text == ("Left as they are: b.txt (it was changed since).")
    assert (root / "b.txt").read_text() == "mine"
    assert (root / "src" / "a.py").read_text() == "one\n"


async def test_the_persons_own_commands_are_not_the_models(
    scripted: StartScripted, root: Path
) -> None:
    server = scripted(
        _shell("echo 1 > src/a.py"), Reply(text="a"), _shell("rm -r src"), Reply(text="b")
    )
    async with rig(configured(server.base_url, permission=YOLO), _kept(root)) as run:
        await run.turn("one")
        (root / "src" / "mine.py").write_text("my own\n")
        (root / "src" / "a.py").write_text("my own\n")
        await run.turn("two")
        await _say(run, Undo())
    assert (root / "src" / "a.py").read_text() == "my own\n"
    assert (root / "src" / "mine.py").read_text() == "my own\n"


async def test_nothing_is_put_back_while_a_turn_runs(scripted: StartScripted, root: Path) -> None:
    server = scripted(Reply(text="a", pace=Pace(first_delta_seconds=1.0)))
    async with rig(configured(server.base_url), _kept(root)) as run:
        run.engine.submit(Prompt("go"))
        await run.until(StepStarted)
        for given in (Undo(), Redo(), Rewind(1, "both"), Rewind(1, "files")):
            assert "A turn runs" in await _say(run, given)
        assert (await run.rest()).reason == "end_turn"
    assert not (root.parent / "state").exists()  # nothing was changed: nothing is kept


async def test_a_command_that_was_cut_off_can_be_undone(
    scripted: StartScripted, root: Path
) -> None:
    server = scripted(_shell("rm b.txt; echo begun; sleep 30"))
    before = tree(root)
    async with rig(configured(server.base_url, permission=YOLO), _kept(root)) as run:
        run.engine.submit(Prompt("go"))
        async with asyncio.timeout(20):
            while (root / "b.txt").exists():  # noqa: ASYNC110 - a process tells no event
                await asyncio.sleep(0.01)
        run.engine.submit(Cancel())
        assert (await run.until(TurnFinished)).reason == "cancelled"
        await _say(run, Undo())
    assert tree(root) == before


async def test_what_the_check_changes_goes_back_with_the_turn(
    scripted: StartScripted, root: Path
) -> None:
    server = scripted(_write("c.txt", "1"), Reply(text="done"))
    config = configured(
        server.base_url, permission=YOLO, agent={"verify": "echo 2 > c.txt; touch made"}
    )
    before = tree(root)
    async with rig(config, _kept(root)) as run:
        await run.turn("go")
        assert (root / "c.txt").read_text() == "2\n"
        await _say(run, Undo())
    assert tree(root) == before


async def test_what_a_background_command_makes_belongs_to_its_turn(
    scripted: StartScripted, root: Path
) -> None:
    line = "sleep 0.3; echo 1 > late.txt; sleep 30"
    server = scripted(
        Reply(calls=(Call("shell", {"command": line, "action": "start"}),)),
        _shell("sleep 0.5"),
        Reply(text="done"),
    )
    before = tree(root)
    async with rig(configured(server.base_url, permission=YOLO), _kept(root)) as run:
        await run.turn("go")
        assert (root / "late.txt").exists()
        await _say(run, Undo())
    assert tree(root) == before


@pytest.mark.skipif(sys.platform == "win32", reason="there, a folder stays writable")
async def test_work_goes_on_where_nothing_can_be_kept(scripted: StartScripted, root: Path) -> None:
    server = scripted(_write("c.txt", "1"), _shell("rm b.txt"), Reply(text="done"))
    state = root.parent / "state"
    state.write_text("a file where a folder should be")
    async with rig(configured(server.base_url, permission=YOLO), _kept(root)) as run:
        assert (await run.turn("go")).reason == "end_turn"
        [warning] = [one.text for one in run.said(Notice) if one.level == "warning"]
    assert "cannot be undone" in warning
    assert (root / "c.txt").exists()
    assert not (root / "b.txt").exists()


async def test_the_persons_own_shell_is_not_waited_for(scripted: StartScripted, root: Path) -> None:
    server = scripted(_shell("touch made"), Reply(text="done"))
    async with rig(configured(server.base_url, permission=YOLO), _kept(root)) as run:
        run.engine.submit(RunShell("sleep 30"))
        await run.turn("go")
        await _say(run, Undo())
    assert not (root / "made").exists()
