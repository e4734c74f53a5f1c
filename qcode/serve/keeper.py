"""The keeper: a small process that owns one engine for all qcodes of a user.

It starts the engine, starts it again where it crashed, at the same address and with the same key,
and ends when nobody has used it for long enough. No other process of ours stays behind. Its task
comes through stdin; what it knows it tells in a file, see `card`.
"""

import os
import select
import signal
import socket
import sys
import time
from contextlib import suppress
from pathlib import Path

import msgspec

from qcode.serve import child, hints
from qcode.serve.card import Card, Place, State, Task, alone, is_left, locked, pause
from qcode.serve.idle import Idle
from qcode.serve.output import Output
from qcode.serve.pulse import Pulse

LOOK_SECONDS = 0.5
"""Between two looks at who is there; what ends meanwhile wakes the keeper."""

CRASHES = 3
"""So many in a row, and it is not started again."""
WELL_SECONDS = 20.0
"""An engine that has served for so long ran well: crashes before it count no more."""


def main() -> int:
    """Keep what stdin says; returns the exit code."""
    task = msgspec.json.decode(sys.stdin.buffer.read(), type=Task)
    place = Place(Path(task.folder), task.id)
    descriptor = os.open(place.alive, os.O_RDWR | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "r+b") as alive:
        locked(alive, "wait")
        keeper = Keeper(task, place)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, keeper.ask_to_stop)
        signal.signal(signal.SIGCHLD, lambda *_: None)  # that it interrupts a sleep
        keeper.run()
        with suppress(OSError):  # somebody waits there to be told why it failed
            place.users.rmdir()
        place.alive.unlink(missing_ok=True)  # last: from here on the next one is made
    return 0


class Bell:
    """A sleep that every signal ends: Python's own goes on behind a handler."""

    def __init__(self) -> None:
        self._heard, self._rung = socket.socketpair()
        for end in (self._heard, self._rung):
            end.settimeout(0)
        signal.set_wakeup_fd(self._rung.fileno(), warn_on_full_buffer=False)

    def wait(self, seconds: float) -> None:
        """Until then, or a signal."""
        if select.select((self._heard,), (), (), seconds)[0]:
            self._heard.recv(4096)


class Keeper:
    """Owns one engine."""

    def __init__(self, task: Task, place: Place) -> None:
        self._task = task
        self._place = place
        self._output = Output(place.log)
        self._bell = Bell()
        self._held = child.hold_port(task.port)
        self._port: int = self._held.getsockname()[1]
        self._child: child.Child | None = None
        self._since = time.time()
        self._state: State = "loading"
        self._said = ""
        self._cause: hints.Cause = "unknown"
        self._ready_since: float | None = None
        self._pulse: Pulse | None = None
        self._in_a_row = 0
        self._restarts = 0
        self._has_moved = False
        self._idle = Idle(task.idle_seconds, time.monotonic())
        self._stops = False

    def ask_to_stop(self, *_: object) -> None:
        """A signal: end at the next look."""
        self._stops = True

    def run(self) -> None:
        """Until it is told to stop, nobody is there any more, or the engine cannot be kept up."""
        try:
            self._start("loading")
            looked = 0.0
            while not self._stops and self._state != "failed":
                self._watch()
                if time.monotonic() - looked >= LOOK_SECONDS:
                    looked = time.monotonic()
                    if self._is_idle():
                        return  # its files are gone already
        finally:
            # First, so that nobody joins what ends. Not behind the door: who waits there for the
            # end of this one has locked it.
            if self._state != "failed":
                self._place.card_file.unlink(missing_ok=True)
            self._place.key_file.unlink(missing_ok=True)
            if self._child:
                self._child.end()

    def _start(self, state: State, said: str = "") -> None:
        self._since = time.time()
        self._ready_since = None
        if self._pulse:
            self._pulse.close()
            self._pulse = None
        try:
            self._child = child.start(self._task, self._place, self._port, self._output)
        except OSError as error:
            self._tell("failed", f"{self._name()} could not be started ({error}).")
        else:
            self._tell(state, said)

    def _watch(self) -> None:
        """One tick: has it ended, is it ready?"""
        assert self._child
        self._bell.wait(
            LOOK_SECONDS if self._state == "ready" else pause(time.time() - self._since)
        )
        code = self._child.code
        if code is not None:
            self._child.end()  # what it may have started
            if self._state == "loading":
                self._did_not_start(code)
            else:
                self._crashed(code)
        elif self._state != "ready":
            if child.serves(self._port) == "ready":
                self._ready_since = time.monotonic()
                self._pulse = Pulse(self._port, self._child.process.pid, self._ready_since)
                self._tell("ready")
        elif self._pulse and self._pulse.hangs(time.monotonic()):
            self._hangs()

    def _did_not_start(self, code: int) -> None:
        assert self._child
        log = self._output.tail(self._child.said_before)
        if hints.cause(log, code) == "port" and not self._has_moved:
            self._has_moved = True  # once: another port, this time not held
            self._held.close()
            with child.hold_port() as probe:
                self._port = probe.getsockname()[1]
            self._start("loading")
            return
        self._fail(f"{self._name()} did not start: it", log, code)

    def _crashed(self, code: int) -> None:
        assert self._child
        if not self._start_again(f"ended with {code}"):
            log = self._output.tail(self._child.said_before)
            said = f"{self._name()} crashed {self._in_a_row} times in a row: the last one"
            self._fail(said, log, code)

    def _hangs(self) -> None:
        assert self._child
        assert self._pulse
        self._child.kill()
        said = f"neither answered nor worked for {self._pulse.patience:.0f} s"
        if self._child.code is None:
            self._tell("failed", f"{self._name()} {said}, and does not end: a driver holds it.")
        elif not self._start_again(said):
            self._tell("failed", f"{self._name()} {said}, {self._in_a_row} times in a row.")

    def _start_again(self, said: str) -> bool:
        """False = it was too often already."""
        self._in_a_row = 1 if self._ran_well() else self._in_a_row + 1
        if self._in_a_row > CRASHES:
            return False
        self._restarts += 1
        self._output.add(f"qcode: it {said}, and is started again\n".encode())
        self._start("restarting", f"{self._name()} {said} and was started again.")
        return True

    def _ran_well(self) -> bool:
        since = self._ready_since
        return since is not None and time.monotonic() - since >= WELL_SECONDS

    def _fail(self, what: str, log: str, code: int) -> None:
        self._cause = hints.cause(log, code)
        self._tell("failed", hints.told(what, log, code))

    def _is_idle(self) -> bool:
        """Whether nobody needs it any more. Then it is out of the list before anyone can come."""
        if not self._idle.is_over(self._users(), time.monotonic()):
            return False
        # not waited for: whoever is at the door may want this very keeper to end
        with alone(self._place.door, "try") as is_ours:
            if not is_ours or self._users():
                return False
            self._place.card_file.unlink(missing_ok=True)
            self._place.key_file.unlink(missing_ok=True)
            return True

    def _users(self) -> int:
        """Processes that hold a file; files of those that are gone are taken away."""
        count = 0
        for file in self._place.users.glob("*.user"):
            if is_left(file):
                file.unlink(missing_ok=True)
            else:
                count += 1
        return count

    def _name(self) -> str:
        return "xllamacpp" if self._task.backend == "xllamacpp" else self._task.program

    def _tell(self, state: State, said: str = "") -> None:
        self._state = state
        self._said = said or self._said  # of a crash one hears also when it is over
        task = self._task
        with suppress(OSError):  # a full disk: who looks sees the state before
            self._place.tell(
                Card(
                    pid=os.getpid(),
                    engine_pid=self._child.process.pid if self._child else 0,
                    port=self._port,
                    key=task.key,
                    model=task.model,
                    alias=task.alias,
                    backend=task.backend,
                    state=state,
                    since=self._since,
                    said=self._said,
                    cause=self._cause,
                    restarts=self._restarts,
                    context_tokens=task.context_tokens,
                    build=task.build,
                    flags=task.flags,
                    reasons=task.reasons,
                    program=task.program,
                    idle_seconds=task.idle_seconds,
                )
            )
