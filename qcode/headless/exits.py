"""Exit codes: an enum and a promise. Scripts rely on them; a golden file guards them."""

from enum import IntEnum

from qcode.protocol.events import TurnEnd


class ExitCode(IntEnum):
    """What the end of a run means. Never `OK` with an empty result."""

    OK = 0
    FAILED = 1
    """The run failed: the model's answers were unusable, or the verify command stayed red."""
    USAGE = 2
    """Wrong flags."""
    CREDENTIALS = 41
    """The endpoint refused the key."""
    INPUT = 42
    """The prompt, a file or a value is unusable."""
    SANDBOX = 44
    """`--sandbox required`, and no fence holds."""
    CONFIG = 52
    """A configuration file is wrong."""
    TURNS = 53
    """The step limit was reached."""
    STRUCTURED = 54
    """The structured output was never valid."""
    BUDGET = 55
    """The budget of tokens, time or tool calls was used up."""
    UNTRUSTED = 56
    """What the folder configures is not what `--trust-hash` demands."""
    LOOP = 57
    """Stopped by the loop breaker."""
    DENIED = 58
    """An approval was needed and nobody could answer."""
    UNAVAILABLE = 75
    """The endpoint is down or still loading after the retries: try again later."""
    INTERRUPTED = 130
    TERMINATED = 143


BY_TURN_END: dict[TurnEnd, ExitCode] = {
    "end_turn": ExitCode.OK,
    "cancelled": ExitCode.INTERRUPTED,
    "max_steps": ExitCode.TURNS,
    "max_tool_calls": ExitCode.BUDGET,
    "max_tokens": ExitCode.BUDGET,
    "max_wall_time": ExitCode.BUDGET,
    "denied": ExitCode.DENIED,
    "loop": ExitCode.LOOP,
    "empty": ExitCode.FAILED,
    "idle": ExitCode.FAILED,
    "verify_failed": ExitCode.FAILED,
    "structured": ExitCode.STRUCTURED,
    "error": ExitCode.FAILED,
}

BY_ERROR: dict[str, ExitCode] = {
    "UsageError": ExitCode.USAGE,
    "InputError": ExitCode.INPUT,
    "SessionError": ExitCode.INPUT,
    "ConfigError": ExitCode.CONFIG,
    "SandboxMissing": ExitCode.SANDBOX,
    "Untrusted": ExitCode.UNTRUSTED,
    "ServerGone": ExitCode.UNAVAILABLE,
    "CredentialsRefused": ExitCode.CREDENTIALS,
    "UnknownModel": ExitCode.INPUT,
    "ImagesRefused": ExitCode.INPUT,
}
"""Class names of `QcodeError`s; any other is `FAILED`."""


def of_turn(reason: TurnEnd, error: str) -> ExitCode:
    """The exit code of a finished turn; `error` is the class name in `TurnFinished`."""
    if reason == "error":
        return BY_ERROR.get(error, ExitCode.FAILED)
    return BY_TURN_END[reason]


def of_error(error: BaseException) -> ExitCode:
    """The exit code of an error that ended the run before a turn began."""
    return BY_ERROR.get(type(error).__name__, ExitCode.FAILED)
