"""All changes of one answer before a person at once: each is done as they said of it, and what is
not what they saw is asked about again."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from msgspec import structs

from qcode.permission.patterns import Ground
from qcode.permission.rules import parse_rules
from qcode.protocol.display import DiffBlock
from qcode.protocol.events import AnyEvent, ApprovalRequested, ToolCallFinished
from qcode.protocol.inputs import ApprovalReply, CallReply, HunkReply, Input, SetMode
from tests.engine.rig import Rig, configured, rig, started
from tests.engine.test_reviewing import NEW, OLD, golden
from tests.support.script import Call, Reply
from tests.support.scripted_server import StartScripted

ALLOW = ApprovalReply("", "allow")
DROPS = (HunkReply(1, "drop", comment="not now"), HunkReply(2, "drop"))


def write(path: str, content: str = NEW) -> Call:
    """A call that makes or replaces a file."""
    return Call("write", {"path": path, "content": content})


def edit(path: str, old: str, new: str) -> Call:
    """A call that replaces a passage."""
    return Call("edit", {"path": path, "old_string": old, "new_string": new})


class Batch:
    """Files, and a model that changes them in one answer."""

    def __init__(self, scripted: StartScripted, folder: Path, *calls: Call) -> None:
        self.folder = folder
        reads = []
        for name in ("a.txt", "b.txt"):
            (folder / name).write_text(OLD)
            reads.append(Call("read", {"path": name}))
        self.server = scripted(Reply(calls=tuple(reads)), Reply(calls=calls), Reply(text="ok"))
        self.config = configured(self.server.base_url)
        self.start = started(folder, person="present")

    async def go(self, *replies: ApprovalReply, before: Callable[[], object] = lambda: None) -> Rig:
        """One turn; the person gives these replies one after another. `also` names the calls by
        their place in the request's `proposed`. Not a reply is left over."""
        rest = list(replies)

        def on(event: AnyEvent) -> Input | None:
            if not isinstance(event, ApprovalRequested):
                return None
            before()
            given = rest.pop(0)
            ids = [one.call_id for one in event.proposed]
            also = tuple(structs.replace(one, call_id=ids[int(one.call_id)]) for one in given.also)
            return structs.replace(given, request_id=event.request_id, also=also)

        async with rig(self.config, self.start) as run:
            await run.turn("go", on)
        assert rest == []
        return run

    def text(self, name: str) -> str:
        """What stands in a file by now."""
        return (self.folder / name).read_text()

    @property
    def told(self) -> list[str]:
        """What the model was told of the calls of its second answer."""
        messages = self.server.requests[-1].messages
        return [one["content"] for one in messages if one["role"] == "tool"][2:]


def paths(asked: ApprovalRequested) -> list[str]:
    """Of the changes that are shown behind the one that is asked about."""
    blocks = [block for one in asked.proposed for block in one.blocks]
    return [block.path for block in blocks if isinstance(block, DiffBlock)]


def also(*replies: CallReply) -> ApprovalReply:
    """The first as proposed, and these about the others."""
    return ApprovalReply("", "allow", also=replies)


async def test_all_changes_of_an_answer_are_shown_with_the_first(
    scripted: StartScripted, tmp_path: Path
) -> None:
    batch = Batch(scripted, tmp_path, write("a.txt"), write("b.txt"), write("c.txt", "new\n"))
    run = await batch.go(also(CallReply("0", "allow"), CallReply("1", "allow")))
    [asked] = run.said(ApprovalRequested)
    assert paths(asked) == ["b.txt", "c.txt"]
    assert asked.behind == ("write b.txt", "write c.txt")
    assert [one.text for one in asked.proposed] == ["write b.txt", "write c.txt"]
    assert [batch.text(name) for name in ("a.txt", "b.txt", "c.txt")] == [NEW, NEW, "new\n"]
    golden("all_kept", batch.told[0])
    golden("all_kept", batch.told[1].replace("b.txt", "a.txt"))


async def test_what_is_told_of_each_is_what_would_be_told_of_it_alone(
    scripted: StartScripted, tmp_path: Path
) -> None:
    """Parts of two files refused in one reply."""
    batch = Batch(scripted, tmp_path, write("a.txt"), write("b.txt"))
    reply = also(CallReply("0", "allow", hunks=DROPS))
    await batch.go(structs.replace(reply, hunks=DROPS))
    partly = OLD.replace("line 5\n", "five\n")
    assert (batch.text("a.txt"), batch.text("b.txt")) == (partly, partly)
    golden("some_refused", batch.told[0])
    golden("some_refused", batch.told[1].replace("b.txt", "a.txt"))


async def test_one_of_several_is_denied_with_words(scripted: StartScripted, tmp_path: Path) -> None:
    batch = Batch(scripted, tmp_path, write("a.txt"), write("b.txt"), write("c.txt", "new\n"))
    await batch.go(also(CallReply("0", "deny", "leave b alone"), CallReply("1", "allow")))
    assert (batch.text("a.txt"), batch.text("b.txt"), batch.text("c.txt")) == (NEW, OLD, "new\n")
    assert batch.told[1] == "The user denied this call and says: leave b alone"


async def test_a_call_of_which_nothing_was_said_is_asked_about_in_its_turn(
    scripted: StartScripted, tmp_path: Path
) -> None:
    batch = Batch(scripted, tmp_path, write("a.txt"), write("b.txt"), write("c.txt", "new\n"))
    run = await batch.go(also(CallReply("1", "allow")), ALLOW)
    first, second = run.said(ApprovalRequested)
    assert paths(first) == ["b.txt", "c.txt"]
    assert paths(second) == []  # of c.txt the person has said what is to be done
    assert second.behind == ()


async def test_an_edit_behind_an_edit_of_the_same_file_is_asked_about_as_it_comes_to_be(
    scripted: StartScripted, tmp_path: Path
) -> None:
    calls = (edit("a.txt", "line 5\n", "five\n"), edit("a.txt", "line 6\n", "six\n"))
    batch = Batch(scripted, tmp_path, *calls, write("b.txt"))
    run = await batch.go(also(CallReply("0", "allow")), ALLOW)
    first, second = run.said(ApprovalRequested)
    assert paths(first) == ["b.txt"]
    assert first.behind == ("edit a.txt", "write b.txt")
    [block] = second.blocks
    assert isinstance(block, DiffBlock)
    assert " five" in block.patch  # on top of what was just written
    assert batch.text("a.txt") == OLD.replace("line 5\nline 6\n", "five\nsix\n")
    assert batch.text("b.txt") == NEW


async def test_a_change_that_is_another_by_its_turn_is_asked_about_again(
    scripted: StartScripted, tmp_path: Path
) -> None:
    """By the command of a call between them, here: what was said is about another file."""
    (tmp_path / "d.txt").write_text("x\n1\n")
    command = Call("shell", {"command": "printf 'x\\n2\\n' > d.txt"})
    batch = Batch(scripted, tmp_path, write("a.txt"), command, edit("d.txt", "x\n", "y\n"))
    run = await batch.go(also(CallReply("0", "deny")), ALLOW, ALLOW)
    last = run.said(ApprovalRequested)[-1]
    assert (last.call.name, "+y" in str(last.blocks)) == ("edit", True)
    assert batch.text("d.txt") == "y\n2\n"


async def test_a_change_that_cannot_be_made_any_more_fails_as_ever(
    scripted: StartScripted, tmp_path: Path
) -> None:
    command = Call("shell", {"command": "printf 'theirs\\n' > b.txt"})
    batch = Batch(scripted, tmp_path, write("a.txt"), command, write("b.txt"))
    run = await batch.go(also(CallReply("0", "allow")), ALLOW)
    assert [one.call.name for one in run.said(ApprovalRequested)] == ["write", "shell"]
    assert batch.text("b.txt") == "theirs\n"
    assert "b.txt changed on disk since it was read" in batch.told[2]


async def test_leave_for_what_was_never_shown_is_none(
    scripted: StartScripted, tmp_path: Path
) -> None:
    """A front end that makes up a reply about a call that is no change."""
    batch = Batch(scripted, tmp_path, write("a.txt"), Call("shell", {"command": "touch x"}))

    def person(event: AnyEvent) -> Input | None:
        if not isinstance(event, ApprovalRequested):
            return None
        if event.call.name == "shell":
            return ApprovalReply(event.request_id, "deny")
        ids = [f"call_{number}" for number in range(9)] + [f"call-{number}" for number in range(9)]
        made_up = tuple(CallReply(one, "allow") for one in ids)
        return ApprovalReply(event.request_id, "allow", also=made_up)

    async with rig(batch.config, batch.start) as run:
        await run.turn("go", person)
    assert [one.call.name for one in run.said(ApprovalRequested)] == ["write", "shell"]
    assert not (tmp_path / "x").exists()


async def test_a_deny_rule_beats_what_was_said_and_a_mode_does_not(
    scripted: StartScripted, tmp_path: Path
) -> None:
    """What the person refused in the review stays refused though edits are allowed by then."""
    rules = parse_rules(["Edit(/c.txt)"], "deny", "flag", Ground(tmp_path.as_posix(), "/h"))
    batch = Batch(scripted, tmp_path, write("a.txt"), write("b.txt"), write("c.txt", "x\n"))
    batch.start = started(tmp_path, person="present", rules=rules)

    def person(event: AnyEvent) -> Input | None:
        if isinstance(event, ApprovalRequested):
            assert paths(event) == ["b.txt"]
            [other] = event.proposed
            reply = CallReply(other.call_id, "allow", hunks=DROPS)
            run.engine.submit(ApprovalReply(event.request_id, "allow", also=(reply,)))
            return SetMode("edit")
        return None

    async with rig(batch.config, batch.start) as run:
        await run.turn("go", person)
    assert batch.text("b.txt") == OLD.replace("line 5\n", "five\n")
    assert not (tmp_path / "c.txt").exists()
    statuses = [one.message.status for one in run.said(ToolCallFinished)]
    assert statuses == ["ok", "ok", "ok", "ok", "denied"]


async def test_what_was_said_of_one_answer_holds_for_no_other(
    scripted: StartScripted, tmp_path: Path
) -> None:
    batch = Batch(scripted, tmp_path, write("a.txt"), write("b.txt"))
    again = Reply(calls=(write("a.txt", OLD), write("b.txt", OLD)))
    batch.server._replies.insert(2, again)
    run = await batch.go(also(CallReply("0", "allow")), ALLOW, ALLOW)
    assert len(run.said(ApprovalRequested)) == 3


async def test_looking_ahead_tells_the_model_nothing(
    scripted: StartScripted, tmp_path: Path
) -> None:
    """An edit that does not fit yet is no failure before its turn."""
    calls = (write("a.txt"), edit("b.txt", "no such line\n", "x\n"), edit("none.txt", "a", "b"))
    batch = Batch(scripted, tmp_path, *calls)
    run = await batch.go(ALLOW)
    [asked] = run.said(ApprovalRequested)
    assert asked.proposed == ()
    assert asked.behind == ("edit b.txt", "edit none.txt")
    assert batch.text("a.txt") == NEW


@pytest.mark.parametrize("first", ["shell", "edit"])
async def test_changes_are_shown_only_beside_a_change(
    scripted: StartScripted, tmp_path: Path, first: str
) -> None:
    """A review opens from one; beside a command they are named."""
    made = Call("shell", {"command": "true x"}) if first == "shell" else write("a.txt")
    batch = Batch(scripted, tmp_path, made, write("b.txt"))
    replies: Sequence[ApprovalReply] = [ApprovalReply("", "allow", scope="batch")]
    run = await batch.go(*replies)
    assert paths(run.said(ApprovalRequested)[0]) == ([] if first == "shell" else ["b.txt"])
    assert run.said(ApprovalRequested)[0].behind == ("write b.txt",)
