"""The narrowest rule that would have allowed an access: for messages, and for approvals."""

import re

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
