"""The workspace: where a path leads, and the bytes of a file.

Text lives in `encoding`, writing in `save`; searching in `search` and `grep`.
"""

import hashlib
import os
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec
from msgspec.structs import force_setattr, replace

from qcode.protocol.access import Place
from qcode.protocol.text import well_formed
from qcode.workspace.ignore import Bounds
from qcode.workspace.places import protects
from qcode.workspace.secrets import Secrets
from qcode.workspace.straight import open_straight
from qcode.workspace.trouble import FileTrouble, IsFolder, trouble

WHOLE_BYTES = 16 * 1024 * 1024
"""Files up to this size are read whole. Of larger ones only lines are read (`lines`)."""


class Located(msgspec.Struct, frozen=True):
    """Where a path leads, once `~`, `..` and links are resolved."""

    path: Path
    """Real and absolute. It need not exist."""
    shown: str
    """From the root with `/` (the root itself: `.`); absolute when outside of it."""
    place: Place


class Workspace(msgspec.Struct, frozen=True):
    """The folder that the agent works in, and the ones added to it. All are made real here."""

    root: Path
    extra: tuple[Path, ...] = ()
    exclude: tuple[str, ...] = ()
    """Files that searches leave out, as gitignore patterns from the root."""
    closed: tuple[str, ...] = ()
    """What rules deny or ask about: see `Bounds.closed`."""
    secrets: Secrets = msgspec.field(default_factory=Secrets)
    """Keys, and the folders in which qcode keeps its own things."""
    pinned: Mapping[str, Located] = msgspec.field(default_factory=dict)
    """Paths as written, and where they lead whatever becomes of the links on them."""

    @property
    def bounds(self) -> Bounds:
        """What holds for every search here."""
        return Bounds(self.root, self.exclude, self.secrets, self.closed)

    def __post_init__(self) -> None:
        force_setattr(self, "root", Path(os.path.realpath(self.root)))
        real = tuple(Path(os.path.realpath(folder)) for folder in self.extra)
        force_setattr(self, "extra", real)

    def resolve(self, path: str) -> Located:
        """Where `path` leads, from the root. Never raises: a name that cannot be is `outside`."""
        if (known := self.pinned.get(path)) is not None:
            return known
        written = os.path.join(self.root, os.path.expanduser(path.strip() or "."))  # noqa: PTH111, PTH118 - a Path would drop what a trailing `..` after a link means
        try:
            real = Path(os.path.realpath(written))
            os.fsencode(real)
        except (ValueError, OSError):  # a NUL, a lone surrogate
            return Located(Path(written), well_formed(path), "outside")
        return Located(real, self._shown(real), self._place(real, Path(os.path.normpath(written))))

    def pin(self, paths: Iterable[str]) -> "Workspace":
        """The same, with these paths resolved for good: what is judged is what is opened. A link
        that is put on the way of one afterwards is not followed, but refused."""
        return replace(self, pinned={path: self.resolve(path) for path in paths})

    def _shown(self, real: Path) -> str:
        inside = real.is_relative_to(self.root)
        return well_formed((real.relative_to(self.root) if inside else real).as_posix())

    def _place(self, real: Path, written: Path) -> Place:
        folders = (self.root, *self.extra)
        # By the name as well: a key may be a link to a place that was none when the list was made.
        if any(self.secrets.around(str(it), [*map(str, folders)]) for it in (real, written)):
            return "secret"
        home = next((folder for folder in folders if real.is_relative_to(folder)), None)
        if home is None:
            return "outside"
        named = written.relative_to(self.root) if written.is_relative_to(self.root) else Path()
        # By the name as well: `.git` may be a link to a folder with a harmless name.
        below = real.relative_to(home)
        if protects(below.parts) or protects(named.parts) or self.secrets.is_own(real):
            return "protected"
        return "workspace"


class Loaded(msgspec.Struct, frozen=True):
    """The bytes of a file, and what tells whether it is still the same."""

    data: bytes
    digest: str
    inode: int
    changed: int
    """`st_mtime_ns`."""


def load(located: Located) -> Loaded:
    """A whole file. Raises FileTrouble, also for one that is larger than `WHOLE_BYTES`."""
    descriptor = opened(located)
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if status.st_size > WHOLE_BYTES:
            raise too_large(located, status.st_size)
        try:
            data = file.read(WHOLE_BYTES + 1)  # files in /proc say that they are empty
        except OSError as error:
            raise trouble(error, located.shown, "read") from error
    if len(data) > WHOLE_BYTES:
        raise too_large(located, len(data))
    return Loaded(data, digest(data), status.st_ino, status.st_mtime_ns)


def opened(located: Located) -> int:
    """A descriptor for reading. Waits for no pipe, follows no link. Raises FileTrouble."""
    flags = os.O_RDONLY | _flag("O_NONBLOCK") | _flag("O_BINARY")
    try:
        descriptor = open_straight(located.path, flags)
    except (OSError, ValueError) as error:
        if is_folder(located.path):  # so that Windows, too, tells it from a lack of permission
            raise IsFolder(f"{located.shown} is a folder. Name a file in it.") from error
        raise trouble(error, located.shown, "read") from error
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISREG(mode):
        return descriptor
    os.close(descriptor)
    if stat.S_ISDIR(mode):
        raise IsFolder(f"{located.shown} is a folder. Name a file in it.")
    raise FileTrouble(f"{located.shown} is no ordinary file (a device, pipe or socket).")


def is_folder(path: Path) -> bool:
    """False also where nobody can tell: no permission to look, a name that is too long."""
    return os.path.isdir(path)  # noqa: PTH112 - there, Path.is_dir raises


def digest(data: bytes) -> str:
    """The same for the same bytes."""
    return hashlib.blake2b(data, digest_size=16).hexdigest()


def digest_now(located: Located) -> str:
    """Digest of a file as it stands; of a large one only size and time. Raises FileTrouble."""
    descriptor = opened(located)
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if status.st_size > WHOLE_BYTES:
            return f"large:{status.st_size}:{status.st_mtime_ns}:{status.st_ino}"
        return digest(file.read())


def too_large(located: Located, size: int) -> FileTrouble:
    """The sentence for a file that is not loaded whole."""
    return FileTrouble(
        f"{located.shown} has {size:,} bytes; files over {WHOLE_BYTES // 2**20} MB are only read "
        "by line ranges. Use read with first_line and last_line, or a command (sed, grep)."
    )


def _flag(name: str) -> int:
    """A flag of `os.open`; 0 where this system has none."""
    return int(getattr(os, name, 0))
