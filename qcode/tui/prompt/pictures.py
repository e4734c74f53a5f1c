"""Pictures of a prompt: read from files, or taken from the clipboard by the system's tool.

Everything here blocks and is called in threads.
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from qcode.protocol.errors import InputError
from qcode.protocol.messages import Image
from qcode.tui import private
from qcode.tui.prompt.asked import mentions
from qcode.tui.prompt.pastes import ENDINGS
from qcode.tui.prompt.writing import Writing

_LIMIT_SECONDS = 5.0
_KEPT_PICTURES = 20
_SAVE_ON_MAC = (
    "on run {place}\n"
    "set picture to (the clipboard as «class PNGf»)\n"
    "set target to open for access POSIX file place with write permission\n"
    "write picture to target\n"
    "close access target\n"
    "end run"
)
_SAVE_ON_WINDOWS = (
    "Add-Type -AssemblyName System.Windows.Forms,System.Drawing;"
    "$picture = [Windows.Forms.Clipboard]::GetImage();"
    "if ($picture) {{ $picture.Save('{place}') }} else {{ exit 1 }}"
)


def of_writing(writing: Writing, folder: Path) -> tuple[Image, ...]:
    """Its tokens', then those that it names as `@shot.png`; each once. Raises InputError."""
    paths = [Path(name) for name in writing.shown_pictures()]
    named = [folder / one.path for one in mentions(writing.expanded())]
    # `Path.is_file` raises for a name that is too long to be one's
    paths += [
        path
        for path in named
        if path.name.lower().endswith(ENDINGS) and os.path.isfile(path)  # noqa: PTH113
    ]
    return tuple(_load(path) for path in dict.fromkeys(paths))


def may_have_pictures(writing: Writing) -> bool:
    """Whether files have to be looked at before it is sent."""
    return bool(writing.pictures) or any(
        one.path.lower().endswith(ENDINGS) for one in mentions(writing.expanded())
    )


def usable(paths: Sequence[Path]) -> bool:
    """Whether each is a picture that can be sent."""
    try:
        for path in paths:
            _load(path)
    except InputError:
        return False
    return bool(paths)


class _Tool(msgspec.Struct, frozen=True):
    command: tuple[str, ...]
    writes: str = "stdout"
    """`stdout`, or `file`: the command writes it itself."""


def from_clipboard(folder: Path, environ: Mapping[str, str] = os.environ) -> Path:
    """The clipboard's picture, as a file in `folder`. Raises InputError with a sentence."""
    private.make(folder)
    _drop_old(folder)
    place = folder / f"clipboard-{time.strftime('%H%M%S')}-{os.getpid()}.png"
    tool = _tool(environ, place)
    try:
        _run(tool, place)
        _load(place)
    except (OSError, subprocess.SubprocessError, InputError) as error:
        place.unlink(missing_ok=True)
        raise InputError(
            f"The clipboard holds no picture that {tool.command[0]} can give. "
            "Text is pasted with the terminal's own key, often Ctrl+Shift+V."
        ) from error
    return place


def _tool(environ: Mapping[str, str], place: Path) -> _Tool:
    for tool, fits in _tools(environ, place):
        if fits and shutil.which(tool.command[0], path=environ.get("PATH")):
            return tool
    wanted = "pngpaste" if sys.platform == "darwin" else "wl-clipboard (Wayland) or xclip (X11)"
    raise InputError(
        f"Nothing here can take a picture from the clipboard. Install {wanted}, "
        "or drag the picture's file into the prompt."
    )


def _tools(environ: Mapping[str, str], place: Path) -> tuple[tuple[_Tool, bool], ...]:
    mac, windows = sys.platform == "darwin", sys.platform == "win32"
    quoted = str(place).replace("'", "''")
    return (
        (_Tool(("pngpaste", "-")), mac),
        (_Tool(("osascript", "-e", _SAVE_ON_MAC, str(place)), "file"), mac),
        (
            _Tool(
                ("powershell", "-NoProfile", "-Command", _SAVE_ON_WINDOWS.format(place=quoted)),
                "file",
            ),
            windows,
        ),
        (_Tool(("wl-paste", "--type", "image/png")), "WAYLAND_DISPLAY" in environ),
        (
            _Tool(("xclip", "-selection", "clipboard", "-t", "image/png", "-o")),
            "DISPLAY" in environ,
        ),
    )


def _run(tool: _Tool, place: Path) -> None:
    """Raises OSError and SubprocessError."""
    file = os.open(place, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
    try:
        subprocess.run(
            tool.command,
            stdin=subprocess.DEVNULL,
            stdout=file if tool.writes == "stdout" else subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=_LIMIT_SECONDS,
            check=True,
        )
    finally:
        os.close(file)


def _drop_old(folder: Path) -> None:
    """Prompts that go into the history may name them for a while."""
    pictures = sorted(folder.glob("clipboard-*.png"), key=lambda path: path.stat().st_mtime)
    for path in pictures[:-_KEPT_PICTURES]:
        path.unlink(missing_ok=True)


def _load(path: Path) -> Image:
    """Raises InputError."""
    from qcode.server.images import load_image  # noqa: PLC0415 - the first paint waits for no servers

    return load_image(path)
