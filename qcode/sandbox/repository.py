"""Where git keeps what it writes when that lies outside of the workspace.

In a linked worktree, in a submodule, and in a folder below the root of its repository, `git commit`
writes elsewhere. That place is opened where it is the workspace's own: a parent folder of it, of
the same user; or it says by itself that it belongs to this folder. The `.git` file of a workspace
says nothing alone, for whoever wrote the workspace wrote that file.
"""

import os
import re
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from qcode.sandbox.guarded import Guarded

NAMES = ("hooks", "config", "commondir")
EXISTING = ("config.worktree", "modules", "worktrees")
"""As in `names`, but from the folder itself on."""
_OF_ANOTHER = ("HEAD", "index")
"""In the repository of a linked worktree these are the first worktree's."""
_OF_WORKTREE = ("commondir", "gitdir", "config.worktree")
_LONGEST = 4096
_HEAD = re.compile(rb"ref:\s*refs/|[0-9a-fA-F]{40}")
_HEAD_BYTES = 256


def repositories(folder: Path) -> tuple[Guarded, ...]:
    """What commands in `folder` need besides it; most often nothing. Never raises."""
    with suppress(OSError, ValueError):
        for at in (folder, *folder.parents):
            found = _kind(at / ".git")
            if found == stat.S_IFDIR:
                own = at != folder and _is_repository(at / ".git")
                return (Guarded(at / ".git", NAMES, EXISTING),) if own else ()
            if found:
                return tuple(_linked(at)) if found == stat.S_IFREG else ()
    return ()


def is_bare(folder: Path) -> bool:
    """Whether the folder itself is a repository. Never raises."""
    with suppress(OSError):
        return _is_repository(folder)
    return False


def is_taken(place: Path) -> bool:
    """Whether git stops at this `.git`: by any file, and by a folder that is a repository. Another
    one it passes over, and asks whether the folder around it is a bare one. Never raises."""
    with suppress(OSError):
        if stat.S_ISREG(place.stat().st_mode):
            return True
        return _is_head(place / "HEAD") and all(
            os.access(place / name, os.X_OK) for name in ("objects", "refs")
        )
    return False


def _is_head(file: Path) -> bool:
    """As git sees it. Raises OSError."""
    if file.is_symlink():
        return str(file.readlink()).startswith("refs/")
    if _kind(file) != stat.S_IFREG:
        return False
    with file.open("rb") as source:
        return bool(_HEAD.match(source.read(_HEAD_BYTES)))


def _linked(at: Path) -> Iterator[Guarded]:
    """What the `.git` file in `at` leads to, if that leads back."""
    own = _led(at / ".git", at, "gitdir: ")
    if own.parent.name != "worktrees":
        if _is_repository(own) and _worktree(own) == at:
            yield Guarded(own, NAMES, EXISTING)
        return
    common = own.parent.parent
    back = _led(own / "gitdir", own) == at / ".git"
    if back and _led(own / "commondir", own) == common and _is_repository(common):
        yield Guarded(common, NAMES, (*EXISTING, *_OF_ANOTHER))
        yield Guarded(own, (), _OF_WORKTREE)


def _led(file: Path, base: Path, before: str = "") -> Path:
    """Where the one line of a file leads. Raises OSError and ValueError."""
    if _kind(file) != stat.S_IFREG:
        raise ValueError(f"{file} is no file")
    with file.open(encoding="utf-8", errors="surrogateescape") as lines:
        text = lines.read(_LONGEST)
    if not text.startswith(before) or len(text) == _LONGEST:
        raise ValueError(f"{file} is not as git writes it")
    return (base / text.removeprefix(before).removesuffix("\n")).resolve()


def _worktree(own: Path) -> Path | None:
    """`core.worktree` of a submodule's repository; git writes it on a line of its own."""
    for line in (own / "config").read_text(errors="surrogateescape").splitlines():
        name, _, value = line.partition("=")
        if name.strip() == "worktree":
            return (own / value.strip()).resolve()
    return None


def _is_repository(folder: Path) -> bool:
    """Of this user, and whole: a link in it could lead what is written elsewhere."""
    mine = folder.lstat().st_uid == os.getuid() and _kind(folder) == stat.S_IFDIR
    kinds = [_kind(folder / name) for name in ("HEAD", "config", "objects", "refs")]
    return mine and kinds == [stat.S_IFREG, stat.S_IFREG, stat.S_IFDIR, stat.S_IFDIR]


def _kind(path: Path) -> int:
    """0 = there is nothing."""
    with suppress(OSError):
        return stat.S_IFMT(path.lstat().st_mode)
    return 0
