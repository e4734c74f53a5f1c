"""An engine that only reads: it counts prompts, remembers some, and cuts some. For servers whose
real ones no test can start."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from tests.support.script import Body, Pace, Reply, Usage

Remembers = Literal["all", "what is extended", "nothing", "only old turns"]
"""`what is extended` = like a hybrid model without checkpoints; `only old turns` = the template
prints a turn otherwise once a question stands behind it."""

_CHARACTERS = 3


@dataclass
class Reading:
    """`ScriptedServer(otherwise=Reading(...))`."""

    remembers: Remembers = "all"
    limit_tokens: int = 1_000_000
    """A longer prompt loses its start, without a word."""
    tells_cached: bool = True
    tokens_per_second: float = 0.0
    """It takes its time over what it reads anew; 0 = none."""
    timings: Mapping[str, float] = field(default_factory=dict)
    _last: str = ""

    def __call__(self, body: Body) -> Reply:
        prompt = self._printed(body)
        tokens = len(prompt) // _CHARACTERS
        cached = min(self._shared(prompt) // _CHARACTERS, tokens)
        self._last = prompt
        read = min(tokens, self.limit_tokens)
        wait = (read - cached) / self.tokens_per_second if self.tokens_per_second else 0.0
        told = cached if self.tells_cached else None
        return Reply(
            text="It adds numbers to values.",
            usage=Usage(read, 24, told),
            timings=self.timings or None,
            pace=Pace(first_delta_seconds=max(wait, 0.0)),
        )

    def _printed(self, body: Body) -> str:
        messages = body["messages"]
        asked = max(at for at, each in enumerate(messages) if each["role"] == "user")
        drops = self.remembers == "only old turns"
        lines = [
            self._line(each, changed=drops and 1 < at < asked) for at, each in enumerate(messages)
        ]
        return "\n".join(lines)

    def _line(self, message: Mapping[str, Any], *, changed: bool) -> str:
        return ("| " if changed else "") + json.dumps(message, sort_keys=True)

    def _shared(self, prompt: str) -> int:
        if self.remembers == "nothing":
            return 0
        shared = 0
        for mine, theirs in zip(prompt, self._last, strict=False):
            if mine != theirs:
                break
            shared += 1
        if self.remembers == "what is extended" and shared < len(self._last):
            return 0
        return shared
