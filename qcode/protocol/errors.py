"""Errors that a person may see. Each is a sentence: what happened, where, what to do.

    QcodeError
    ├── UsageError            the command line cannot be read
    ├── InputError            the prompt, a file or a flag's value is unusable
    ├── ConfigError           a configuration file or variable is wrong
    ├── SandboxMissing        a sandbox was demanded and none holds
    ├── SessionError          a session cannot be read, found, locked or written
    │   └── SessionNotSaved   the log could not be written (full disk, no permission)
    └── ServerError           the endpoint did not answer as it should
        ├── ServerGone        nobody answers, or it is still loading after the retries
        ├── CredentialsRefused
        ├── UnknownModel
        ├── ContextOverflow   the prompt is longer than the loaded context
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


class BadAnswer(ServerError):
    """The server answered, but not with something usable."""
