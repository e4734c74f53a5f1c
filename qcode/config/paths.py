"""Where qcode keeps things: configuration, sessions, state. XDG on every system, also on macOS.

`QCODE_HOME` replaces all three by `config`, `data` and `state` below it.
"""

import os
from collections.abc import Mapping
from pathlib import Path

import msgspec

from qcode.protocol.errors import ConfigError

PROJECT_FILE = Path(".qcode", "config.toml")
"""Relative to the workspace's root."""


class Paths(msgspec.Struct, frozen=True):
    """The three folders. None of them needs to exist; see `make`."""

    config: Path
    data: Path
    state: Path

    @property
    def folders(self) -> tuple[Path, ...]:
        """All three."""
        return self.config, self.data, self.state

    @property
    def config_file(self) -> Path:
        """The user's settings."""
        return self.config / "config.toml"

    @property
    def sessions(self) -> Path:
        """One folder a project below it."""
        return self.data / "sessions"

    @property
    def log_file(self) -> Path:
        """What --debug writes; without secrets."""
        return self.state / "qcode.log"

    @property
    def endpoints_file(self) -> Path:
        """Endpoints whose keys are in the keyring; without the keys."""
        return self.state / "endpoints.json"

    @property
    def checkpoints(self) -> Path:
        """Files as they were before changes; one folder a project below it."""
        return self.state / "checkpoints"

    @property
    def slots(self) -> Path:
        """Which sessions a server has written down."""
        return self.state / "slots.json"

    @property
    def slot_files(self) -> Path:
        """What a server that qcode started itself has written down of them."""
        return self.state / "serve" / "slots"

    @property
    def spill(self) -> Path:
        """Outputs too long for the model."""
        return self.state / "spill"


def paths(environ: Mapping[str, str] | None = None) -> Paths:
    """The folders that `environ` asks for; None = the process's own. Raises ConfigError."""
    environ = os.environ if environ is None else environ
    if own := environ.get("QCODE_HOME"):
        home = Path(own).expanduser()
        if not home.is_absolute():
            raise ConfigError(f"QCODE_HOME is {own!r}. It must be an absolute path.")
        return Paths(home / "config", home / "data", home / "state")
    return Paths(
        _xdg(environ, "XDG_CONFIG_HOME", ".config"),
        _xdg(environ, "XDG_DATA_HOME", ".local/share"),
        _xdg(environ, "XDG_STATE_HOME", ".local/state"),
    )


def make(folder: Path) -> Path:
    """`folder`, made when missing, with its parents; 0700: nobody else reads what is made.

    Raises ConfigError.
    """
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        for path in reversed(missing):
            path.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise ConfigError(
            f"The folder {folder} cannot be made ({error.strerror}). "
            "Set QCODE_HOME to a folder that can be written."
        ) from error
    return folder


def _xdg(environ: Mapping[str, str], name: str, default: str) -> Path:
    """A relative path in the variable is ignored, as the XDG specification asks."""
    given = environ.get(name, "")
    base = Path(given) if Path(given).is_absolute() else _home(environ) / default
    return base / "qcode"


def _home(environ: Mapping[str, str]) -> Path:
    home = Path(environ.get("HOME", ""))
    if home.is_absolute():
        return home
    try:
        return Path.home()
    except RuntimeError as error:
        raise ConfigError("There is no home folder. Set HOME or QCODE_HOME.") from error
