"""A person goes through a change part by part: what is written, what the model is told of it.

The golden texts are what models read: a change in them is a change of what they do next.
"""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qcode.protocol.display import DiffBlock, TextBlock
from qcode.protocol.events import (
    AnyEvent,
    ApprovalRequested,
    CheckpointTaken,
    ModeChanged,
    Notice,
    Rewound,
    ToolCallFinished,
)
from qcode.protocol.inputs import ApprovalReply, HunkReply, Input, Rewind, SetMode, Steer
from qcode.session.conversation import fold
from qcode.session.store import Store
from qcode.workspace.review import Choice, hunks, result
from tests.engine.rig import Rig, configured, rig, started
from tests.support.script import Call, Reply
from tests.support.scripted_server import StartScripted

GOLDEN = Path(__file__).parent / "golden"
OLD = "".join(f"line {number}\n" for number in range(1, 41))
NEW = OLD.replace("line 5\n", "five\n").replace("line 20\n", "twenty\ntwenty more\n")
NEW = NEW.replace("line 35\n", "")
"""Three parts: a line replaced, one become two, one taken out."""
READ = Call("read", {"path": "a.txt"})
WRITE = Call("write", {"path": "a.txt", "content": NEW})
NO, KEEP = HunkReply(1, "drop", comment="not now"), HunkReply(1, "keep")

Person = Callable[[AnyEvent], Input | None]


def reviewer(*replies: Sequence[HunkReply], before: Callable[[], object] = lambda: None) -> Person:
    """A person who allows each request with the next of these decisions about its parts."""
    rest = iter(replies)

    def on(event: AnyEvent) -> Input | None:
        if isinstance(event, ApprovalRequested):
            before()
            return ApprovalReply(event.request_id, "allow", hunks=tuple(next(rest)))
        return None

    return on


class Reviewed:
    """A file, a model that changes it, and what came of it."""

    def __init__(self, scripted: StartScripted, folder: Path, *calls: Call) -> None:
        self.file = folder / "a.txt"
        self.file.write_bytes(OLD.encode())
        self.server = scripted(*(Reply(calls=(call,)) for call in calls), Reply(text="ok"))
        self.config = configured(self.server.base_url)
        self.start = started(folder, person="present")

    async def go(self, person: Person) -> Rig:
        """One turn."""
        async with rig(self.config, self.start) as run:
            await run.turn("go", person)
        return run

    @property
    def told(self) -> list[str]:
        """What the model was told of its calls."""
        return [m["content"] for m in self.server.requests[-1].messages if m["role"] == "tool"]


def golden(name: str, text: str) -> None:
    """`text` is what the golden file holds."""
    assert f"{text}\n" == (GOLDEN / f"{name}.txt").read_text()


async def test_all_kept_is_told_as_if_nobody_had_been_asked(
    scripted: StartScripted, tmp_path: Path
) -> None:
    one = Reviewed(scripted, tmp_path, READ, WRITE)
    run = await one.go(reviewer([KEEP]))
    assert one.file.read_text() == NEW
    golden("all_kept", one.told[-1])
    [asked] = run.said(ApprovalRequested)
    [shown] = asked.blocks
    assert isinstance(shown, DiffBlock)
    assert (shown.path, shown.added, shown.removed) == ("a.txt", 3, 3)
    assert run.said(ToolCallFinished)[-1].blocks == asked.blocks
    (tmp_path / "second").mkdir()
    unasked = Reviewed(scripted, tmp_path / "second", READ, WRITE)
    unasked.config = configured(unasked.server.base_url, permission={"mode": "edit"})
    assert (await unasked.go(reviewer())).said(ApprovalRequested) == []
    assert unasked.told[-1] == one.told[-1]


async def test_what_the_person_wrote_themselves_is_shown_to_the_model(
    scripted: StartScripted, tmp_path: Path
) -> None:
    one = Reviewed(scripted, tmp_path, READ, WRITE)
    mine = HunkReply(1, "edited", "Twenty!\nAnd one.\nAnd two.\n", "one a line, please")
    run = await one.go(reviewer([mine, HunkReply(2, "edited", "")]))
    written = NEW.replace("twenty\ntwenty more\n", "Twenty!\nAnd one.\nAnd two.\n")
    assert one.file.read_text() == written
    golden("some_edited", one.told[-1])
    last = run.said(ToolCallFinished)[-1]
    assert last.edited == ("a.txt",)
    assert isinstance(last.blocks[0], DiffBlock)
    assert "+Twenty!" in last.blocks[0].patch
    assert "+twenty" not in last.blocks[0].patch
    did = "you kept 2 of 3 parts, edited 1: 'one a line, please'"
    assert last.blocks[1:] == (TextBlock(did),)


async def test_what_was_refused_is_told_with_the_comment(
    scripted: StartScripted, tmp_path: Path
) -> None:
    one = Reviewed(scripted, tmp_path, READ, WRITE)
    run = await one.go(reviewer([NO, HunkReply(2, "drop")]))
    assert one.file.read_text() == OLD.replace("line 5\n", "five\n")
    golden("some_refused", one.told[-1])
    said = run.said(ToolCallFinished)[-1].blocks[-1]
    assert said == TextBlock("you kept 1 of 3 parts, refused 2: 'not now'")


async def test_where_all_is_refused_nothing_is_written(
    scripted: StartScripted, tmp_path: Path
) -> None:
    one = Reviewed(scripted, tmp_path, READ, WRITE)
    run = await one.go(reviewer([NO, HunkReply(0, "drop"), HunkReply(2, "drop")]))
    assert one.file.read_text() == OLD
    golden("all_refused", one.told[-1])
    last = run.said(ToolCallFinished)[-1]
    assert (last.message.status, last.edited, last.blocks) == ("denied", (), ())


async def test_what_was_refused_before_is_answered_from_memory_and_the_rest_is_asked_about(
    scripted: StartScripted, tmp_path: Path
) -> None:
    more = Call("write", {"path": "a.txt", "content": NEW.replace("line 12\n", "twelve\n")})
    again = Call("write", {"path": "a.txt", "content": NEW.replace("line 12\n", "twelve\n")})
    one = Reviewed(scripted, tmp_path, READ, WRITE, more, again)
    run = await one.go(reviewer([NO], [], []))
    first, second = run.said(ApprovalRequested)
    assert "twenty" in str(first.blocks)
    assert "twenty" not in str(second.blocks)
    assert "twelve" in str(second.blocks)
    expected = NEW.replace("twenty\ntwenty more\n", "line 20\n").replace("line 12\n", "twelve\n")
    assert one.file.read_text() == expected
    golden("refused_before_and_more", one.told[-2])
    golden("refused_before", one.told[-1])
    assert len([n for n in run.said(Notice) if "refused before came again" in n.text]) == 2


ALL = [HunkReply(0, "drop"), NO, HunkReply(2, "drop")]
BEFORE = "ask mode asks before edits"
MARK = "you refused part 1 before; you refused part 2 before: 'not now'; you refused part 3 before"


async def test_once_the_person_has_spoken_what_they_refused_is_asked_about_again_and_marked(
    scripted: StartScripted, tmp_path: Path
) -> None:
    one = Reviewed(scripted, tmp_path, READ, WRITE, WRITE)
    one.server.add(Reply(calls=(WRITE,)), Reply(text="ok"))
    async with rig(one.config, one.start) as run:
        await run.turn("go", reviewer(ALL))
        assert len(run.said(ApprovalRequested)) == 1  # within the turn, from memory
        await run.turn("write it after all", reviewer([]))
    asked = run.said(ApprovalRequested)
    assert [one.because for one in asked] == [BEFORE, f"{BEFORE}; {MARK}"]
    assert one.file.read_text() == NEW


@pytest.mark.parametrize(("off", "requests"), [(40, 1), (80, 2)])
async def test_the_same_lines_far_off_are_another_part(
    off: int, requests: int, scripted: StartScripted, tmp_path: Path
) -> None:
    def text(first: str, second: str) -> str:
        one, other = (f"[part]\nb = {value}\n[end]\n" for value in (first, second))
        return "".join(["\n" * 5, one, "\n" * off, other, "\n" * 5])

    one = Reviewed(
        scripted,
        tmp_path,
        READ,
        Call("write", {"path": "a.txt", "content": text("two", "2")}),
        Call("write", {"path": "a.txt", "content": text("2", "two")}),
    )
    one.file.write_text(text("2", "2"))
    run = await one.go(reviewer([HunkReply(0, "drop")], []))
    assert len(run.said(ApprovalRequested)) == requests


async def test_a_steer_is_words_too(scripted: StartScripted, tmp_path: Path) -> None:
    one = Reviewed(scripted, tmp_path, READ, WRITE, WRITE)
    decide = reviewer(ALL, [])

    def person(event: AnyEvent) -> Input | None:
        if isinstance(event, ToolCallFinished) and event.message.status == "denied":
            return Steer("do it, please")
        return decide(event)

    await one.go(person)
    assert one.file.read_text() == NEW


async def test_it_is_asked_about_once_and_from_memory_again_if_it_is_refused_again(
    scripted: StartScripted, tmp_path: Path
) -> None:
    one = Reviewed(scripted, tmp_path, READ, WRITE)
    one.server.add(*[Reply(calls=(WRITE,))] * 2, Reply(text="ok"))
    async with rig(one.config, one.start) as run:
        await run.turn("go", reviewer(ALL))
        await run.turn("what is the time?", reviewer(ALL))
    assert len(run.said(ApprovalRequested)) == 2
    assert one.file.read_text() == OLD
    assert one.told[-1].startswith("The user refused this change to a.txt before, so they were not")


async def test_a_part_within_a_call_that_is_denied_whole_stays_refused(
    scripted: StartScripted, tmp_path: Path
) -> None:
    other = Call("write", {"path": "a.txt", "content": f"{NEW}more\n"})
    one = Reviewed(scripted, tmp_path, READ, WRITE)
    one.server.add(Reply(calls=(WRITE,)), Reply(calls=(other,)), Reply(text="ok"))
    answers = iter(["deny", "allow"])

    def person(event: AnyEvent) -> Input | None:
        is_asked = isinstance(event, ApprovalRequested)
        return ApprovalReply(event.request_id, next(answers)) if is_asked else None  # type: ignore[union-attr,arg-type] # see is_asked; literals

    async with rig(one.config, one.start) as run:
        await run.turn("go", reviewer(ALL))
        await run.turn("hm", person)
    last = run.said(ApprovalRequested)[-1]
    assert (last.because, "twenty" in str(last.blocks)) == (BEFORE, False)
    assert one.file.read_text() == OLD.replace("line 35\n", "") + "more\n"


async def test_a_mode_that_does_not_ask_asks_about_what_was_refused(
    scripted: StartScripted, tmp_path: Path
) -> None:
    def person(event: AnyEvent) -> Input | None:
        if isinstance(event, ApprovalRequested):
            return ApprovalReply(event.request_id, "allow", hunks=tuple(ALL), scope="session")
        return None

    one = Reviewed(scripted, tmp_path, READ, WRITE)
    one.server.add(Reply(calls=(WRITE,)), Reply(text="ok"))
    async with rig(one.config, one.start) as run:
        await run.turn("go", person)
        await run.turn("and again", reviewer([]))
    assert [one.because for one in run.said(ApprovalRequested)] == [BEFORE, MARK]
    assert one.file.read_text() == NEW


async def test_a_mode_that_is_set_anew_forgets_what_was_refused(
    scripted: StartScripted, tmp_path: Path
) -> None:
    one = Reviewed(scripted, tmp_path, READ, WRITE)
    one.server.add(Reply(calls=(WRITE,)), Reply(text="ok"))
    async with rig(one.config, one.start) as run:
        await run.turn("go", reviewer(ALL))
        run.engine.submit(SetMode("edit"))
        await run.turn("do it", reviewer())
    assert len(run.said(ApprovalRequested)) == 1
    assert one.file.read_text() == NEW


@pytest.mark.parametrize(
    ("second", "marks"),
    [
        ([], []),  # all kept by now: nothing of it was refused
        (ALL, [MARK]),
        ([HunkReply(1, "drop", comment="never")], ["you refused part 2 before: 'never'"]),
    ],
)
async def test_what_was_refused_is_known_to_the_session_that_is_resumed(
    scripted: StartScripted, tmp_path: Path, second: list[HunkReply], marks: list[str]
) -> None:
    folder, store = tmp_path / "work", Store(tmp_path / "sessions")
    folder.mkdir()
    one = Reviewed(scripted, folder, READ, WRITE)
    one.server.add(Reply(calls=(WRITE,)), Reply(text="ok"))
    log = store.create(folder)
    async with rig(one.config, started(folder, person="present", log=log)) as run:
        await run.turn("go", reviewer(ALL))
        await run.turn("again", reviewer(second))
    log.close()
    one.file.write_text(OLD)
    one.server.add(Reply(calls=(READ,)), Reply(calls=(WRITE,)), Reply(text="ok"))
    resumed = store.resume(log.session_id)
    talk = fold(resumed.opened.events)
    edits = configured(one.server.base_url, permission={"mode": "edit"})
    start = started(folder, person="present", log=resumed.log, conversation=talk)
    async with rig(edits, start) as run:
        await run.turn("go on", reviewer([]))
    resumed.log.close()
    assert [asked.because for asked in run.said(ApprovalRequested)] == marks
    assert one.file.read_text() == NEW


@pytest.mark.parametrize("end", [Rewind(1), SetMode("edit")])
async def test_what_is_forgotten_is_not_known_to_the_session_that_is_resumed(
    scripted: StartScripted, tmp_path: Path, end: Input
) -> None:
    folder, store = tmp_path / "work", Store(tmp_path / "sessions")
    folder.mkdir()
    one = Reviewed(scripted, folder, READ, WRITE)
    log = store.create(folder)
    async with rig(one.config, started(folder, person="present", log=log)) as run:
        await run.turn("go", reviewer(ALL))
        assert fold(store.open(log.session_id).events).decided
        run.engine.submit(end)
        await run.until(Rewound if isinstance(end, Rewind) else ModeChanged)
    log.close()
    assert not fold(store.open(log.session_id).events).decided


async def test_a_rule_that_allows_the_file_does_not_let_pass_what_was_refused(
    scripted: StartScripted, tmp_path: Path
) -> None:
    def person(event: AnyEvent) -> Input | None:
        if isinstance(event, ApprovalRequested):
            return ApprovalReply(event.request_id, "allow", hunks=(NO,), scope="session")
        return None

    one = Reviewed(scripted, tmp_path, READ, WRITE, WRITE)
    run = await one.go(person)
    assert len(run.said(ApprovalRequested)) == 1
    assert "twenty" not in one.file.read_text()
    assert one.told[-1].startswith("The user refused this change to a.txt before")


async def test_a_new_file_is_shown_and_may_be_written_otherwise(
    scripted: StartScripted, tmp_path: Path
) -> None:
    new = Call("write", {"path": "b.txt", "content": "one\ntwo\n"})
    one = Reviewed(scripted, tmp_path, new)
    run = await one.go(reviewer([HunkReply(0, "edited", "three\n")]))
    assert (tmp_path / "b.txt").read_text() == "three\n"
    golden("new_file_edited", one.told[-1])
    [asked] = run.said(ApprovalRequested)
    assert "+one\n+two\n" in str(asked.blocks[0].patch)  # type: ignore[union-attr] # a DiffBlock


async def test_an_edit_whose_passage_is_not_there_fails_without_a_question(
    scripted: StartScripted, tmp_path: Path
) -> None:
    edit = Call("edit", {"path": "a.txt", "old_string": "line 99", "new_string": "x"})
    one = Reviewed(scripted, tmp_path, edit)
    run = await one.go(reviewer())
    assert run.said(ApprovalRequested) == []
    assert "old_string is not in the file" in one.told[-1]


async def test_how_an_edit_fails_outside_is_not_told_before_somebody_allowed_it(
    scripted: StartScripted, tmp_path: Path
) -> None:
    (tmp_path / "work").mkdir()
    (tmp_path / "secret").write_text("password = hunter2\n")
    edit = {"path": "../secret", "old_string": "password = ", "new_string": "x"}
    one = Reviewed(scripted, tmp_path / "work", Call("edit", {**edit, "old_string": "pasword = h"}))

    def deny(event: AnyEvent) -> Input | None:
        is_asked = isinstance(event, ApprovalRequested)
        return ApprovalReply(event.request_id, "deny") if is_asked else None  # type: ignore[union-attr] # see is_asked

    run = await one.go(deny)
    assert len(run.said(ApprovalRequested)) == 1
    assert "hunter2" not in str(one.server.requests[-1].messages)


async def test_what_was_refused_of_a_file_that_may_not_be_read_is_not_asked_again_nor_done(
    scripted: StartScripted, tmp_path: Path
) -> None:
    file = tmp_path / ".vscode" / "a.json"
    file.parent.mkdir()
    file.write_text("a\nb\nc\n")
    edit = {"path": ".vscode/a.json", "old_string": "b", "new_string": "x"}
    one = Reviewed(scripted, tmp_path, *[Call("edit", edit)] * 2)

    def person(event: AnyEvent) -> Input | None:
        if isinstance(event, ApprovalRequested):
            return ApprovalReply(event.request_id, "allow", hunks=(HunkReply(0, "drop"),))
        return None

    run = await one.go(person)
    assert len(run.said(ApprovalRequested)) == 1
    assert file.read_text() == "a\nb\nc\n"
    assert one.told[1].startswith("The user refused this change to .vscode/a.json before")


async def test_own_lines_that_the_file_cannot_hold_are_told_to_the_person(
    scripted: StartScripted, tmp_path: Path
) -> None:
    edit = Call("edit", {"path": "a.txt", "old_string": "b", "new_string": "x"})
    one = Reviewed(scripted, tmp_path, edit)
    one.file.write_bytes(b"caf\xe9\nb\n")
    run = await one.go(reviewer([HunkReply(0, "edited", "日本\n")]))
    assert one.file.read_bytes() == b"caf\xe9\nb\n"
    [warned] = [notice.text for notice in run.said(Notice) if notice.level == "warning"]
    assert warned.startswith("Your lines were not written: a.txt is written in latin-1")
    assert one.told[-1].startswith("The user wrote lines of their own into your change. a.txt is")


async def test_a_rewind_forgets_what_was_refused_behind_it(
    scripted: StartScripted, tmp_path: Path
) -> None:
    one = Reviewed(scripted, tmp_path, READ, WRITE)
    one.server.add(Reply(calls=(WRITE,)), Reply(text="ok"))
    async with rig(one.config, one.start) as run:
        await run.turn("go", reviewer([HunkReply(number, "drop") for number in range(3)]))
        run.engine.submit(Rewind(1))
        await run.turn("otherwise", reviewer([]))
    assert len(run.said(ApprovalRequested)) == 2
    assert one.file.read_text() == NEW


async def test_what_still_fits_is_applied_to_a_file_that_changed_meanwhile(
    scripted: StartScripted, tmp_path: Path
) -> None:
    edit = Call("edit", {"path": "a.txt", "old_string": "line 1\n", "new_string": "x\n"})
    one = Reviewed(scripted, tmp_path, READ, WRITE, edit)
    theirs = OLD.replace("line 20\n", "theirs\n")
    meanwhile = iter([lambda: one.file.write_text(f"new head\n{theirs}")])
    run = await one.go(reviewer([], [], before=lambda: next(meanwhile, lambda: 0)()))
    mine = NEW.replace("twenty\ntwenty more\n", "theirs\n")
    assert one.file.read_text() == f"new head\n{mine}"
    golden("changed_meanwhile", one.told[1])
    did, warned = [
        one.text for one in run.said(ToolCallFinished)[1].blocks if isinstance(one, TextBlock)
    ]
    assert did == "you kept 2 of 3 parts, 1 did not fit any more"
    assert "Part 2 was not applied: its lines near line 17 are not in the file any more" in warned
    assert "changed on disk since it was read" in one.told[2]  # the model knows an older file


async def test_a_file_that_came_up_meanwhile_is_left_alone(
    scripted: StartScripted, tmp_path: Path
) -> None:
    one = Reviewed(scripted, tmp_path, Call("write", {"path": "b.txt", "content": "mine\n"}))
    theirs = tmp_path / "b.txt"
    run = await one.go(reviewer([], before=lambda: theirs.write_text("theirs\n")))
    assert theirs.read_text() == "theirs\n"
    assert "the file is not empty any more" in one.told[-1]
    assert run.said(ToolCallFinished)[-1].message.status == "error"


async def test_a_file_that_is_gone_meanwhile_is_not_made_again(
    scripted: StartScripted, tmp_path: Path
) -> None:
    one = Reviewed(scripted, tmp_path, READ, WRITE)
    await one.go(reviewer([], before=one.file.unlink))
    assert not one.file.exists()
    assert "the file is gone" in one.told[-1]


async def test_a_file_that_is_no_text_any_more_is_left_alone(
    scripted: StartScripted, tmp_path: Path
) -> None:
    one = Reviewed(scripted, tmp_path, READ, WRITE)
    png = b"\x89PNG\r\n\x1a\n" + bytes(20)
    await one.go(reviewer([], before=lambda: one.file.write_bytes(png)))
    assert one.file.read_bytes() == png
    assert "not applied, since the file is not text any more (PNG image)." in one.told[-1]


async def test_line_ends_and_encoding_stay_also_for_the_persons_own_lines(
    scripted: StartScripted, tmp_path: Path
) -> None:
    one = Reviewed(scripted, tmp_path, READ, WRITE)
    one.file.write_bytes(OLD.replace("\n", "\r\n").encode("utf-16"))
    await one.go(reviewer([HunkReply(1, "edited", "größer\n")]))
    expected = NEW.replace("twenty\ntwenty more\n", "größer\n").replace("\n", "\r\n")
    assert one.file.read_bytes() == expected.encode("utf-16")


CHOICES = st.lists(
    st.one_of(
        st.just(("keep", "")),
        st.just(("drop", "")),
        st.tuples(st.just("edited"), st.sampled_from(["mine\n", "", "a\nb\n", "no end"])),
    ),
    max_size=3,
)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(choices=CHOICES)
def test_the_file_is_the_sum_of_the_decisions(
    choices: list[tuple[Any, str]], scripted: StartScripted, tmp_path: Path
) -> None:
    replies = [HunkReply(number, kind, text) for number, (kind, text) in enumerate(choices)]
    one = Reviewed(scripted, tmp_path, READ, WRITE)
    asyncio.run(_go(one, replies))
    said = {number: Choice(kind, text) for number, (kind, text) in enumerate(choices)}
    assert one.file.read_text() == result(OLD, hunks(OLD, NEW), said)


async def _go(one: Reviewed, replies: list[HunkReply]) -> None:
    run = await one.go(reviewer(replies))
    changed = one.file.read_text() != OLD
    assert bool(run.said(ToolCallFinished)[-1].edited) == changed
    assert run.said(CheckpointTaken) == []
