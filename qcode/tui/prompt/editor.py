"""The prompt in an editor of the person's own."""

import asyncio
import os
import shlex
import shutil
import signal
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from textual.app import App, SuspendNotSupported

from qcode.protocol.errors import InputError
from qcode.protocol.text import plain

_ELSE = ("nano", "vim", "vi", "notepad")


def editor(environ: Mapping[str, str] = os.environ) -> list[str]:
    """`$VISUAL`, else `$EDITOR`, else what there is. Raises InputError."""
    named = environ.get("VISUAL") or environ.get("EDITOR") or ""
    try:
        words = shlex.split(named, posix=os.name != "nt")
    except ValueError:
        words = [named]
    if words:
        return words
    found = next((name for name in _ELSE if shutil.which(name, path=environ.get("PATH"))), "")
    if not found:
        raise InputError("No editor was found. Name one in VISUAL, such as `export VISUAL=nano`.")
    return [found]


async def edited(app: App[object], text: str) -> str:
    """`text` as the editor leaves it. The app is suspended meanwhile, its event loop is not.

    Raises InputError: no editor, one that fails, or a terminal that cannot be handed over.
    """
    words = editor()
    path = await asyncio.to_thread(_written, text)
    try:
        with app.batch_update(), app.suspend(), _interrupts_are_the_editors():
            code = await _run([*words, str(path)])
        if code:
            raise InputError(f"{words[0]} ended with exit code {code}; the prompt is as it was.")
        return await asyncio.to_thread(_read, path)
    except SuspendNotSupported as error:
        raise InputError("This terminal cannot be handed over to an editor.") from error
    finally:
        await asyncio.to_thread(path.unlink, missing_ok=True)


async def _run(command: list[str]) -> int:
    try:
        process = await asyncio.create_subprocess_exec(*command)
    except OSError as error:
        why = error.strerror or str(error)
        raise InputError(
            f"{command[0]} cannot be started ({why}). Name another editor in VISUAL."
        ) from error
    return await process.wait()


@contextmanager
def _interrupts_are_the_editors() -> Iterator[None]:
    """Ctrl+C in the editor reaches us as well while the terminal is not raw."""
    before = signal.signal(signal.SIGINT, lambda *_: None)  # ignored would be inherited
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _written(text: str) -> Path:
    file, name = tempfile.mkstemp(prefix="qcode-prompt-", suffix=".md")
    with os.fdopen(file, "w", encoding="utf-8", errors="replace") as out:
        out.write(text)
    return Path(name)


def _read(path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise InputError("The editor left no file; the prompt is as it was.") from error
    return plain(text).removesuffix("\n")
