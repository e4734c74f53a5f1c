"""What programs told of themselves, kept as long as they are the same files.

A start asks a `llama-server` three questions, and a CUDA build takes up to a second for each.
"""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import msgspec

from qcode.serve.card import write

FILE = "programs.kept"


class Program(msgspec.Struct, frozen=True):
    """One of them."""

    identity: str
    """Of the file that told it."""
    answers: dict[str, str]
    """By questions."""


def kept(folder: Path, program: str, question: str, ask: Callable[[], str]) -> str:
    """What `ask` returns, or returned before for the very same program.

    An empty answer is not kept, nor is what `ask` raises. A file that cannot be written costs the
    memory alone.
    """
    identity = identity_of(program)
    if not identity:
        return ask()
    found = _read(folder).get(program)
    answers = found.answers if found and found.identity == identity else {}
    if question in answers:
        return answers[question]
    if answer := ask():
        kept = Program(identity, {**answers, question: answer})
        with suppress(OSError):
            write(folder / FILE, msgspec.json.encode(_lasting(_read(folder)) | {program: kept}))
        return answer
    return ""


def identity_of(program: str) -> str:
    """That of the file which a name leads to, and of its folder, where libraries lie beside it.

    Empty for what may start another program each time: a script, or one tool for many names.
    """
    try:
        real = Path(program).resolve(strict=True)
        with real.open("rb") as file:
            is_script = file.read(2) == b"#!"
        about, folder = real.stat(), real.parent.stat()
    except OSError:
        return ""
    if is_script or not real.name.startswith("llama"):
        return ""
    return f"{real} {about.st_size} {about.st_mtime_ns} {folder.st_mtime_ns}"


def _read(folder: Path) -> dict[str, Program]:
    try:
        return msgspec.json.decode((folder / FILE).read_bytes(), type=dict[str, Program])
    except (OSError, ValueError):  # msgspec's own errors are ValueErrors
        return {}


def _lasting(programs: dict[str, Program]) -> dict[str, Program]:
    """Those that are still there."""
    return {path: one for path, one in programs.items() if Path(path).exists()}
