"""Why an engine did not start, from its last words: a cause, and what to do about it."""

import re
import signal
from collections.abc import Sequence
from typing import Literal

Cause = Literal["memory", "flag", "file", "architecture", "port", "library", "killed", "unknown"]

_WORDS: Sequence[tuple[Cause, str]] = (
    ("port", r"couldn't bind|bind\(?\)? failed|address already in use|failed to (bind|listen)"),
    (
        "memory",
        r"out of memory|failed to allocate|unable to allocate|cudaMalloc failed|bad_alloc|"
        r"OutOfDeviceMemory|cannot allocate memory|insufficient memory|failed to fit",
    ),
    ("architecture", r"unknown model architecture|unknown (pre-)?tokenizer|unknown pre-tokenizer"),
    (
        "flag",
        r"error: (invalid|unknown) argument|error while handling argument|unrecognized argument",
    ),
    ("library", r"error while loading shared libraries|library not loaded|GLIBC\w* not found"),
    (
        "file",
        r"invalid magic|bad magic|not within( the)? file bounds|corrupted or incomplete|"
        r"failed to read (magic|key|tensor)|failed to (open|load) (GGUF|model)|error loading model",
    ),
)
"""The first that fits counts: a model that cannot be allocated is also one that failed to load."""

_DO: dict[Cause, str] = {
    "memory": "There is not enough memory for it. Ask for less context (--context 32768), take a "
    "smaller quantisation, or end what else uses the memory; `qcode models` says what fits.",
    "flag": "This build does not know the flag. Bring llama.cpp up to date, or name another build "
    "as serve.binary.",
    "file": "The file is no whole GGUF model: an unfinished download, or something else. Fetch it "
    "again.",
    "architecture": "This build is older than the model. Bring llama.cpp up to date "
    "(pip install --upgrade 'qcode[local]' for the package).",
    "port": "Another program has the port.",
    "killed": "Somebody killed it: the system does where memory runs out. Then ask for less "
    "context (--context 32768) or take a smaller quantisation.",
    "library": "The program is built for another system than this. Install a build that fits.",
    "unknown": "Its log says more.",
}


def cause(log: str, code: int) -> Cause:
    """What ended it, by its log and its exit code (negative: a signal)."""
    for found, words in _WORDS:
        if re.search(words, log, re.IGNORECASE):
            return found
    if code in (-signal.SIGKILL, 128 + signal.SIGKILL):
        return "killed"
    return "library" if code in (-signal.SIGILL, 128 + signal.SIGILL) else "unknown"


def told(what: str, log: str, code: int) -> str:
    """Sentences: what happened, what to do, and the last words. `what` = who ended, and when."""
    rows = [row.strip()[:300] for row in log.splitlines() if row.strip()]
    last = "\n".join(f"  {row}" for row in _worth(rows))
    ended = f"was ended by {_signal(code)}" if code < 0 else f"ended with exit code {code}"
    said = f"{what} {ended}. {_DO[cause(log, code)]}"
    return f"{said} Its last words:\n{last}" if last else said


def _worth(rows: Sequence[str]) -> Sequence[str]:
    """The first errors, of which the last are but the echo, and these; else the last rows."""
    errors = [row for row in rows if re.search(r"error|fail|invalid|unable|\bE\b", row, re.I)]
    return [*errors[:2], *errors[2:][-2:]] or rows[-4:]


def _signal(code: int) -> str:
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"
