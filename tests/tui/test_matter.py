"""A long command or patch costs its beginning until all of it is asked for, and then once."""

import json

from qcode.protocol.access import Access
from qcode.protocol.display import DiffBlock
from qcode.protocol.events import ApprovalRequested
from qcode.protocol.messages import ToolCall
from qcode.tui.chat.approvals import Shown, approval_lines, is_whole
from qcode.tui.chat.matter import FIRST_CHARACTERS, beginning, whole

WORDS = "".join(f"echo {number}\n" for number in range(100_000))


def shell(command: str) -> ApprovalRequested:
    call = ToolCall("1", "shell", json.dumps({"command": command}))
    return ApprovalRequested("r-1", call, (Access("shell", command),), "because")


def edit(*patches: str) -> ApprovalRequested:
    blocks = tuple(DiffBlock(f"{at}.py", patch, 1, 0) for at, patch in enumerate(patches))
    return ApprovalRequested("r-1", ToolCall("1", "edit", "{}"), (), "because", blocks)


def test_only_the_beginning_of_a_long_command_is_looked_at() -> None:
    asked = shell(WORDS)
    lines, beyond = beginning(asked, 80)
    assert beyond == len(WORDS) - FIRST_CHARACTERS
    assert sum(len(one.text.strip()) for one in lines) <= FIRST_CHARACTERS
    shown = approval_lines(asked, Shown(80))
    assert len(shown) == 14
    assert any(f"… over {beyond:,} more characters: v shows all" in one.text for one in shown)
    assert not is_whole(asked, Shown(80))


def test_a_command_without_line_ends_is_cut_too() -> None:
    lines, beyond = beginning(shell("x" * 1_000_000), 80)
    assert (len(lines), beyond) == (-(-FIRST_CHARACTERS // 76), 1_000_000 - FIRST_CHARACTERS)


def test_all_of_it_is_shown_when_asked_for_and_made_once_for_each_width() -> None:
    asked = shell(WORDS)
    shown = approval_lines(asked, Shown(80, whole=True))
    text = "\n".join(one.text[3:] for one in shown)
    assert WORDS in text
    assert whole(asked, 80) is whole(asked, 80)
    assert whole(asked, 80) is not whole(asked, 60)
    assert is_whole(asked, Shown(80, whole=True))


def test_a_short_one_is_as_it_was() -> None:
    asked = shell("ls\n" * 40)
    shown = approval_lines(asked, Shown(80))
    shown_rows = sum(one.text == "   ls" for one in shown)
    assert any(f"… {41 - shown_rows} more lines: v shows all" in one.text for one in shown)
    assert approval_lines(shell("ls"), Shown(80))[1].text == "   ls"


def test_of_patches_the_beginning_of_each_is_looked_at() -> None:
    patch = "@@ -1 +1 @@\n" + "+a line\n" * 100_000
    asked = edit(patch, patch)
    lines, beyond = beginning(asked, 80)
    assert beyond == 2 * (len(patch) - FIRST_CHARACTERS)
    assert len(lines) < 2 * FIRST_CHARACTERS / 7
    assert len(whole(asked, 80)) == 2 * 100_002
