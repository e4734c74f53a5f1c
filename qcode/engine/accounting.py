"""Tokens that the server had and read again, and why."""

from collections.abc import Callable

import msgspec

from qcode.engine.gauge import Gauge
from qcode.protocol.ahead import Ahead
from qcode.protocol.events import Usage
from qcode.server.base import Strategy

SLACK = 16
"""Tokens. Marks at the end of an answer are counted differently by servers; below it is no news."""


class Accounting:
    """Compares what an answer's prompt took from the cache with what the cache must hold."""

    def __init__(self, strategy: Strategy, gauge: Gauge | None = None) -> None:
        self.strategy = strategy
        self.gauge = gauge
        """Sees a prompt that the server cut; None = nobody looks."""
        self.new_turn = False
        """Set when a user message was added since the last answer."""
        self.ahead: Callable[[], Ahead] = Ahead
        """Tells what there was since it was last asked."""
        self._held = 0
        """Tokens of the last prompt and its answer."""
        self._epoch = 0

    def start_over(self, strategy: Strategy) -> None:
        """Another server answers: it has read nothing yet."""
        self.strategy = strategy
        self._held = 0
        if self.gauge:
            self.gauge.start_over()

    def account(self, usage: Usage, epoch: int) -> Usage:
        """`usage` with the re-read tokens filled in, as far as the server tells.

        `epoch` is the conversation's: where it has grown, messages were taken away, and how much
        of the last prompt this one shares is not known. Raises SilentlyTruncated: the server has
        cut the prompt, and its answer is void.
        """
        if self.gauge:
            self.gauge.take(usage)
        prompt = usage.prompt_tokens
        if prompt is None:
            return usage
        usage = _served(usage, self.ahead())
        if epoch != self._epoch:
            self._epoch, self._held = epoch, 0
        held, self._held = self._held, prompt + (usage.generated_tokens or 0)
        why = self._why()
        self.new_turn = False
        if not held or usage.cached_tokens is None:
            return usage
        reread = max(0, min(held, prompt) - usage.cached_tokens)
        if reread <= SLACK:
            return _with(usage, 0, "")
        return _with(usage, reread, why)

    def _why(self) -> str:
        if self.strategy == "plain" and self.new_turn:
            return "the chat template drops the reasoning of earlier turns"
        return "the server no longer had it (another client, or no checkpoint)"


def _served(usage: Usage, ahead: Ahead) -> Usage:
    """What the answer had of it: the server may have lost it again."""
    cached = usage.cached_tokens or 0
    restored = min(ahead.restored_tokens, cached)
    tokens = min(ahead.tokens, cached - restored)
    if not tokens and not restored and not ahead.loading_seconds:
        return usage
    seconds = ahead.seconds * tokens / ahead.tokens if ahead.tokens else 0.0
    had = Ahead(tokens, round(seconds, 3), restored, round(ahead.loading_seconds, 3))
    return msgspec.structs.replace(usage, ahead=had)


def _with(usage: Usage, reread: int, why: str) -> Usage:
    return msgspec.structs.replace(usage, reread_tokens=reread, reread_why=why)
