"""What a review of a repository can do: words for its keys, and the way to git. No Textual."""

import asyncio
from functools import partial
from pathlib import Path

from qcode.tui.review.outcome import Beyond, Deeds
from qcode.workspace.diff import lines_of
from qcode.workspace.files import Workspace, load
from qcode.workspace.gitactions import rewrite, stage, unstage
from qcode.workspace.gitdiff import Asked
from qcode.workspace.patches import FileChange
from qcode.workspace.trouble import FileTrouble

_NONE = {
    "worktree": "Nothing has changed since the last commit.",
    "staged": "Nothing is staged. `git add` stages files; qcode review shows what could be.",
    "base": "Nothing has changed since this branch left the other.",
}


def of_repository(folder: Path, asked: Asked) -> Deeds:
    """The deeds for the changes that `file_changes(folder, asked)` tells."""
    if asked.kind == "staged":
        return Deeds(
            title="review of what is staged",
            keeps="keep",
            drops="unstage",
            rewrite=lambda change, choices: unstage(folder, change, tuple(choices)),
            edits="no",
            empty=_NONE["staged"],
        )
    since = f" since {asked.base}" if asked.kind == "base" else ""
    return Deeds(
        title=f"review{since}",
        keeps="keep",
        drops="take back",
        rewrite=partial(rewrite, folder),
        stage=partial(stage, folder),
        unstage=partial(unstage, folder),
        look=partial(_beyond, folder, "new"),
        empty=_NONE[asked.kind],
    )


def of_proposal(folder: Path) -> Deeds:
    """For edits that are not applied yet: the replies say it all."""
    return Deeds(title="review before it is applied", look=partial(_beyond, folder, "old"))


async def _beyond(folder: Path, side: str, change: FileChange) -> Beyond | None:
    """The file as it stands; None where it cannot be read."""
    located = Workspace(folder).resolve(change.path)
    try:
        loaded = await asyncio.to_thread(load, located)
    except FileTrouble:
        return None
    text = loaded.data.decode("utf-8", "surrogateescape")
    return Beyond("old" if side == "old" else "new", tuple(lines_of(text)))
