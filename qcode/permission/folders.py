"""The folders that the commands of a line run in, and paths from there, as far as words tell."""

import re
from collections.abc import Sequence

import msgspec

from qcode.permission.shell import Line
from qcode.permission.words import Unclear, Word, lex

_MOST_FOLDERS = 4
LOOPS = re.compile(r"\b(?:while|until|do)\b")


class Folders(msgspec.Struct, frozen=True):
    """Where a command may be when it runs."""

    possible: tuple[str, ...]
    """Relative to where the line begins; empty = there."""
    sure: bool = True
    """False = it may be elsewhere, too."""


def folders(line: Line) -> Folders:
    """With `cd a && …` just `a`, else every folder it could come to."""
    moves = [command for command in line.commands if command.words[0].text == "cd"]
    if not moves:
        return Folders(("",))
    targets = [cd_target(command.words) for command in moves]
    if None in targets:
        return Folders(("",), sure=False)
    if len(moves) == 1 and _starts_with_cd(line):
        return Folders((targets[0] or "",))
    possible = [""]
    for target in targets:
        possible += [below(folder, target or "") for folder in possible]
    few = len(possible) <= _MOST_FOLDERS and not LOOPS.search(line.text)
    return Folders(tuple(dict.fromkeys(possible)), sure=few)


def cd_target(words: Sequence[Word]) -> str | None:
    """Where it goes; None = that is not plain. With `..` bash counts names, the system folders."""
    if len(words) != 2 or words[1].kind != "fixed" or not is_path(words[1]):
        return None
    text = words[1].text
    return None if text.startswith("-") or ".." in text.split("/") else text


def _starts_with_cd(line: Line) -> bool:
    """`cd a && …`, and nothing that would go on without it."""
    try:
        tokens = lex(line.text)
    except Unclear:
        return False
    signs = [token for token in tokens if isinstance(token, str)]
    plain = len(tokens) > 2 and tokens[0] == line.commands[0].words[0] and tokens[2] == "&&"
    return plain and not {"||", ";", "&", "\n", "(", ")"} & set(signs)


def below(folder: str, path: str) -> str:
    if path.startswith(("/", "~")) or not folder:
        return path
    return f"{folder.rstrip('/')}/{path}"


def is_path(word: Word) -> bool:
    """Does the engine take it for the path that bash does?

    A tilde counts for bash at the start if it is bare, and behind `=` and `:`.
    """
    text = word.text
    if word.kind == "computed" or not text or text != text.strip():
        return False
    if "~" not in text:
        return True
    home = text == "~" or text.startswith("~/")
    return not re.search(r"[=:]~", text) and (text[0] != "~" or (home and word.spelling == "bare"))
