"""Long pastes and pictures stand in the prompt as a token each. Pure."""

import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit

from qcode.protocol.text import one_line, plain
from qcode.tui.prompt.writing import Writing

LINES = 10
CHARACTERS = 1000
"""A paste of more than so many is folded."""
ENDINGS = (".png", ".jpg", ".jpeg", ".gif", ".webp")
_DROPPED_CHARACTERS = 4096
"""What is dragged here is shorter: a few paths."""


def cleaned(text: str) -> str:
    """A paste as it may stand in a prompt: line ends of one kind, no control characters."""
    return plain(text.replace("\r\n", "\n").replace("\r", "\n"))


class Tokens:
    """What the tokens of one prompt stand for, each with a number of its own."""

    def __init__(self) -> None:
        self.pastes: dict[int, str] = {}
        self.pictures: dict[int, str] = {}

    def load(self, writing: Writing) -> None:
        """Those of another prompt, in place of these."""
        self.pastes, self.pictures = dict(writing.pastes), dict(writing.pictures)

    def paste(self, text: str) -> str:
        """What a cleaned paste stands as: itself, or a token."""
        lines = text.count("\n") + (not text.endswith("\n"))
        if lines <= LINES and len(text) <= CHARACTERS:
            return text
        number = max(self.pastes, default=0) + 1
        self.pastes[number] = text
        size = f"{lines} lines" if lines > 1 else f"{len(text)} characters"
        return f"[pasted #{number}: {size}]"

    def picture(self, path: Path) -> str:
        """The token of a picture."""
        number = max(self.pictures, default=0) + 1
        self.pictures[number] = str(path)
        return f"[image #{number}: {one_line(path.name, 40).replace(']', ' ') or 'image'}]"

    def writing(self, text: str) -> Writing:
        """`text`, with what stands behind its tokens."""
        return Writing(text, self.pastes, self.pictures).tidy()


def folded_again(text: str, pastes: Mapping[int, str], before: str) -> str:
    """What comes back from an editor: pastes that are still there whole are tokens again."""
    for token in re.finditer(r"\[pasted #(\d+): [^\]]*\]", before):
        paste = pastes.get(int(token[1]), "")
        if paste and text.count(paste) == 1:
            text = text.replace(paste, token[0])
    return text


def dropped_pictures(text: str, folder: Path) -> tuple[Path, ...]:
    """The files that a paste consists of, if they are named like pictures: a terminal pastes what
    is dragged onto it, quoted, escaped or as an address. Looks at no file."""
    text = text.strip()
    if len(text) > _DROPPED_CHARACTERS or not any(end in text.lower() for end in ENDINGS):
        return ()
    paths = [path for line in text.splitlines() for path in _in_line(line.strip())]
    if not paths or not all(path.lower().endswith(ENDINGS) for path in paths):
        return ()
    return tuple(folder / Path(path).expanduser() for path in paths)


def _in_line(line: str) -> list[str]:
    if line.startswith("file://"):
        return [unquote(urlsplit(one).path) for one in line.split()]
    if line.startswith(("/", "~/")) and " " in line and not re.search(r"[\\'\"]| [/~]", line):
        return [line]  # a path with blanks, not escaped
    try:
        return shlex.split(line)
    except ValueError:  # a quote without its end: no path
        return [line]
