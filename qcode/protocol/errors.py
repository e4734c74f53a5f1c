"""Errors that a person may see. Each is a sentence: what happened, where, what to do.

    QcodeError
    ├── UsageError            the command line cannot be read
    ├── InputError            the prompt, a file or a flag's value is unusable
    ├── ConfigError           a configuration file or variable is wrong
    ├── SandboxMissing        a sandbox was demanded and none holds
    ├── Untrusted             trust was demanded for what a folder configures, and it is not that
    ├── SessionError          a session cannot be read, found, locked or written
    │   └── SessionNotSaved   the log could not be written (full disk, no permission)
    └── ServerError           the endpoint did not answer as it should
        ├── ServerGone        nobody answers, or it is still loading after the retries
        ├── CredentialsRefused
        ├── UnknownModel
        ├── ContextOverflow   the prompt is longer than the loaded context
        │   └── SilentlyTruncated   the server cut it, and answered all the same
        ├── OutOfMemory       the server failed while computing, or has no room for the model
        ├── ImagesRefused     the model takes none
        ├── ToolsRefused      the server was started without tool calls, or the model makes none
        ├── TemplateRefused   the chat template refuses the conversation
        └── BadAnswer         the server answered something that cannot be used

Tool failures are no exceptions: they are text for the model (`tools.base.Outcome`).
"""


class QcodeError(Exception):
    """Base. `str(error)` is the sentence to show; no traceback is shown with it."""


class UsageError(QcodeError):
    """The command line cannot be read: a flag or its value is wrong."""


class InputError(QcodeError):
    """The prompt, a file or a flag's value is unusable."""


class ConfigError(QcodeError):
    """A configuration file or variable is wrong; the sentence names file and line."""


class SandboxMissing(QcodeError):
    """`--sandbox required`, and no fence holds here."""


class Untrusted(QcodeError):
    """`--trust-hash`, and what the folder configures is something else."""


class SessionError(QcodeError):
    """A session cannot be read, found, locked or written."""


class SessionNotSaved(SessionError):
    """The log could not be written: full disk, no permission, read-only file system."""


class ServerError(QcodeError):
    """The endpoint did not answer as it should."""


class ServerGone(ServerError):
    """Nobody answers, or the model is still loading after all retries."""


class CredentialsRefused(ServerError):
    """401 or 403."""


class UnknownModel(ServerError):
    """The server has no such model; the sentence lists those it has."""


class ContextOverflow(ServerError):
    """The prompt is longer than the loaded context."""

    context_tokens: int | None = None
    """The context as the server told it with its refusal; None = it did not."""


class SilentlyTruncated(ContextOverflow):
    """The server took a part of the prompt away and answered the rest: its answer is void."""


class OutOfMemory(ServerError):
    """The server failed while computing, or has no room for the model."""


class ImagesRefused(ServerError):
    """The model takes no images."""


class ToolsRefused(ServerError):
    """The server was started without tool calls, or its model makes none."""


class TemplateRefused(ServerError):
    """The chat template refuses the conversation as it is."""


class BadAnswer(ServerError):
    """The server answered, but not with something usable."""
