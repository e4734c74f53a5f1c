"""Several changes of one answer: the strip, and the review of all of them."""

from qcode.protocol.access import Access
from qcode.protocol.display import DiffBlock
from qcode.protocol.events import ProposedCall, StepStarted
from qcode.protocol.messages import ToolCall
from qcode.tui.app import QcodeApp
from qcode.tui.review.view import CommentInput
from qcode.workspace.patches import between
from tests.tui.snapshots.chat import EDIT, answer, asked, begin, started
from tests.tui.snapshots.stage import Stage

COUNT = "def pages(items, size):\n    return -(-len(items) // size) if items else 0\n"
TEST = "from acme.pages import pages\n\n\ndef test_no_items():\n    assert pages([], 20) == 0\n"


def change(path: str, before: str | None, after: str) -> DiffBlock:
    """As an edit proposes it."""
    made = between(path, before, after)
    return DiffBlock(path, made.patch, *made.counts)


PAGES = change("src/acme/pages.py", "pass\n", COUNT)
API = change("src/acme/api.py", "pass\n", "from acme.pages import pages\n\npass\n")
NEW = change("tests/test_empty.py", None, TEST)


async def approve(s: Stage) -> None:
    """A change, and two more that are reviewed with it."""
    begin(s)
    behind = (
        ProposedCall("c4", "edit src/acme/api.py", (API,)),
        ProposedCall("c5", "write tests/test_empty.py", (NEW,)),
    )
    ask = asked(
        EDIT,
        Access("edit", PAGES.path),
        blocks=(PAGES,),
        rules=("Edit(/src/**)",),
        behind=tuple(one.text for one in behind),
        proposed=behind,
    )
    calls = (EDIT, ToolCall("c4", "edit", "{}"), ToolCall("c5", "write", "{}"))
    s.say(StepStarted(1, 2), answer("", *calls), started(EDIT, PAGES.path), ask)
    app = s.app
    assert isinstance(app, QcodeApp)
    await s.until(lambda: app.chat.strip.has_focus_within)


async def review(s: Stage) -> None:
    """All three in one place, the first decided, a word about the second."""
    await approve(s)
    app = s.app
    assert isinstance(app, QcodeApp)
    await s.until(lambda: app.chat.approval.check_action("view", ()))
    await s.press("enter")
    await s.until_seen("hunk 1 of 1")
    await s.press("a", "r", "p", "c")
    await s.type("not in this change")
    await s.press("enter")
    field = s.app.screen.query_one(CommentInput)  # where the words stand first
    await s.until(lambda: not field.display)
    await s.until_seen("not in this change")
