"""What a review of a repository can do: words for its keys, and the way to git. No Textual."""

import asyncio
from functools import partial
from pathlib import Path

from qcode.protocol.text import well_formed
from qcode.tui.review.outcome import Beyond, Deeds
from qcode.tui.review.state import ReviewState
from qcode.workspace.diff import lines_of
from qcode.workspace.encoding import decode
from qcode.workspace.files import Workspace, load
from qcode.workspace.gitactions import rewrite, stage, unstage
from qcode.workspace.gitdiff import Asked
from qcode.workspace.patches import FileChange
from qcode.workspace.review import fits
from qcode.workspace.trouble import FileTrouble

_NONE = {
    "worktree": "Nothing has changed since the last commit.",
    "staged": "Nothing is staged. `git add` stages files; qcode review shows what could be.",
    "base": "Nothing has changed since this branch left the other.",
}


def of_repository(folder: Path, asked: Asked, left_out: int = 0) -> Deeds:
    """The deeds for the changes that `file_changes(folder, asked)` tells, all but so many."""
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
        look=partial(_as_git_shows, folder),
        empty=_NONE[asked.kind],
        left_out=left_out,
    )


def of_proposal(folder: Path) -> Deeds:
    """For edits that are not applied yet: the replies say it all."""
    return Deeds(title="review before it is applied", look=partial(_as_proposals_show, folder))


async def conflicts(state: ReviewState, deeds: Deeds) -> dict[int, str]:
    """For edits that are not applied yet: number of an item -> why it does not apply to the file as
    it stands by now."""
    found: dict[int, str] = {}
    for index, change in enumerate(state.files):
        if deeds.look is None or deeds.rewrite is not None or not change.hunks:
            continue
        beyond = await deeds.look(change)
        why = _misfits(change, beyond)
        first = state.of_file(index)[0].number
        found |= {first + number: words for number, words in why.items() if words}
    return found


def _misfits(change: FileChange, beyond: Beyond | None) -> dict[int, str]:
    if beyond is not None:
        return fits("".join(beyond.lines), change.hunks)
    return {hunk.number: "the file is gone" for hunk in change.hunks if hunk.old}


async def _as_git_shows(folder: Path, change: FileChange) -> Beyond | None:
    data = await _data(folder, change)
    if data is None:
        return None
    return Beyond("new", tuple(lines_of(data.decode("utf-8", "surrogateescape"))))


async def _as_proposals_show(folder: Path, change: FileChange) -> Beyond | None:
    """With the line ends of a `DiffBlock`."""
    data = await _data(folder, change)
    if data is None:
        return None
    text = well_formed(decode(data)[0].replace("\r\n", "\n"))
    return Beyond("old", tuple(lines_of(text)))


async def _data(folder: Path, change: FileChange) -> bytes | None:
    """The file as it stands; None where it cannot be read."""
    located = Workspace(folder).resolve(change.path)
    try:
        return (await asyncio.to_thread(load, located)).data
    except FileTrouble:
        return None
