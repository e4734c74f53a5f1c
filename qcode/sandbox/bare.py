"""A folder that git takes for a repository by what lies in it: HEAD, objects and refs.

Where there is no `.git`, a command could make the workspace such a one, with a config that names
programs; the person's next `git status`, or their prompt's, would run them. Below a repository this
is not kept away by name: with a file HEAD there, git would know `git diff HEAD` no more.
"""

from pathlib import Path

from qcode.sandbox import repository


def names(folder: Path) -> tuple[str, ...]:
    """What no command writes or makes in a workspace because of that."""
    if any(repository.is_taken(at / ".git") for at in (folder, *folder.parents)):
        return ()
    return ("HEAD", *repository.NAMES) if repository.is_bare(folder) else ("HEAD",)
