"""A tree of files as it is, to compare; and a keeper that is driven as the engine drives it."""

import asyncio
import os
import stat
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

from qcode.workspace.back import Back, Draft, fetched, wanted
from qcode.workspace.checkpoint import Keeper
from qcode.workspace.kept import Note, Past, backwards, past
from qcode.workspace.shadow import Shadow
from qcode.workspace.tracked import tracked


def tree(root: Path) -> dict[str, tuple[object, ...]]:
    """Path -> kind, permissions and bytes, or where a link points; without git's own folder."""
    made: dict[str, tuple[object, ...]] = {}
    for path in sorted(root.rglob("*")):
        below = path.relative_to(root).as_posix()
        if below.split("/")[0] == ".git":
            continue
        status = path.lstat()
        mode = stat.S_IMODE(status.st_mode)
        if stat.S_ISLNK(status.st_mode):
            made[below] = ("link", str(path.readlink()))
        elif stat.S_ISDIR(status.st_mode):
            made[below] = ("folder", mode)
        else:
            made[below] = ("file", mode, path.read_bytes())
    return made


def git(root: Path, *arguments: str) -> str:
    """A git that heeds nobody's configuration."""
    env = {"PATH": os.environ["PATH"], "HOME": str(root), "GIT_CONFIG_NOSYSTEM": "1"}
    who = ("-c", "user.name=n", "-c", "user.email=e@example.org")
    done = subprocess.run(
        ("git", *who, *arguments), cwd=root, env=env, capture_output=True, text=True, check=True
    )
    return done.stdout


class Driver:
    """Does what `engine.keeping` does, without an engine."""

    def __init__(self, root: Path, store: Path, ids: Sequence[str] = ()) -> None:
        self.root = root
        self.keeper = Keeper(Path(os.path.realpath(root)), Shadow(store))
        self.keeper.shadow.open()
        self.ids = list(ids)
        self.turn = 0

    def edit(self, path: str, do: Callable[[], object]) -> None:
        """A call that names its file."""
        note = self.keeper.keep([self.keeper.root / path], self.turn)
        self.ids.append(note.id)
        do()
        self.keeper.settle(note)

    def command(self, do: Callable[[], object]) -> Note | None:
        """A command."""
        if self.keeper.looked:
            self.keeper.before_command()
        else:
            self.keeper.first_look()
            self.keeper.baseline(asyncio.run(tracked(self.keeper.root)))
        do()
        note = self.keeper.after_command(self.turn)
        if note is not None:
            self.ids.append(note.id)
        return note

    def shell(self, line: str) -> Note | None:
        """A command, really run."""
        return self.command(lambda: subprocess.run(line, shell=True, cwd=self.root, check=True))

    def past(self) -> Past:
        """As the notes on the disk tell it."""
        notes = (self.keeper.shadow.read(one) for one in self.ids)
        return past(note for note in notes if note is not None)

    def undo(self) -> Back | None:
        """None = there is nothing."""
        done = [one for one in self.past().done if backwards(one.notes)]
        return self._back(done[-1].notes, "undo") if done else None

    def redo(self) -> Back | None:
        """None = there is nothing."""
        undone = self.past().undone
        return self._back([undone[-1][0]], "redo") if undone else None

    def _back(self, notes: Sequence[Note], kind: str) -> Back:
        wishes = backwards(notes)
        had = asyncio.run(fetched(self.keeper.root, wanted(wishes)))
        draft = Draft(self.turn, kind, tuple(note.id for note in notes))  # type: ignore[arg-type] # a literal
        back = self.keeper.go_back(wishes, had, draft)
        if back.note_id:
            self.ids.append(back.note_id)
        return back
