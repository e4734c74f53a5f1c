"""The network of commands inside the fence: each host is judged, and a person asked where the mode
says so.

The command waits meanwhile. One question per host is open at a time, whatever number of connections
wants it. What was allowed once holds until the next turn begins: a package manager connects a dozen
times, and no person would answer that often. What was denied stays denied until the person speaks.
"""

import asyncio
from collections.abc import Callable, Sequence
from itertools import count
from typing import Literal

import msgspec

from qcode.engine.approval import Approvals, Question, allowing
from qcode.engine.say import Say
from qcode.protocol.access import NETWORK_CALL, Access
from qcode.protocol.errors import SessionNotSaved
from qcode.protocol.events import Connected
from qcode.protocol.messages import ToolCall
from qcode.protocol.text import well_formed

OFFLINE = "this run is offline (--offline)"
ENDPOINT = "it is the model's server, which commands never reach"
UNSAVED = "the session could not be saved, so nobody was asked"
CLOSING = "qcode is closing"
MANY = "commands wanted too many hosts in this run"

MOST_TOLD = 1_000
"""Hosts and ports: a command could think of new ones without end, and each of them is told."""

MOST_NAMED, NAMED_CHARACTERS = 8, 500
"""Commands in a question, and how much of each: jobs may be many, and a line is as long as one
likes. The log has it whole where it began."""

WAIT_SECONDS = 60.0
"""A question whose connections were all given up stays open so long: package managers give up after
15 s and try again, and the person should not see it come and go."""


class _Asked(msgspec.Struct, eq=False):
    """A host about which a person is asked."""

    task: "asyncio.Task[str]"
    waiters: int = 0
    leaving: asyncio.TimerHandle | None = None


class NetworkGate(msgspec.Struct):
    """See `sandbox.base.Gate`."""

    approvals: Approvals
    say: Say
    closed: str = ""
    """Why no host is ever reached, as a clause; empty = it is judged."""
    is_endpoint: Callable[[str, int], bool] = lambda host, port: False
    """Whether the model's server answers there."""
    running: Callable[[], Sequence[str]] = tuple
    """See `Runner.running`."""
    _allowed: set[str] = msgspec.field(default_factory=set)
    """Hosts, for the rest of the turn."""
    _unasked: dict[str, str] = msgspec.field(default_factory=dict)
    """Hosts about which nobody could be asked -> the clause."""
    _open: dict[str, _Asked] = msgspec.field(default_factory=dict)
    _told: set[tuple[str, int, str]] = msgspec.field(default_factory=set)
    _numbers: "count[int]" = msgspec.field(default_factory=lambda: count(1))
    _commands: int = 0
    """That run in the foreground."""

    async def __call__(self, host: str, port: int) -> str:
        """Empty when the command may connect, else why not."""
        if len(self._told) >= MOST_TOLD and not self._is_known(host, port):
            return MANY
        commands = self._named()
        why = await self._why_not(host, port)
        answer: Literal["allow", "deny"] = "deny" if why else "allow"
        if (host, port, answer) not in self._told:
            self._told.add((host, port, answer))
            try:
                self.say(Connected(host, port, "command", answer, why, commands))
            except SessionNotSaved:  # what no log can tell of is not done
                return UNSAVED
        return why

    def begin(self) -> None:
        """Another turn: what was allowed for the last one holds no more."""
        self._allowed.clear()

    def entered(self) -> None:
        """A command begins."""
        self._commands += 1

    def left(self) -> None:
        """It has ended: questions for which nothing waits any more are withdrawn, now and, as long
        as no other runs, as soon as their last connection is seen to be gone."""
        self._commands -= 1
        for asked in tuple(self._open.values()):
            if not asked.waiters:
                asked.task.cancel()

    async def close(self) -> None:
        """Withdraw all questions; none follows."""
        self.closed = CLOSING
        tasks = [asked.task for asked in self._open.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _named(self) -> tuple[str, ...]:
        """What runs: the newest last, where there are too many those."""
        lines = tuple(dict.fromkeys(map(_short, self.running())))
        return lines[-MOST_NAMED:]

    def _is_known(self, host: str, port: int) -> bool:
        return any((host, port, answer) in self._told for answer in ("allow", "deny"))

    async def _why_not(self, host: str, port: int) -> str:
        if self.closed:
            return self.closed
        if self.is_endpoint(host, port):
            return ENDPOINT
        access = Access("network", host)
        verdict = self.approvals.judge((access,))
        if verdict.answer == "deny":
            return verdict.because
        if verdict.answer == "allow" or host in self._allowed:
            return ""
        if host in self._unasked:
            return self._unasked[host]
        try:
            return await self._shared(host, port, access)
        except SessionNotSaved:
            return UNSAVED

    async def _shared(self, host: str, port: int, access: Access) -> str:
        """The answer to the question about this host, which is asked once."""
        asked = self._open.get(host)
        if asked is None:
            task = asyncio.get_running_loop().create_task(self._ask(host, port, access))
            asked = self._open[host] = _Asked(task)
            task.add_done_callback(lambda _: self._forget(host, asked))
        if asked.leaving is not None:
            asked.leaving.cancel()
        asked.waiters += 1
        try:
            return await asyncio.shield(asked.task)
        except asyncio.CancelledError:
            if asked.task.cancelled():  # withdrawn, and it is not this task that was ended
                return "the question about it was withdrawn"
            raise
        finally:
            asked.waiters -= 1
            if not asked.waiters and not asked.task.done():
                loop = asyncio.get_running_loop()
                seconds = WAIT_SECONDS if self._commands else 0.0
                asked.leaving = loop.call_later(seconds, asked.task.cancel)

    def _forget(self, host: str, asked: _Asked) -> None:
        if asked.leaving is not None:
            asked.leaving.cancel()
        if self._open.get(host) is asked:
            del self._open[host]
        if not asked.task.cancelled():
            asked.task.exception()  # those who wait have it; nobody may

    async def _ask(self, host: str, port: int, access: Access) -> str:
        key = f"{NETWORK_CALL} {host}"
        wanted: dict[str, object] = {"host": host, "port": port}
        if commands := self._named():
            wanted["commands"] = commands
        arguments = msgspec.json.encode(wanted).decode()
        call = ToolCall(f"{NETWORK_CALL}-{next(self._numbers)}", NETWORK_CALL, arguments)
        withdrawn = "the command no longer waits for it"
        question = Question(call, key, (access,), withdrawn=withdrawn)
        decision = await self.approvals.settle(question)
        if not decision.denied:
            self._allowed.add(host)
            return ""
        if self.approvals.nobody:
            flag = allowing((access,))
            self._unasked[host] = f"{self.approvals.nobody}; the user can allow it with {flag}"
            return self._unasked[host]
        words = self.approvals.refusals.denied(key)
        return "the user said no" + (f": {words}" if words else "")


def _short(line: str) -> str:
    line = well_formed(line)
    return line if len(line) <= NAMED_CHARACTERS else f"{line[: NAMED_CHARACTERS - 1]}…"
