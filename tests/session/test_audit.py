"""The audit of a session: what it did to the world is in it, in order, and nothing else."""

from datetime import UTC, datetime
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from qcode.protocol.access import NETWORK_CALL, Access
from qcode.protocol.display import OutputBlock
from qcode.protocol.events import (
    ApprovalRequested,
    ApprovalSettled,
    CheckpointTaken,
    Connected,
    LoggedEvent,
    ModeChanged,
    Rewound,
    ShellFinished,
    ShellStarted,
    ToolCallFinished,
    ToolCallStarted,
    TurnFinished,
    TurnStarted,
    Verified,
)
from qcode.protocol.messages import CallStatus, ToolCall, ToolMessage, user
from qcode.session.audit import OPEN, Row, audit
from qcode.session.envelope import Entry
from qcode.session.reading import read
from tests.session.histories import one_turn, started

GOLDEN = Path(__file__).parent / "golden" / "v1.jsonl"


def entries(*events: LoggedEvent) -> list[Entry]:
    at = datetime(2026, 11, 21, 9, 0, tzinfo=UTC).isoformat()
    return [Entry(n, at, event) for n, event in enumerate(events, 1)]


def rows(*events: LoggedEvent) -> list[Row]:
    """Those behind the first line of a log."""
    return list(audit(entries(started(), TurnStarted(1, user("Go.")), *events)))[1:]


def call(name: str = "shell", arguments: str = '{"command":"make"}') -> ToolCall:
    return ToolCall("c1", name, arguments)


def command(line: str = "make") -> ToolCallStarted:
    return ToolCallStarted(call(), f"shell {line}", (Access("shell", line),))


def done(
    block: OutputBlock | None, status: CallStatus = "ok", text: str = "", *edited: str
) -> ToolCallFinished:
    message = ToolMessage("c1", "shell", text, status)
    return ToolCallFinished(message, (block,) if block else (), 0.1, edited)


def test_a_session_says_where_it_begins() -> None:
    (row,) = audit(entries(started()))
    assert (row.kind, row.what, row.by, row.turn) == ("session", "/project", "qcode 0.1.0", 0)
    assert row.because == "ask mode, qwen, llamacpp b1"


def test_a_command_has_its_end_and_its_place() -> None:
    block = OutputBlock("make", "ok", 2, 0.1, notes=("evil.com was refused.",), where="inside")
    (row,) = rows(command("make\n--all"), done(block))
    assert (row.kind, row.what, row.outcome, row.by) == (
        "command",
        "make\n--all",
        "exit 2",
        "model",
    )
    assert (row.where, row.because, row.turn) == ("inside", "evil.com was refused.", 1)


def test_a_command_that_did_not_run_says_why() -> None:
    (row,) = rows(command(), done(None, "denied", "Denied by the rules (user config: deny Bash)."))
    assert (row.outcome, row.because) == (
        "denied",
        "Denied by the rules (user config: deny Bash).",
    )


def test_a_command_that_was_ended_says_how() -> None:
    block = OutputBlock("make", "", None, 120.0)
    (row,) = rows(command(), done(block, "error", "ended after 120 s (time limit) · 120.0 s\n"))
    assert row.outcome == "ended after 120 s (time limit) · 120.0 s"
    assert row.because == ""


def test_a_call_without_an_end_says_that_the_log_ends() -> None:
    (row,) = rows(command())
    assert row.outcome == OPEN
    again = rows(command(), started(), done(OutputBlock("make", "", 0, 0.1)))
    assert again[0].outcome == OPEN, "another run's result is not this one's"


def test_commands_of_the_person_and_of_the_check_are_told_apart() -> None:
    block = OutputBlock("git push", "", 0, 0.1, where="outside")
    found = rows(
        ShellStarted("shell-1", "git push"),
        ShellFinished("shell-1", block),
        Verified("pytest", 1, 1, ""),
    )
    told = [(row.what, row.by, row.outcome, row.where) for row in found]
    assert told == [("git push", "user", "exit 0", "outside"), ("pytest", "check", "exit 1", "")]


def test_connections_are_told_whoever_made_them() -> None:
    found = rows(
        Connected("127.0.0.1", 8080, "endpoint", "allow"),
        Connected("2606:2800:220:1::1", 443, "fetch", "allow"),
        Connected("evil.com", 443, "command", "deny", "no rule names this host", ("npm ci",)),
        Connected("127.0.0.1", 3001, "user", "closed", "closed again (/port)"),
    )
    told = [(row.what, row.by, row.outcome, row.because) for row in found]
    assert [row.commands for row in found] == [(), (), ("npm ci",), ()]
    assert told == [
        ("127.0.0.1:8080", "endpoint", "allow", ""),
        ("[2606:2800:220:1::1]:443", "fetch", "allow", ""),
        ("evil.com:443", "command", "deny", "no rule names this host"),
        ("127.0.0.1:3001", "user", "closed", "closed again (/port)"),
    ]


def test_a_fetched_page_is_told_with_its_whole_address() -> None:
    url = "https://Example.com/?secret=" + "x" * 300
    asked = ToolCallStarted(
        ToolCall("c1", "fetch", f'{{"url":"{url}"}}'),
        "fetch https://Example.com/…",
        (Access("network", "example.com"),),
    )
    (row,) = rows(asked, done(None, "ok", "a page"))
    assert (row.kind, row.what, row.outcome) == ("fetch", url, "ok")
    (bare,) = rows(ToolCallStarted(call("fetch", "not json"), "", asked.accesses))
    assert bare.what == "example.com"


def test_files_are_told_once_whoever_changed_them() -> None:
    edit = ToolCallStarted(call("edit", "{}"), "edit a.py", (Access("edit", "a.py"),))
    found = rows(
        edit,
        CheckpointTaken("k1", ("a.py",)),
        done(None, "ok", "", "a.py"),
        command(),
        done(OutputBlock("make", "", 0, 0.1)),
        CheckpointTaken("k2", ("b.py", "c.py")),
        TurnFinished("end_turn"),
        CheckpointTaken("k3", ("b.py",)),
        Rewound(1, ("c.py",)),
    )
    told = [(row.what, row.outcome, row.by) for row in found if row.kind == "file"]
    assert told == [
        ("a.py", "changed", "model"),
        ("b.py", "changed", "model"),
        ("c.py", "changed", "model"),
        ("b.py", "put back", "user"),
        ("c.py", "put back", "user"),
    ]


def test_an_approval_has_question_answer_and_rules() -> None:
    asked = ApprovalRequested("r1", call(), (Access("shell", "make"),), "ask mode asks")
    settled = ApprovalSettled("r1", "allow", "the user decided", "project", ("Bash(make:*)",))
    (row,) = rows(asked, settled)
    assert (row.kind, row.what, row.outcome) == ("approval", "shell: make", "allow")
    assert row.because == "ask mode asks; the user decided"
    assert (row.scope, row.rules) == ("project", ("Bash(make:*)",))


def test_a_question_about_a_host_is_an_approval() -> None:
    host = (Access("network", "pypi.example"),)
    asked = ApprovalRequested("r1", call(NETWORK_CALL), host, "ask mode asks")
    (row,) = rows(asked, ApprovalSettled("r1", "deny", "no"))
    assert (row.what, row.outcome, row.scope) == ("network: pypi.example", "deny", "")
    assert row.commands == ()


def test_a_question_about_a_host_says_which_commands_ran_then() -> None:
    host = (Access("network", "pypi.example"),)
    arguments = '{"host":"pypi.example","port":443,"commands":["npm ci","make"]}'
    (row,) = rows(ApprovalRequested("r1", call(NETWORK_CALL, arguments), host, "it asks"))
    assert row.commands == ("npm ci", "make")
    (other,) = rows(ApprovalRequested("r1", call("mcp", arguments), host, "it asks"))
    assert other.commands == ()


def test_numbers_of_approvals_begin_again_with_each_run() -> None:
    asked = ApprovalRequested("approval-1", call(), (Access("shell", "make"),), "asks")
    found = rows(asked, started(), asked, ApprovalSettled("approval-1", "deny", "no"))
    assert [row.outcome for row in found if row.kind == "approval"] == [OPEN, "deny"]


def test_a_change_of_mode_is_told() -> None:
    (row,) = rows(ModeChanged("auto"))
    assert (row.kind, row.what) == ("mode", "auto")


def test_words_are_not_in_it() -> None:
    found = audit(entries(started(), *one_turn(1, "a secret prompt", "a secret answer")))
    assert "secret" not in repr(found)


def test_the_golden_log_has_all_of_it() -> None:
    kinds = {row.kind for row in audit(read(GOLDEN).entries)}
    assert kinds >= {"session", "mode", "connection", "file", "approval", "command"}


@given(st.data())
def test_a_cut_log_gives_the_rows_up_to_there(data: st.DataObject) -> None:
    all_of_it = read(GOLDEN).entries
    cut = data.draw(st.integers(0, len(all_of_it)))
    whole, part = audit(all_of_it), audit(all_of_it[:cut])
    assert len(part) <= len(whole)
    for row, same in zip(part, whole, strict=False):
        assert (row.n, row.kind, row.what) == (same.n, same.kind, same.what)
        assert row == same or row.outcome == OPEN


@given(st.lists(st.sampled_from(read(GOLDEN).entries), max_size=40))
def test_events_in_any_order_are_read(shuffled: list[Entry]) -> None:
    assert all(row.what for row in audit(shuffled))
