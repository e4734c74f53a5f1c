"""The changes of one answer in one review: what the person does there is said of each call."""

import asyncio

from msgspec import structs

from qcode.protocol.display import DiffBlock
from qcode.protocol.events import AnyEvent, ApprovalRequested, ProposedCall
from qcode.protocol.inputs import ApprovalReply, CallReply, HunkReply
from tests.tui.conftest import Enter
from tests.tui.test_chat_approvals import edit, replied, waits

NEW = DiffBlock("b.py", "--- /dev/null\n+++ b/b.py\n@@ -0,0 +1 @@\n+b\n", 1, 0)
LAST = DiffBlock("c.py", "--- /dev/null\n+++ b/c.py\n@@ -0,0 +1 @@\n+c\n", 1, 0)


def several() -> AnyEvent:
    """The same change, with two files behind it."""
    first = edit()
    assert isinstance(first, ApprovalRequested)
    behind = (
        ProposedCall("c2", "write b.py", (NEW,)),
        ProposedCall("c3", "write c.py", (LAST,)),
    )
    return structs.replace(first, behind=("write b.py", "write c.py"), proposed=behind)


async def test_all_changes_of_an_answer_are_reviewed_in_one_place(house: Enter) -> None:
    async with house() as h:
        (h.folder / "a.py").write_text("one\ntwo\n" + "-\n" * 6 + "nine\nten\n")
        await waits(h, several())
        assert "review all 3 changes" in h.screen
        await h.press("enter")
        await h.until(lambda: h.app.screen is not h.app.chat and "hunk 1 of 2" in h.screen)
        assert "b.py" in h.screen
        assert "c.py" in h.screen
        await h.press("a", "a", "r", "a", "enter")
        reply = await replied(h)
        assert reply.hunks == (HunkReply(0, "keep"), HunkReply(1, "keep"))
        assert reply.also == (
            CallReply("c2", "allow", hunks=(HunkReply(0, "drop"),)),
            CallReply("c3", "allow", hunks=(HunkReply(0, "keep"),)),
        )


async def test_enter_alone_asks_first_about_files_that_nobody_may_have_looked_at(
    house: Enter,
) -> None:
    async with house() as h:
        (h.folder / "a.py").write_text("one\ntwo\n" + "-\n" * 6 + "nine\nten\n")
        await waits(h, several())
        await h.press("enter")
        await h.until(lambda: h.app.screen is not h.app.chat and "hunk 1 of 2" in h.screen)
        await h.press("enter")
        await h.until(lambda: "keep them too" in h.screen)
        assert not h.engine.heard(ApprovalReply)
        await h.press("enter")
        reply = await replied(h)
        assert [one.call_id for one in reply.also] == ["c2", "c3"]


async def test_y_takes_along_what_was_decided_of_other_calls_and_nothing_else(
    house: Enter,
) -> None:
    async with house() as h:
        (h.folder / "a.py").write_text("one\ntwo\n" + "-\n" * 6 + "nine\nten\n")
        await waits(h, several())
        await h.press("enter")
        await h.until(lambda: h.app.screen is not h.app.chat and "hunk 1 of 2" in h.screen)
        await h.press("right_square_bracket", "r", "escape")
        await h.until(lambda: h.app.chat.approval.has_focus)
        await asyncio.sleep(0.35)
        await h.press("y")
        reply = await replied(h)
        assert reply.hunks == (HunkReply(0, "keep"), HunkReply(1, "keep"))
        assert [(one.call_id, one.hunks) for one in reply.also] == [("c2", (HunkReply(0, "drop"),))]
