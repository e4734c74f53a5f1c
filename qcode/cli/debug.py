"""`--debug`: a log file, 0600, with the secrets taken out. Nothing of it is sent anywhere."""

import logging
import os
from pathlib import Path

from qcode.config.paths import make
from qcode.config.secrets import scrub
from qcode.protocol.errors import ConfigError

FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
QUIET = ("httpx2", "httpcore2", "openai", "asyncio")
"""Libraries that tell headers or every byte at debug level."""


class Scrubbed(logging.Formatter):
    """Writes records with keys, tokens and passwords replaced."""

    def format(self, record: logging.LogRecord) -> str:
        """One record as text, tracebacks included."""
        return scrub(super().format(record))


def log_to_file(path: Path, level: str) -> Path:
    """Append this process's log to `path`; returns it. Raises ConfigError."""
    make(path.parent)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    except OSError as error:
        raise ConfigError(f"The log file {path} cannot be written ({error.strerror}).") from error
    handler = logging.StreamHandler(open(descriptor, "a", encoding="utf-8", closefd=True))  # noqa: PTH123, SIM115 - opened 0600 from its first byte, and kept until the end
    handler.setFormatter(Scrubbed(FORMAT))
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(level.upper())
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    return path
