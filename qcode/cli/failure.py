"""A failure that ends the process: a sentence on stderr, the JSON object if one was asked for, and
an exit code. Tracebacks go to the log file."""

import logging
import traceback
from contextlib import suppress
from pathlib import Path

from qcode.cli.debug import log_to_file
from qcode.config.paths import paths
from qcode.config.secrets import scrub
from qcode.headless import json
from qcode.headless.exits import ExitCode, of_error
from qcode.headless.talk import talk
from qcode.protocol.errors import QcodeError
from qcode.protocol.text import plain

LOG = logging.getLogger(__name__)

FLAGS = {f"--output-format={form}" for form in ("json", "json-array", "stream-json")}


def told(error: BaseException, argv: list[str]) -> int:
    """Say what happened; returns the exit code. Raises nothing that a person would have to read."""
    words, code = sentence(error)
    with suppress(QcodeError, BrokenPipeError):  # stdout is full or gone: stderr says the rest
        if _wants_json(argv):
            json.failure(words, code, "array" if "json-array" in " ".join(argv) else "object")
    talk(words)
    return int(code)


def sentence(error: BaseException) -> tuple[str, ExitCode]:
    """What happened, and the code that says so; the traceback of a crash goes to the log file."""
    if isinstance(error, QcodeError):
        return str(error), of_error(error)
    if isinstance(error, KeyboardInterrupt):
        return "Interrupted.", ExitCode.INTERRUPTED
    if isinstance(error, SystemExit):
        return "Terminated.", ExitCode.TERMINATED
    if isinstance(error, FileNotFoundError) and _is_homeless():
        gone = "The current folder is gone. Go to another one, or name one: -C DIR."
        return gone, ExitCode.INPUT
    return _crash(error), ExitCode.FAILED


def _is_homeless() -> bool:
    try:
        Path.cwd()
    except FileNotFoundError:
        return True
    return False


def _crash(error: BaseException) -> str:
    """A defect of ours: where it is, and where the rest stands."""
    last = traceback.extract_tb(error.__traceback__)[-1:]
    place = f" at {Path(last[0].filename).name}:{last[0].lineno}" if last else ""
    said = f"qcode crashed{place} ({type(error).__name__}: {scrub(plain(str(error)))})."
    try:
        log = log_to_file(paths().log_file, "warning")
        LOG.error("crashed", exc_info=error)
    except QcodeError:  # no home folder, so no place for a log
        return said
    return f"{said} The log file {log.baseFilename} has the traceback."


def _wants_json(argv: list[str]) -> bool:
    """By the bare arguments: the flags themselves may be what is wrong."""
    pairs = zip(argv, [*argv[1:], ""], strict=False)
    return any(
        word in FLAGS or (word == "--output-format" and f"{word}={value}" in FLAGS)
        for word, value in pairs
    )
