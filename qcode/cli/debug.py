"""The log file, 0600, with the secrets taken out. Nothing of it is sent anywhere."""

import logging
import os
import re
from collections.abc import Mapping
from io import TextIOWrapper
from pathlib import Path

from qcode.config.paths import make
from qcode.config.secrets import scrub
from qcode.protocol.errors import ConfigError
from qcode.protocol.text import legible

FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
QUIET = ("httpx2", "httpcore2", "openai", "asyncio", "markdown_it")
"""Libraries that tell headers, every byte or every rule at debug level."""

MOST_BYTES = 10 * 1024 * 1024
"""A log that is longer when it is opened makes room for a new one."""

_SECRET_NAME = re.compile(r"KEY|TOKEN|SECRET|PASSW|CREDENTIAL", re.IGNORECASE)


class Scrubbed(logging.Formatter):
    """Writes records with keys, tokens and passwords replaced."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        super().__init__(FORMAT)
        self.secrets = [value for name, value in environ.items() if _SECRET_NAME.search(name)]

    def format(self, record: logging.LogRecord) -> str:
        """One record as text, tracebacks included."""
        return legible(scrub(super().format(record), self.secrets))


class PrivateFile(logging.FileHandler):
    """A log file that appears with its first record, and that stops nothing when it cannot."""

    def __init__(self, path: Path, environ: Mapping[str, str]) -> None:
        super().__init__(path, encoding="utf-8", delay=True)
        self.setFormatter(Scrubbed(environ))

    def _open(self) -> TextIOWrapper:
        path = Path(self.baseFilename)
        make(path.parent)
        if path.exists() and path.stat().st_size > MOST_BYTES:
            path.replace(path.with_name(f"{path.name}.1"))
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        return os.fdopen(descriptor, "a", encoding="utf-8")

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record. Only `open_now` tells why a file cannot be written."""
        try:
            super().emit(record)
        except (OSError, ConfigError):
            self.handleError(record)

    def handleError(self, record: logging.LogRecord) -> None:
        """A full disk, or no place for a log: the record is lost, not the run."""

    def open_now(self) -> None:
        """Make the file. Raises ConfigError."""
        try:
            self.stream = self._open()
        except OSError as error:
            raise ConfigError(
                f"The log file {self.baseFilename} cannot be written ({error.strerror})."
            ) from error


def log_to_file(path: Path, level: str) -> PrivateFile:
    """Append this process's log to `path`, from the first record on; to no other file any more."""
    root = logging.getLogger()
    for each in [each for each in root.handlers if isinstance(each, PrivateFile)]:
        root.removeHandler(each)
        each.close()
    handler = PrivateFile(path, os.environ)
    root.addHandler(handler)
    root.setLevel(level.upper())
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    return handler
