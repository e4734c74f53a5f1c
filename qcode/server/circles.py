"""Repetition in the sequence of calls: one call again and again, and circles of a few."""

import hashlib
import re
from collections import deque
from dataclasses import dataclass, field

import msgspec

from qcode.protocol.text import one_line

_CALLS_LOOP = 4
_ROUNDS = 3
_CHANGING_ROUNDS = 4
"""Where a round changes files: the same edit with the same outcome, back and forth."""
_MOST_PERIOD = 4
_MOST_CALLS = 256
_POLLS = ("list", "read")
"""Actions of a tool that looks after jobs in the background: such a job moves by itself."""
_WAITS = re.compile(r"(?:^|[;&|(\s])(?:sleep|wait)(?:\s|$)")


class Note(msgspec.Struct, frozen=True):
    """The same call had the same result before: the model is told so instead of shown it again."""

    step: int
    """Where it stands."""
    times: int
    """How often the call was made, this one included."""

    @property
    def text(self) -> str:
        """For the model."""
        return f"[same result as before, step {self.step}: nothing has changed since then]"


class CallLoop(msgspec.Struct, frozen=True):
    """Calls go round in circles."""

    detail: str
    """The calls of one round, cut to a line."""
    period: int
    """Calls in a round; 1 = one call again and again."""
    times: int
    """Rounds."""


class CallWatch:
    """The calls of a turn, or of a session: it forgets by itself what lies far back.

    Calls are the same when name, arguments (as JSON, whatever its blanks and order of keys) and
    result are. What was read again after a change is no repeat, nor is looking after a job.
    """

    def __init__(self) -> None:
        self._rounds: deque[_Call] = deque(maxlen=_MOST_PERIOD * _CHANGING_ROUNDS)
        self._seen: dict[_Call, tuple[int, int]] = {}
        """Call -> its first step and how often it was made, since the last change."""
        self._number = 0

    def see(
        self, name: str, arguments: str, result_digest: str, *, changed: bool, step: int = 0
    ) -> Note | CallLoop | None:
        """A call that has run; `changed` = files are not as they were before it.

        A `CallLoop` comes again with each further round, until `forget`.
        """
        self._number += 1
        if _is_poll(name, arguments):
            self.forget()  # what is waited for may change whatever is read next
            return None
        call = _Call(name, _digest(name, arguments), result_digest, changed, arguments[:200])
        self._rounds.append(call)
        if changed:
            self._seen.clear()
        elif found := self._again(call, step or self._number):
            return found
        return self._circle()

    def forget(self) -> None:
        """Begin anew: after a compaction, where the model no longer has the results."""
        self._rounds.clear()
        self._seen.clear()

    def _again(self, call: "_Call", step: int) -> Note | CallLoop | None:
        first, times = self._seen.pop(call, (step, 0))
        self._seen[call] = first, times + 1  # at the end: the oldest are forgotten first
        if len(self._seen) > _MOST_CALLS:
            del self._seen[next(iter(self._seen))]
        if times + 1 >= _CALLS_LOOP:
            return CallLoop(call.words, 1, times + 1)
        if (circle := self._circle()) is not None:
            return circle
        return Note(first, times + 1) if times else None

    def _circle(self) -> CallLoop | None:
        calls = list(self._rounds)
        for period in range(2, _MOST_PERIOD + 1):
            unit = calls[-period:]
            changing = any(call.changed for call in unit)
            rounds = _CHANGING_ROUNDS if changing else _ROUNDS
            if calls[-period * rounds :] == unit * rounds:
                return CallLoop(one_line(" / ".join(call.words for call in unit)), period, rounds)
        return None


@dataclass(frozen=True, slots=True)
class _Call:
    name: str
    digest: bytes
    result: str
    changed: bool
    start: str = field(compare=False)

    @property
    def words(self) -> str:
        """The call, cut to a line."""
        return one_line(f"{self.name} {self.start}")


def _digest(name: str, arguments: str) -> bytes:
    try:
        value = msgspec.json.decode(arguments)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        plain = arguments.encode("utf-8", "surrogatepass")
    else:
        plain = msgspec.json.encode(value, order="deterministic")
    return hashlib.blake2b(plain, digest_size=16).digest()


def _is_poll(name: str, arguments: str) -> bool:
    """Whether the call waits for something, or looks after a job in the background."""
    try:
        fields = msgspec.json.decode(arguments)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return False
    if not isinstance(fields, dict):
        return False
    if name == "shell" and fields.get("action") in _POLLS:
        return True
    return bool(_WAITS.search(str(fields.get("command", ""))))
