"""The fence in words: hosts that commands ask for, the way round it, what it did."""

import json

import pytest
from msgspec.structs import replace

from qcode.protocol.access import NETWORK_CALL, Access
from qcode.protocol.display import OutputBlock
from qcode.protocol.events import (
    AnyEvent,
    ApprovalRequested,
    ApprovalSettled,
    Connected,
    SessionStarted,
    ToolCallFinished,
    ToolCallStarted,
    TurnFinished,
    TurnStarted,
)
from qcode.protocol.messages import ToolCall, ToolMessage, user
from qcode.tui.blocks import CallBlock, NoteBlock
from qcode.tui.chat.approvals import Shown, approval_lines
from qcode.tui.drawing.draw import draw
from qcode.tui.drawing.view import View
from qcode.tui.following import follow
from qcode.tui.plain_replies import reply
from qcode.tui.plain_rows import approval, choices
from qcode.tui.status import Status
from qcode.tui.transcript import replay

SHELL = ToolCall("c1", "shell", '{"command":"make"}')
ASKED = ApprovalRequested(
    "r1",
    ToolCall("network-1", NETWORK_CALL, '{"host":"pypi.org","port":443}'),
    (Access("network", "pypi.org"),),
    "auto mode asks before network access",
    rules=("WebFetch(domain:pypi.org)",),
)
COMMAND = ApprovalRequested("r2", SHELL, (Access("shell", "make"),), "it asks", where="inside")


def test_in_plain_mode_a_host_is_asked_about_by_its_name() -> None:
    told = "\n".join(text for text, _ in approval(ASKED, ""))
    assert "a command wants to reach pypi.org:443" in told
    assert "session would allow: WebFetch(domain:pypi.org)" in told
    assert "for this turn" in choices(ASKED)
    assert "outside" not in choices(ASKED)


@pytest.mark.parametrize(
    ("commands", "plainly", "strip"),
    [
        (["npm ci"], "  asked by: npm ci", "asked by npm ci"),
        (["npm ci", "make"], "  one of: npm ci\n  one of: make", "asked by one of npm ci, make"),
        (["a\nb\x1b[2J"], "  asked by: a ⏎ b‹U+001B›[2J", "asked by a ⏎ b‹U+001B›[2J"),
        ([], "", ""),
    ],
)
def test_who_asks_for_a_host_is_said(commands: list[str], plainly: str, strip: str) -> None:
    arguments = json.dumps({"host": "pypi.org", "port": 443, "commands": commands})
    asked = replace(ASKED, call=ToolCall("network-1", NETWORK_CALL, arguments))
    assert plainly in "\n".join(text for text, _ in approval(asked, ""))
    rows = [one.text.strip() for one in approval_lines(asked, Shown(100))]
    assert (strip in rows) == bool(commands)
    assert any("by" in row for row in rows) == bool(commands)


@pytest.mark.parametrize(
    ("line", "where"), [("outside", "outside"), ("OUTSIDE ", "outside"), ("y", "inside")]
)
def test_in_plain_mode_outside_is_written_out(line: str, where: str) -> None:
    assert "[outside]" in choices(COMMAND)
    found = reply(COMMAND, line)
    assert not isinstance(found, str)
    assert found is not None
    assert (found.answer, found.scope, found.where) == ("allow", "once", where)


@pytest.mark.parametrize("line", ["o", "out", "outside please"])
def test_in_plain_mode_no_slip_leads_outside(line: str) -> None:
    assert reply(COMMAND, line) is None


def test_in_plain_mode_outside_is_nothing_where_it_was_not_offered() -> None:
    assert reply(ASKED, "outside") is None


def test_a_session_with_a_refused_host_replays_to_its_cards_and_a_note() -> None:
    output = OutputBlock("make", "failed", 1, 0.5, notes=("[network] pypi.org:443 was refused.",))
    events: tuple[AnyEvent, ...] = (
        TurnStarted(1, user("go")),
        ToolCallStarted(SHELL, "shell make"),
        ASKED,
        ApprovalSettled("r1", "deny", "the user decided"),
        Connected("pypi.org", 443, "command", "deny", "the user said no"),
        ToolCallFinished(ToolMessage("c1", "shell", "failed"), (output,)),
        TurnFinished("end_turn"),
    )
    state, blocks = replay(events)
    assert state.waiting == ()
    assert [one.state for one in blocks if isinstance(one, CallBlock)] == ["ok"]
    [note] = [one for one in blocks if isinstance(one, NoteBlock)]
    assert "pypi.org:443" in note.text


@pytest.mark.parametrize(
    ("note", "opened", "is_seen"),
    [
        ("The command was ended: too much memory.", False, True),
        ("[network] pypi.org:443 was refused.", False, False),
        ("[network] pypi.org:443 was refused.", True, True),
    ],
)
def test_what_the_fence_did_stands_in_the_card(note: str, *, opened: bool, is_seen: bool) -> None:
    output = OutputBlock("make", "x", 1, 0.5, notes=(note,))
    block = CallBlock("c1", "shell", "make", "ok", blocks=(output,))
    lines = draw(block, View(80, opened=opened))
    told = "\n".join("".join(span.text for span in one.spans) for one in lines)
    assert (note in told) == is_seen


def test_what_stands_around_commands_is_known_from_the_beginning_of_the_session() -> None:
    begun = SessionStarted(
        *("s1", "0.1.0", "/p", "m", "llamacpp", "system", (), "auto"), fence="holds"
    )
    assert follow(Status(), begun, 0.0).fence == "holds"
