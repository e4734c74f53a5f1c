"""New, resume, fork, rename, export, rewind."""

import asyncio
from collections.abc import Iterator, Sequence

from qcode.protocol.errors import InputError
from qcode.protocol.events import CheckpointTaken
from qcode.protocol.inputs import Rename
from qcode.session.said import Said
from qcode.session.store import Store
from qcode.tui.acts.hands import Acts, Hands
from qcode.tui.blocks import AnswerBlock, Block, PromptBlock
from qcode.tui.home import Wanted
from qcode.tui.screens.choosing import of_export
from qcode.tui.screens.pickers import Picker
from qcode.tui.screens.rewind import Back, RewindTo
from qcode.tui.screens.sessions import Sessions
from qcode.tui.shelf import Shelf


async def new(hands: Hands, _: str) -> None:
    """Begin anew."""
    await hands.open(Wanted())


async def resume(hands: Hands, words: str) -> None:
    """Go on with the session that is meant, or choose one."""
    if not words:
        await choose(hands, "")
        return
    shelf = _shelf(hands)
    found = await asyncio.to_thread(shelf.store.find, words, hands.home.folder)
    await _go_on(hands, Wanted(found))


async def choose(hands: Hands, words: str) -> None:
    """The list."""
    chosen: Wanted | Rename | None = await hands.ask(Sessions(_shelf(hands), hands.palette, words))
    if isinstance(chosen, Rename):
        hands.submit(chosen)
    elif chosen is not None:
        await _go_on(hands, chosen)


async def fork(hands: Hands, _: str) -> None:
    """Go on in a copy."""
    await hands.open(Wanted(_said(hands), fork=True))
    hands.say("this is a copy; the first one stays as it is")


async def rename(hands: Hands, _: str) -> None:
    """Ask for the name in the prompt."""
    hands.write("/rename ")


async def export(hands: Hands, name: str) -> None:
    """Write it to a file in the workspace."""
    session_id = _said(hands)
    wanted = name or await hands.ask(Picker(of_export(), hands.palette))
    if wanted:
        path = await asyncio.to_thread(_shelf(hands).export, session_id, wanted)
        hands.say(f"written to {path}")


async def rewind(hands: Hands, _: str) -> None:
    """Back to before a prompt."""
    turns = tuple(turns_of(hands.talk.blocks))
    if not turns:
        raise InputError("Nothing was said in this session yet: there is nowhere to go back to.")
    kept = any(isinstance(event, CheckpointTaken) for event in hands.talk.events)
    files = "can go back" if kept else "stay"
    screen = RewindTo(turns, hands.palette, session_id=hands.talk.session_id, files=files)
    back: Back | None = await hands.ask(screen)
    if back is None:
        return
    if isinstance(back.given, Wanted):
        await hands.open(back.given)
    else:
        hands.submit(back.given)
    hands.write(back.prompt)


async def _go_on(hands: Hands, wanted: Wanted) -> None:
    if wanted.resume == hands.talk.session_id and not wanted.fork:
        hands.say("this session is open already")
        return
    await hands.open(wanted)


def turns_of(blocks: Sequence[Block]) -> Iterator[Said]:
    """The prompts on the screen, each with the last words of its answer."""
    turn, prompt, answer = 0, "", ""
    for block in blocks:
        match block:
            case PromptBlock(kind="prompt", turn=number) if number:
                if turn:
                    yield Said(turn, prompt, answer)
                turn, prompt, answer = number, block.text, ""
            case AnswerBlock() if block.state != "void":
                answer = block.text
    if turn:
        yield Said(turn, prompt, answer)


def _shelf(hands: Hands) -> Shelf:
    if hands.home.sessions is None:
        raise InputError("No sessions are kept here.")
    return Shelf(Store(hands.home.sessions), hands.home.folder, hands.talk.session_id)


def _said(hands: Hands) -> str:
    """The id of this session, once something is in it. Raises InputError."""
    if not hands.talk.session_id:
        raise InputError("No log is kept of this session: --no-session.")
    if not any(isinstance(block, PromptBlock) for block in hands.talk.blocks):
        raise InputError("Nothing was said in this session yet.")
    return hands.talk.session_id


ACTS: Acts = {
    "new_session": new,
    "resume": resume,
    "sessions": choose,
    "fork": fork,
    "rename": rename,
    "export": export,
    "rewind": rewind,
}
