"""What a session did to the world, in order: a fold of its log, pure.

A row for each connection, command, page that was fetched, file that was changed, approval and mode.
A log that was cut gives the rows up to there; a call without a result says so.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Literal

import msgspec

from qcode.protocol.access import Access, wanting
from qcode.protocol.display import OutputBlock
from qcode.protocol.events import (
    ApprovalRequested,
    ApprovalSettled,
    CheckpointTaken,
    Connected,
    ModeChanged,
    ModelChanged,
    Rewound,
    SessionStarted,
    ShellFinished,
    ShellStarted,
    ToolCallFinished,
    ToolCallStarted,
    TurnFinished,
    TurnStarted,
    Verified,
)
from qcode.protocol.messages import ToolCall
from qcode.protocol.text import one_line
from qcode.session.envelope import Entry

Kind = Literal["session", "mode", "connection", "command", "fetch", "file", "approval"]

OPEN = "no result in the log"
_FENCES = {"holds": "in a sandbox", "none": "no sandbox", "off": "sandbox given up", "": ""}


class Row(msgspec.Struct, frozen=True):
    """One thing that happened."""

    n: int
    """Number of the event in the log."""
    at: str
    """UTC, ISO 8601."""
    turn: int
    """0 = before the first one."""
    kind: Kind
    what: str
    """Folder, mode, host and port, command line, address, path, or what was asked about; whole."""
    outcome: str = ""
    """`exit 0`, `denied`, `allow`, `closed`, `changed`; `OPEN` = the log ends before it is told."""
    because: str = ""
    by: str = ""
    """`model`, `user`, `check`, `endpoint`, `command`, `fetch`; of an approval empty: `because`
    says whether somebody decided."""
    where: Literal["", "inside", "outside"] = ""
    """Of a command; empty = there was no fence, or it is not told."""
    scope: str = ""
    """Of an approval: for how long it holds."""
    rules: tuple[str, ...] = ()
    """Of an approval: what allows the like from then on."""
    commands: tuple[str, ...] = ()
    """Of a connection that a command asked for, and of the approval of one: those that ran then;
    one of them it was."""


def audit(entries: Iterable[Entry]) -> tuple[Row, ...]:
    """The rows of a log, in its order."""
    fold = _Fold()
    for entry in entries:
        fold.take(entry)
    return tuple(fold.rows)


class _Fold:
    def __init__(self) -> None:
        self.rows: list[Row] = []
        self._turn = 0
        self._is_turning = False
        self._open: dict[str, list[int]] = {}
        """Calls and approvals without an end -> their rows."""
        self._edits: dict[str, frozenset[str]] = {}
        """Calls without an end -> the files that they may change."""

    def take(self, entry: Entry) -> None:
        """The next event."""
        match entry.event:
            case SessionStarted() as event:
                self._begin(entry, event)
            case TurnStarted(turn):
                self._turn, self._is_turning = turn, True
            case TurnFinished():
                self._is_turning = False
            case ModeChanged(mode):
                self._add(entry, "mode", mode, "changed")
            case ModelChanged(model, server):
                self._add(entry, "session", model, "answers from here on", one_line(server))
            case Connected(host, port, by, answer, because, commands):
                target = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
                at = self._add(entry, "connection", target, answer, because, by=by)
                self._change(at, commands=commands)
            case ToolCallStarted(call, _, accesses):
                self._call(entry, call, accesses)
            case ToolCallFinished() as event:
                self._end(entry, event)
            case ApprovalRequested() as event:
                self._ask(entry, event)
            case ApprovalSettled() as event:
                self._settle(event)
            case _:
                self._other(entry)

    def _other(self, entry: Entry) -> None:
        match entry.event:
            case ShellStarted(shell_id, command):
                self._open[shell_id] = [self._add(entry, "command", command, OPEN, by="user")]
            case ShellFinished(shell_id, block):
                for at in self._open.pop(shell_id, ()):
                    self._change(at, outcome=_ended(block, "ok", ""), where=block.where)
            case Verified(command, exit_code):
                outcome = "no exit code" if exit_code is None else f"exit {exit_code}"
                self._add(entry, "command", command, outcome, by="check")
            case CheckpointTaken(_, paths):
                self._kept(entry, paths)
            case Rewound(turn, files):
                because = f"back to before turn {turn}"
                for path in files:
                    self._add(entry, "file", path, "put back", because, by="user")
            case _:
                pass

    def _begin(self, entry: Entry, event: SessionStarted) -> None:
        self._is_turning = False
        self._open.clear()
        self._edits.clear()
        facts = (f"{event.mode} mode", event.model, event.server, _FENCES[event.fence])
        told = ", ".join(fact for fact in facts if fact)
        self._add(entry, "session", event.folder, "begins", told, by=f"qcode {event.version}")

    def _call(self, entry: Entry, call: ToolCall, accesses: tuple[Access, ...]) -> None:
        rows = self._open[call.id] = []
        for access in accesses:
            if access.kind == "shell":
                rows.append(self._add(entry, "command", access.target, OPEN, by="model"))
            elif access.kind == "network":
                rows.append(self._add(entry, "fetch", _address(call, access), OPEN, by="model"))
        self._edits[call.id] = frozenset(one.target for one in accesses if one.kind == "edit")

    def _end(self, entry: Entry, event: ToolCallFinished) -> None:
        message = event.message
        block = next((one for one in event.blocks if isinstance(one, OutputBlock)), None)
        because = "" if message.status == "ok" else one_line(message.text, 300)
        for at in self._open.pop(message.call_id, ()):
            outcome = _ended(block, message.status, because)
            notes = " ".join(block.notes) if block else ""
            told = notes if because in ("", outcome) else f"{because} {notes}".strip()
            self._change(at, outcome=outcome, because=told, where=block.where if block else "")
        self._edits.pop(message.call_id, None)
        for path in event.edited:
            self._add(entry, "file", path, "changed", message.name, by="model")

    def _kept(self, entry: Entry, paths: tuple[str, ...]) -> None:
        """Of an edit it comes beforehand, of a command behind; between turns a person has put the
        files back."""
        about_to = {path for edits in self._edits.values() for path in edits}
        for path in paths:
            if not self._is_turning:
                self._add(entry, "file", path, "put back", by="user")
            elif path not in about_to:
                self._add(entry, "file", path, "changed", "a command", by="model")

    def _ask(self, entry: Entry, event: ApprovalRequested) -> None:
        touched = ", ".join(access.target for access in event.accesses)
        what = f"{event.call.name}: {touched}" if touched else event.call.name
        at = self._add(entry, "approval", what, OPEN, event.because)
        self._change(at, commands=wanting(event.call.name, event.call.arguments))
        self._open[event.request_id] = [at]

    def _settle(self, event: ApprovalSettled) -> None:
        for at in self._open.pop(event.request_id, ()):
            asked = self.rows[at].because
            because = "; ".join(filter(None, (asked, event.because)))
            scope = "" if event.scope == "once" else event.scope
            self._change(at, outcome=event.answer, because=because, scope=scope, rules=event.rules)

    def _add(
        self,
        entry: Entry,
        kind: Kind,
        what: str,
        outcome: str = "",
        because: str = "",
        *,
        by: str = "",
    ) -> int:
        """Returns where the row stands."""
        row = Row(entry.n, entry.at, self._turn, kind, what, outcome, because, by)
        self.rows.append(row)
        return len(self.rows) - 1

    def _change(self, at: int, **changes: object) -> None:
        self.rows[at] = msgspec.structs.replace(self.rows[at], **changes)


def _ended(block: OutputBlock | None, status: str, because: str) -> str:
    """How a command ended, or a page was fetched."""
    if status in ("denied", "cancelled"):
        return status
    if block is None:
        return status
    if block.exit_code is not None:
        return f"exit {block.exit_code}"
    return because or "no exit code"


def _address(call: ToolCall, access: Access) -> str:
    """The whole address: what stands behind the host may tell as much to whoever answers."""
    try:
        found = json.loads(call.arguments)
    except (ValueError, RecursionError):
        return access.target
    values: Iterator[str] = iter(())
    if isinstance(found, dict):
        values = (value for value in found.values() if isinstance(value, str))
    return next((value for value in values if access.target in value.casefold()), access.target)
