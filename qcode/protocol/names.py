"""Names of tools and fields as models spell them: what makes two spellings the same name."""

PREFIXES = ("functions.", "function.", "tools.", "tool.", "tool:", "default_api.", "default_api:")
"""What models put before a tool's name, from other agents' formats."""


def folded(name: str) -> str:
    """`oldString`, `old-string` and `old_string` are the same."""
    return "".join(sign for sign in name.casefold() if sign not in "_- ")


def bare(name: str) -> str:
    """A tool's name without blanks and prefixes around it."""
    name = name.strip()
    for prefix in PREFIXES:
        name = name.removeprefix(prefix)
    return name
