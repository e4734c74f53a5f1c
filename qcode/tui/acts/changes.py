"""Changes that are made already, hunk by hunk: of this session, or in git."""

import asyncio

from msgspec.structs import replace

from qcode.protocol.errors import InputError
from qcode.protocol.inputs import Prompt
from qcode.tui.acts.hands import Acts, Hands
from qcode.tui.review.deeds import of_repository
from qcode.tui.review.state import ReviewState
from qcode.tui.review.syntax import ready
from qcode.tui.review.whose import NOBODY, Whose, whose
from qcode.tui.screens.review import ReviewScreen
from qcode.workspace.gitdiff import Asked, Changes, file_changes

WITHOUT_GIT = (
    "Until then the cards of the conversation show what was changed (Ctrl+O opens them), and /undo "
    "puts back the files of the last turn."
)


async def review(hands: Hands, _: str) -> None:
    """The files that calls of this session changed, as far as they are not committed."""
    edited = hands.talk.edited
    if not edited:
        raise InputError("No call of this session has changed a file. /diff shows all changes.")
    asked = Asked()
    try:
        found = await _found(hands, asked)
    except InputError as error:  # no repository, or no git
        raise InputError(f"{error} {WITHOUT_GIT}") from error
    mine = tuple(change for change in found.files if {change.path, change.old_path} & edited)
    if not mine:
        raise InputError(_nothing(found.left_out))
    by = whose(hands.talk.events, ReviewState(mine))
    await _show(hands, Changes(mine, found.left_out), asked, by)


def _nothing(left_out: int) -> str:
    if left_out:
        return f"Nothing of this session stands in git's list, which lacks {left_out} new files."
    return "What this session changed is committed, or taken back."


async def diff(hands: Hands, words: str) -> None:
    """All that is not committed; `staged`; or since another branch."""
    asked = _asked(words)
    await _show(hands, await _found(hands, asked), asked)


def _asked(words: str) -> Asked:
    if words in ("staged", "cached"):
        return Asked("staged")
    return Asked("base", words) if words else Asked()


async def _found(hands: Hands, asked: Asked) -> Changes:
    """In a thread with a loop of its own: patches are parsed there."""
    found = await asyncio.to_thread(asyncio.run, file_changes(hands.home.folder, asked))
    await asyncio.to_thread(ready, [change.path for change in found.files])
    return found


async def _show(hands: Hands, found: Changes, asked: Asked, by: Whose = NOBODY) -> None:
    deeds = of_repository(hands.home.folder, asked, found.left_out)
    deeds = replace(deeds, others=by.others, untold=by.untold)
    state = ReviewState(found.files)
    outcome = await hands.ask(ReviewScreen(state, hands.palette, deeds, hands.interrupt))
    if outcome is None:
        return
    if outcome.done:
        hands.say("; ".join(outcome.done))
    if outcome.prompt:
        hands.submit(Prompt(outcome.prompt))


ACTS: Acts = {"review": review, "diff": diff}
