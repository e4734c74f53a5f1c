"""What a person has switched on for good: small files in the state folder. All of it blocks."""

from pathlib import Path

from qcode.protocol.errors import ConfigError
from qcode.tui import private

_VIM = "vim"


def vim(state: Path) -> bool:
    """Whether the prompt's keys are vim's."""
    return (state / _VIM).exists()


def keep_vim(state: Path, wanted: str) -> None:
    """`on` or `off`. Raises ConfigError."""
    try:
        if wanted == "on":
            private.make(state)
            (state / _VIM).touch(mode=0o600)
        else:
            (state / _VIM).unlink(missing_ok=True)
    except OSError as error:
        raise ConfigError(f"This cannot be remembered: {state / _VIM} ({error.strerror}).") from (
            error
        )
