"""Rules that would have allowed what was asked about: for messages, and for approvals."""

import re
import shlex
from collections.abc import Sequence

from qcode.permission.shapes import ELSEWHERE, NEVER, TRANSPARENT, known
from qcode.permission.shell import Simple, split
from qcode.protocol.access import Access


def narrowest(access: Access) -> str:
    """The text of an allow rule for just this access; empty = no rule can say it.

    >>> narrowest(Access("edit", "src/a.py"))
    'Edit(/src/a.py)'
    """
    match access.kind:
        case "shell":
            line = access.target.strip()
            return f"Bash(line:{line})" if "*" in line else f"Bash({line})"
        case "network":
            return f"WebFetch(domain:{access.target})"
        case _:
            path = re.sub(r"([\\*?\[\]! ])", r"\\\1", access.target)
            name = "Read" if access.kind == "read" else "Edit"
            return "" if "\n" in path else f"{name}(/{path})"  # `//etc/hosts` when outside


def lasting(accesses: Sequence[Access]) -> tuple[str, ...]:
    """Rules that are worth keeping for a session or a project: those that allow all of
    `accesses`, and of commands only such as do not say in their arguments what they run; empty =
    none is offered.

    >>> lasting([Access("shell", "cd src && pytest -q x.py && git status")])
    ('Bash(cd src)', 'Bash(pytest:*)', 'Bash(git status:*)')
    """
    found: dict[str, None] = {}
    for access in accesses:
        texts = _of_line(access.target) if access.kind == "shell" else [_of_other(access)]
        if not texts or not all(texts):
            return ()
        found.update(dict.fromkeys(texts))
    return tuple(found)


def _of_other(access: Access) -> str:
    """Empty = none: a change of a protected name is asked about each time, and no approval opens
    what is closed."""
    asked = access.place == "secret" or (access.kind, access.place) == ("edit", "protected")
    return "" if asked else narrowest(access)


def _of_line(text: str) -> list[str]:
    """One rule for each simple command, or none for all of them."""
    line = split(text)
    opened = {_name(wrapper) for wrapper in line.wrappers}
    if line.unclear or not opened <= TRANSPARENT:
        return []
    rules = [_of_command(command) for command in line.commands]
    return rules if all(rules) else []


def _of_command(command: Simple) -> str:
    """Empty = none."""
    words = [word.text for word in command.words]
    fixed = next((at for at, w in enumerate(command.words) if w.kind != "fixed"), len(words))
    start = command.named - 1  # `uv run pytest`: the shape is that of what is run
    if _name(command) in NEVER or words[start].rsplit("/", 1)[-1] in NEVER:
        return ""
    size = 0 if _name(command) in ELSEWHERE else known(words[start:])
    if size and fixed >= start + size:
        return _rule(shlex.join(words[: start + size]), ":*")
    return _rule(str(command), "") if fixed == len(words) else ""


def _rule(words: str, ending: str) -> str:
    """Empty where the words cannot stand in a rule: it would be read as another."""
    plain = re.fullmatch(r"[\w@%+=:,./ -]+", words) and not words.endswith((":", ":*"))
    return f"Bash({words}{ending})" if plain else ""


def _name(command: Simple) -> str:
    return command.words[0].text.rsplit("/", 1)[-1]
