"""Checkpoints: files are kept before calls change them, and put back when the person wishes it.

What files were and what they are is the business of `workspace.checkpoint`; here is when. What is
looked at behind a call runs beside the next request, and is waited for before the next change.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Literal, TypeVar

import msgspec

from qcode.engine.say import Say
from qcode.engine.wayback import NOTHING, meant
from qcode.permission.readonly import is_read_only
from qcode.permission.shell import split
from qcode.protocol.access import Access
from qcode.protocol.errors import SessionNotSaved
from qcode.protocol.events import CheckpointTaken, Notice
from qcode.protocol.inputs import Redo, Rewind, Undo
from qcode.protocol.text import one_line, well_formed
from qcode.session.conversation import Conversation
from qcode.workspace.back import Back, Draft, fetched, wanted
from qcode.workspace.checkpoint import Keeper
from qcode.workspace.collecting import collect
from qcode.workspace.files import Workspace
from qcode.workspace.inventory import TooMany
from qcode.workspace.kept import Note, Past, Wish, backwards, past
from qcode.workspace.looking import FILE_BYTES, LOOK_BYTES, LOOK_FILES
from qcode.workspace.tracked import tracked

LOG = logging.getLogger(__name__)
_SHOWN = 8
_LIMITS = (
    f"Kept are files that can be read, up to {FILE_BYTES >> 20} MB each, and for commands up to "
    f"{LOOK_FILES:,} files and {LOOK_BYTES >> 20} MB at once beside those that git has."
)

T = TypeVar("T")


class Keeping(msgspec.Struct):
    """When files are kept, for one session."""

    keeper: Keeper | None
    """None = nothing is kept in this run."""
    workspace: Workspace
    talk: Conversation
    say: Say
    jobs: Callable[[], bool] = lambda: False
    """Whether commands of the model run in the background: what changes may be their doing."""
    names: Callable[[], frozenset[str]] | None = None
    """The checkpoints that sessions of this project name: what none names is collected. None =
    nobody knows, and nothing is."""
    _ids: list[str] = msgspec.field(default_factory=list)
    _later: "asyncio.Task[None] | None" = None
    """What is looked at behind a call."""
    _off: Literal["", "edits", "commands"] = ""
    """What cannot be kept any more; `edits` = nothing can."""
    _collected: bool = False

    def __post_init__(self) -> None:
        self._ids = list(self.talk.checkpoints)

    # Around calls

    @asynccontextmanager
    async def around(self, accesses: Sequence[Access]) -> AsyncIterator[None]:
        """A call that may change something runs inside."""
        commands = [one.target for one in accesses if one.kind == "shell"]
        edits = [one.target for one in accesses if one.kind == "edit"]
        if any(not is_read_only(split(line)) for line in commands):
            async with self.command():
                yield
        elif edits:
            note = await self._before_edit(edits)
            try:
                yield
            finally:
                if note is not None:
                    self._behind(self._after_edit(note))
        else:
            yield

    @asynccontextmanager
    async def command(self) -> AsyncIterator[None]:
        """A command that may change anything runs inside."""
        looks = await self._before_command()
        try:
            yield
        finally:
            if looks:
                self._behind(self._after_command())

    async def rest(self) -> None:
        """The turn is at its end: what it changed is told before that."""
        if self.jobs() and self.keeper and self.keeper.looked and not self._off:
            await self._settled()
            self._behind(self._after_command())
        await self._settled()
        if self.keeper and self.names and not self._collected:
            self._collected = True
            self._behind(self._collect(self.keeper, self.names))

    async def close(self) -> None:
        """Wait for what is looked at, and let the store go."""
        await self._settled()
        if self.keeper:
            self.keeper.shadow.close()

    async def _before_edit(self, targets: Sequence[str]) -> Note | None:
        if self.keeper is None or self._off == "edits":
            return None
        await self._settled()
        paths = [self.workspace.resolve(target).path for target in targets]
        keeper = self.keeper
        note = await self._tried(lambda: self._opened(keeper).keep(paths, self.talk.turns), "edits")
        if note is not None:
            self._tell(note)
            self._bare(note, keeper)
        return note

    def _bare(self, note: Note, keeper: Keeper) -> None:
        """What is about to be changed, and could not be kept."""
        bare = [keeper.shown(key) for key, one in note.befores.items() if not one.kept]
        if bare:
            self._warn(f"This change cannot be undone: {_listed(bare, len(bare))}. {_LIMITS}")

    async def _after_edit(self, note: Note) -> None:
        keeper = self.keeper
        if keeper is not None:
            await self._tried(lambda: keeper.settle(note), "edits")

    async def _before_command(self) -> bool:
        """Whether what it changes will be seen."""
        if self.keeper is None or self._off:
            return False
        await self._settled()
        keeper = self.keeper
        if keeper.looked and self.jobs():
            await self._after_command()  # what a job of the model's made
        elif keeper.looked:
            await self._tried(keeper.before_command, "commands")
        else:
            await self._tried(lambda: self._opened(keeper).first_look(), "commands")
            if not self._off:
                known = await tracked(self.workspace.root)
                await self._tried(lambda: keeper.baseline(known), "commands")
                self._uncovered(keeper)
        return not self._off

    async def _after_command(self) -> None:
        keeper, turn = self.keeper, self.talk.turns
        if keeper is None:
            return
        note = await self._tried(lambda: keeper.after_command(turn), "commands")
        if note is not None:
            self._tell(note)

    def _tell(self, note: Note) -> None:
        self._ids.append(note.id)
        paths = (well_formed(self.keeper.shown(key)) for key in note.befores) if self.keeper else ()
        self.say(CheckpointTaken(note.id, tuple(sorted(paths))))

    def _uncovered(self, keeper: Keeper) -> None:
        if keeper.repositories:
            found = _listed(sorted(keeper.repositories), len(keeper.repositories))
            what = "Repositories below this folder are kept as files, their history is not"
            self.say(Notice("info", f"{what}: {found}."))
        if not keeper.uncovered:
            return
        rows = sorted(keeper.uncovered.items(), key=lambda row: -row[1])
        names = [f"{path} ({size / 1e6:,.1f} MB)" for path, size in rows[:_SHOWN]]
        words = _listed(names, len(rows))
        self.say(Notice("info", f"Commands that change these cannot be undone: {words}. "
                        f"{_LIMITS}"))  # fmt: skip

    # The way back

    async def take(self, given: Undo | Redo | Rewind) -> tuple[str, ...]:
        """Put files back, and say so; the paths that were. Once begun it is not cut off."""
        if self.keeper is None:
            self._warn("Files are not kept in this run: nothing can be put back.")
            return ()
        await self._settled()
        work = asyncio.ensure_future(self._back(self.keeper, given))
        try:
            await asyncio.wait([work])
        except asyncio.CancelledError:
            await asyncio.wait([work])  # it ends well, and that is what the person is told
        return work.result()

    async def _back(self, keeper: Keeper, given: Undo | Redo | Rewind) -> tuple[str, ...]:
        seen = await self._tried(lambda: self._past(keeper), "edits")
        if seen is None:
            return ()
        notes, of = meant(seen, given)
        if not notes:
            self._warn(NOTHING[type(given)])
            return ()
        wishes = backwards(notes)
        had = await fetched(self.workspace.root, wanted(wishes))
        kind: Literal["undo", "redo"] = "redo" if isinstance(given, Redo) else "undo"
        draft = Draft(self.talk.turns, kind, of)
        back = await self._tried(lambda: keeper.go_back(wishes, had, draft), "edits")
        if back is None:
            return ()
        self._report(back, wishes, given, keeper)
        return tuple(well_formed(path) for path in back.done)

    def _past(self, keeper: Keeper) -> Past:
        shadow = self._opened(keeper).shadow
        return past(note for one in self._ids if (note := shadow.read(one)) is not None)

    def _report(
        self, back: Back, wishes: dict[bytes, Wish], given: Undo | Redo | Rewind, keeper: Keeper
    ) -> None:
        if back.note_id:
            self._ids.append(back.note_id)
            self.say(CheckpointTaken(back.note_id, tuple(map(well_formed, back.done))))
        if back.done:
            again = "/undo" if isinstance(given, Redo) else "/redo"
            words = _listed(back.done, len(back.done))
            self.say(Notice("info", f"Put back: {words}. {again} takes that back."))
        elif not back.left:
            self.say(Notice("info", "The files are as they were already."))
        mine = {keeper.shown(key) for key, one in wishes.items() if one.since == "own change"}
        if halfway := sorted(mine & {*back.done}):
            words = _listed(halfway, len(halfway))
            self.say(Notice("info", f"Put back to your own change, and not behind it: {words}."))
        if back.left:
            rows = [f"{path} ({why})" for path, why in sorted(back.left.items())]
            self._warn(f"Left as they are: {_listed(rows, len(rows))}.")

    # What may fail, and what comes later

    def _opened(self, keeper: Keeper) -> Keeper:
        keeper.shadow.open()
        return keeper

    async def _tried(self, do: Callable[[], T], what: Literal["edits", "commands"]) -> T | None:
        """In a thread; what fails is said once, and the work goes on without checkpoints."""
        try:
            return await _whole(asyncio.ensure_future(asyncio.to_thread(do)))
        except TooMany:
            self._off = "commands"
            self._warn("This folder has too many files: what commands change cannot be undone.")
        except OSError as error:
            self._off = what
            LOG.exception("a checkpoint could not be kept")
            why = error.strerror or error
            self._warn(f"Files cannot be kept ({why}): what follows cannot be undone.")
        return None

    async def _collect(self, keeper: Keeper, names: Callable[[], frozenset[str]]) -> None:
        try:
            await asyncio.to_thread(collect, keeper.shadow, names, keeper.held)
        except OSError:
            LOG.exception("the shadow store could not be cleaned")

    def _behind(self, work: Coroutine[None, None, None]) -> None:
        self._later = asyncio.get_running_loop().create_task(self._after(self._later, work))

    async def _after(
        self, first: "asyncio.Task[None] | None", work: Coroutine[None, None, None]
    ) -> None:
        if first is not None:
            await asyncio.wait([first])
        try:
            await work
        except SessionNotSaved:
            LOG.warning("a checkpoint is not in the log, which cannot be written")

    async def _settled(self) -> None:
        if self._later is not None:
            await asyncio.wait([self._later])
            self._later = None

    def _warn(self, text: str) -> None:
        self.say(Notice("warning", text))


def _listed(names: Iterable[str], count: int) -> str:
    shown = [one_line(well_formed(name)) for name in names][:_SHOWN]
    more = f" and {count - _SHOWN} more" if count > _SHOWN else ""
    return f"{', '.join(shown)}{more}"


async def _whole(work: "asyncio.Future[T]") -> T:
    """A thread that writes is waited for, also when the turn is cancelled."""
    try:
        await asyncio.wait([work])
    except asyncio.CancelledError:
        await asyncio.wait([work])
        raise
    return work.result()
