"""Flags behind which Claude Code takes several words: `--allowedTools Read "Bash(ls:*)"`.

A word more is one of the list if it is surely none of a prompt: what else stands there stays.
"""

import re
from collections.abc import Sequence
from pathlib import Path

RULES = ("--allowed-tools", "--allowedTools", "--disallowed-tools", "--disallowedTools", "--tools")
FOLDERS = ("--add-dir",)

_RULE = re.compile(r"([A-Z]\w*|mcp__[\w-]+)(?:\(.*\))?", re.DOTALL)


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
        if not (flag and found[-1] == flag):  # else it is the first value
            flag = word if word in (*RULES, *FOLDERS) else ""
        found.append(word)
    return found


def _is_of(flag: str, word: str) -> bool:
    if flag in FOLDERS:
        return word[:1] in (".", "/", "~") and Path(word).expanduser().is_dir()
    form = _RULE.fullmatch(word)
    if form is None or form[1].startswith("mcp__"):
        return form is not None
    from qcode.permission.rules import IDLE, TOOLS  # noqa: PLC0415 - `qcode --help` needs none

    return form[1] in TOOLS or form[1] in IDLE
