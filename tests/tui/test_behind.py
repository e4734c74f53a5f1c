"""Who allows all calls of an answer at once has been able to see all of them."""

from qcode.protocol.access import Access
from qcode.protocol.events import ApprovalRequested
from qcode.protocol.messages import ToolCall
from qcode.tui.chat.approvals import Shown, approval_lines
from qcode.tui.plain_rows import approval

LONG = "echo " + 40 * "harmless "
ASKED = ApprovalRequested(
    "approval-1",
    ToolCall("1", "shell", '{"command": "ls"}'),
    (Access("shell", "ls"),),
    "ask mode asks before commands",
    behind=(f"shell # fine\nrm -rf x\u200b\n{LONG}&& rm y",),
)


def test_the_strip_shows_them_in_a_row_and_to_their_ends_when_all_is_asked_for() -> None:
    [row] = [one for one in approval_lines(ASKED, Shown(60)) if "behind it" in one.text]
    assert "\n" not in row.text
    assert "shell # fine ⏎ rm -rf x‹U+200B› ⏎" in row.text
    assert row.width <= 60
    whole = approval_lines(ASKED, Shown(60, whole=True))
    assert all(one.width <= 60 for one in whole)
    text = "".join(one.text.removeprefix("   ") for one in whole)
    assert f"behind it: shell # finerm -rf x‹U+200B›{LONG}&& rm y" in text


def test_plain_shows_all_of_them() -> None:
    rows = [row for row, _ in approval(ASKED, "")]
    at = rows.index("  behind it: shell # fine")
    assert rows[at + 1 : at + 3] == ["  rm -rf x‹U+200B›", f"  {LONG}&& rm y"]
