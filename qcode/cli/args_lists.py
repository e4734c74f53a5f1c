"""Flags behind which Claude Code takes several words: `--allowedTools Read "Bash(ls:*)"`.

A word more is one of the list if it is surely none of a prompt: what else stands there stays.
"""

import re
from collections.abc import Sequence
from pathlib import Path

RULES = ("--allowed-tools", "--allowedTools", "--disallowed-tools", "--disallowedTools", "--tools")
FOLDERS = ("--add-dir",)

_RULE = re.compile(r"([A-Z]\w*|mcp__[\w-]+)(\(.*\))?", re.DOTALL)


def spread(words: Sequence[str]) -> list[str]:
    """`words` with each value of such a list joined to the one before it, or behind a flag of its
    own."""
    found: list[str] = []
    flag = ""
    for at, word in enumerate(words):
        if word == "--":
            return [*found, *words[at:]]
        if flag and found[-1] != flag and _is_of(flag, word):
            found += [flag, word] if flag in FOLDERS else [f"{found.pop()},{word}"]
            continue
        if not (flag and found[-1] == flag) or word.startswith("-"):  # else it is the first value
            flag = word if word in (*RULES, *FOLDERS) else ""
        found.append(word)
    return found


def _is_of(flag: str, word: str) -> bool:
    if flag in FOLDERS:
        return word[:1] in (".", "/", "~") and _is_folder(word)
    form = _RULE.fullmatch(word)
    if form is None or not _is_one(form[2] or ""):
        return False
    if form[1].startswith("mcp__"):
        return True
    from qcode.permission.rules import IDLE, TOOLS  # noqa: PLC0415 - `qcode --help` needs none

    return form[1] in TOOLS or form[1] in IDLE


def _is_folder(word: str) -> bool:
    try:
        return Path(word).expanduser().is_dir()
    except (OSError, RuntimeError):  # too long for a name, or nobody's home
        return False


def _is_one(group: str) -> bool:
    """Whether what its first parenthesis opens is all of it."""
    depth = 0
    for at, sign in enumerate(group, 1):
        depth += {"(": 1, ")": -1}.get(sign, 0)
        if depth == 0:
            return at == len(group)
    return not group
