"""Files as they were, and the way back.

Before a call changes files that it names, those are kept (`keep`). A command may change anything:
before the first one the whole tree is looked at (`baseline`), before and after each one what looks
different (`before_command`, `after_command`). All functions block and are called in threads, one
at a time; they raise OSError where the store cannot be written.
"""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from qcode.workspace.back import CHANGED, Back, Draft
from qcode.workspace.inventory import (
    Folder,
    Inventory,
    Scan,
    Stamp,
    TooMany,
    differing,
    mode_of,
    size_of,
    stamps,
)
from qcode.workspace.kept import ABSENT, FROM_GIT, Entry, Note, Wish
from qcode.workspace.looking import Room, look, same
from qcode.workspace.putting import Step, carry_out
from qcode.workspace.shadow import Shadow, new_id
from qcode.workspace.tracked import Tracked

_LINK = 0o120000


class Keeper(msgspec.Struct):
    """Keeps the files of one workspace for one session."""

    root: Path
    shadow: Shadow
    session: str = ""
    stand_in_ns: int = -1
    """Time of the last change by which what a fence has placed is known: it is no file of
    anybody's. -1 = nothing is placed."""
    uncovered: dict[str, int] = msgspec.field(default_factory=dict)
    """Files that a command may change for good, with their sizes: too large, or too many."""
    repositories: tuple[str, ...] = ()
    """The `.git` of each below the workspace: what commands do to it is not seen."""
    _inventory: Inventory | None = None
    """None = no command has run."""
    _contents: dict[str, bytes] = msgspec.field(default_factory=dict)
    """`Entry.content` of what the baseline or a later look kept."""
    _tracked: Tracked = msgspec.field(default_factory=Tracked)
    _ids: dict[str, str] | None = None
    """Of `_tracked`, while they are needed."""
    _besides: tuple[str, ...] = ()
    """Files that git tracks although it would ignore them."""

    @property
    def held(self) -> frozenset[bytes]:
        """Objects that only this process knows of."""
        return frozenset(self._contents.values())

    @property
    def looked(self) -> bool:
        """A baseline was taken."""
        return self._inventory is not None

    # Calls that name their files

    def keep(self, paths: Iterable[Path], turn: int) -> Note:
        """These are about to be changed: what they are is written down."""
        room = Room()
        ways = {way for path in paths for way in (path, *_missing(path))}
        befores = {self._key(path): look(path, self.shadow, room) for path in ways}
        return self._begin(Note(new_id(), self.session, turn, "change", befores))

    def settle(self, note: Note) -> None:
        """They were changed, or not: what they are now is written down."""
        room = Room()
        afters = {key: look(self.path(key), self.shadow, room) for key in note.befores}
        self.shadow.finish(note.id, afters)
        self._known(afters)

    def _known(self, entries: Mapping[bytes, Entry]) -> None:
        """The next look at the tree finds nothing new in these."""
        if self._inventory is None:
            return
        paths = {os.fsdecode(key): entry for key, entry in entries.items() if key[:1] != b"/"}
        for path, entry in paths.items():
            if entry.kind == "folder":
                self._inventory.setdefault(path, Folder(entry.mode)).mode = entry.mode
            elif entry.kind in ("file", "link"):
                self._contents[path] = entry.content
        stamps(self.root, paths, self._inventory)

    # Commands

    def baseline(self, tracked: Tracked) -> None:
        """Before the first command. `tracked` must be asked of git behind `first_look`."""
        assert self._inventory is not None
        self._tracked = tracked
        clean = self._tracked_ids()
        seen = {path for path, _ in _files(self._inventory)}
        self._besides = tuple(sorted((clean.keys() | tracked.dirty) - seen))
        stamps(self.root, self._besides, self._inventory)
        room = Room()
        with self.shadow.packing():
            for path, stamp in _files(self._inventory):
                if path not in clean or mode_of(stamp) & 0o170000 == _LINK:
                    self._absorb(path, room)
        self._ids = None

    def first_look(self) -> None:
        """The tree from outside. Raises TooMany."""
        self._inventory = self._scan()

    def before_command(self) -> None:
        """What others changed since the last look is not the command's. Raises TooMany."""
        new = self._scan()
        room = Room()
        with self.shadow.packing():
            for path in differing(self._inventory or {}, new):
                self._absorb(path, room)
        self._inventory = new

    def after_command(self, turn: int) -> Note | None:
        """What the command changed; None = nothing. Raises TooMany."""
        new = self._scan()
        old, room = self._inventory or {}, Room()
        befores, afters = {}, {}
        paths = sorted({*differing(old, new)} - {""})
        before_them = {path: self._before(path, old) for path in paths}
        with self.shadow.packing():
            after_them = {path: self._absorb(path, room) for path in paths}
        for path, after in after_them.items():
            before = before_them[path]
            if not same(before, after, self.shadow) and before != after:
                befores[os.fsencode(path)], afters[os.fsencode(path)] = before, after
        self._inventory, self._ids = new, None
        if not befores:
            return None
        return self._begin(Note(new_id(), self.session, turn, "change", befores, afters))

    def _scan(self) -> Inventory:
        try:
            scan = Scan(self.root, self._inventory, self.stand_in_ns)
            found = scan.run()
        except RecursionError as error:
            raise TooMany from error
        self.repositories = tuple(scan.repositories)
        stamps(self.root, self._besides, found)
        return found

    def _before(self, path: str, old: Inventory) -> Entry:
        if path in old:
            return Entry("folder", old[path].mode)
        folder, _, name = path.rpartition("/")
        stamp = old[folder].files.get(name) if folder in old else None
        if stamp is None:
            return ABSENT
        content = self._contents.get(path)
        if mode_of(stamp) & 0o170000 == _LINK:
            return Entry("link", 0, content or b"")
        if content is None:
            found = self._tracked_ids().get(path)
            content = f"{FROM_GIT}{found}".encode() if found else b""
        return Entry("file", mode_of(stamp) & 0o7777, content, size_of(stamp))

    def _absorb(self, path: str, room: Room) -> Entry:
        """What is at `path` now counts as known."""
        entry = look(self.root / path, self.shadow, room)
        if entry.kind in ("file", "link"):
            self._contents[path] = entry.content
            if not entry.kept:
                self.uncovered[path] = entry.size
        else:
            self._contents.pop(path, None)
        return entry

    def _tracked_ids(self) -> dict[str, str]:
        if self._ids is None:
            self._ids = self._tracked.clean()
        return self._ids

    # The way back

    def go_back(
        self, wishes: Mapping[bytes, Wish], fetched: Mapping[bytes, bytes], note: Draft
    ) -> Back:
        """Put what is wished in its place. `fetched`: by `Entry.content`, what git had.

        What somebody else changed stays, and so does what could not be kept before.
        """
        steps, left = self._steps(wishes, fetched)
        if left and not steps:  # it may be tried again
            return Back("", (), {self.shown(key): why for key, why in left.items()})
        kept = {key: step.now for key, step in steps.items()}
        self._begin(Note(note.id, self.session, note.turn, note.kind, kept, None, note.of))
        failed = carry_out(list(steps.values()))
        room = Room(10**9, 1 << 50)
        self.shadow.finish(note.id, {key: look(self.path(key), self.shadow, room) for key in steps})
        left |= {key: failed[step.path] for key, step in steps.items() if step.path in failed}
        done = tuple(sorted(self.shown(key) for key in steps if key not in left))
        return Back(note.id, done, {self.shown(key): why for key, why in left.items()})

    def foresee(self, wishes: Mapping[bytes, Wish], fetched: Mapping[bytes, bytes]) -> Back:
        """What `go_back` would do now."""
        steps, left = self._steps(wishes, fetched)
        shown = {self.shown(key): why for key, why in left.items()}
        return Back("", tuple(sorted(map(self.shown, steps))), shown)

    def _steps(
        self, wishes: Mapping[bytes, Wish], fetched: Mapping[bytes, bytes]
    ) -> tuple[dict[bytes, Step], dict[bytes, str]]:
        """What is to be done, and why some of it cannot be."""
        steps: dict[bytes, Step] = {}
        left: dict[bytes, str] = {}
        room = Room(10**9, 1 << 50)
        for key, wish in wishes.items():
            now = look(self.path(key), self.shadow, room)
            made = self._step(self.path(key), now, wish, fetched)
            if isinstance(made, str):
                left[key] = made
            elif made is not None:
                steps[key] = made
        return steps, left

    def _step(
        self, path: Path, now: Entry, wish: Wish, fetched: Mapping[bytes, bytes]
    ) -> Step | str | None:
        """How to get there; a sentence = it cannot be; None = it is so already."""
        target = wish.target
        if same(now, target, self.shadow):
            return None
        if wish.expected is not None and not same(now, wish.expected, self.shadow):
            if now.kept:
                return CHANGED
            return "it is too large to be kept, or cannot be read"
        if not now.kept:
            return "it is too large to be kept, or cannot be read"
        if target.kind != "file":
            return Step(path, now, target)
        data = self.data(target, fetched)
        if data is None:
            return "what it was is not kept"
        return Step(path, now, target, data)

    def data(self, entry: Entry, fetched: Mapping[bytes, bytes]) -> bytes | None:
        """What a file held; None = that is not kept."""
        if not entry.content:
            return None
        data = fetched.get(entry.content)
        if data is None:
            data = self.shadow.get(entry.content)
        elif len(data) != entry.size:  # git changes line ends on its way to the disk
            data = data.replace(b"\n", b"\r\n")
        return data if data is not None and len(data) == entry.size else None

    def path(self, key: bytes) -> Path:
        """Where a key leads."""
        return self.root / os.fsdecode(key)

    def shown(self, key: bytes) -> str:
        """For people; not yet well-formed."""
        return os.fsdecode(key)

    def _key(self, path: Path) -> bytes:
        inside = path.is_relative_to(self.root)
        return os.fsencode(path.relative_to(self.root).as_posix() if inside else path)

    def _begin(self, note: Note) -> Note:
        self.shadow.begin(note)
        return note


def _missing(path: Path) -> list[Path]:
    """Folders on the way that are not there."""
    return [folder for folder in path.parents if not os.path.lexists(folder)]


def _files(inventory: Inventory) -> list[tuple[str, Stamp]]:
    return [
        (f"{folder}/{name}" if folder else name, stamp)
        for folder, seen in inventory.items()
        for name, stamp in seen.files.items()
    ]
