"""Whether git, asked something harmless in a folder, runs no program that the repository names.

Looked at as git looks, from the folder upward. What is not as git makes it is answered with no.
"""

import os
from functools import lru_cache
from pathlib import Path

from qcode.permission.repository import HOOK, LARGEST, Settings, settings

_GITLINK = b"\x00\x00\xe0\x00"
"""The mode of a submodule in an index: git asks in it as well, with its own settings."""
_INDEX_BYTES = 64 * 1024 * 1024
_CHUNK = 1024 * 1024


def is_plain(folder: Path) -> bool:
    """Is what git finds from `folder` upward a repository without helpers of its own, or none?"""
    for here in (folder, *folder.parents):
        if os.path.lexists(here / ".git"):
            return _is_quiet(here / ".git")
        if os.path.lexists(here / "HEAD"):
            return False  # a bare repository, perhaps, which may be a folder of another's
    return True


def _is_quiet(git: Path) -> bool:
    try:
        own = _linked(git) if git.is_file() else git
        common = _common(own)
        found = _settings(common / "config")
        hooks = common / "hooks" if found.hooks == "hooks" else git.parent / found.hooks
        if found.doubtful or not (own / "HEAD").is_file() or os.path.lexists(hooks / HOOK):
            return False
        indexes = [own / "index", *own.glob("sharedindex.*"), *common.glob("sharedindex.*")]
        there = [index for index in indexes if os.path.lexists(index)]
        return all(index.is_file() and not _has_submodules(index) for index in there)
    except (OSError, ValueError):
        return False


def _linked(git: Path) -> Path:
    """Where a file `.git` of a worktree leads. Raises ValueError."""
    key, _, target = git.read_text("utf-8").strip().partition(": ")
    if key != "gitdir" or not target or "\n" in target:
        raise ValueError(key)
    return git.parent / target


def _common(own: Path) -> Path:
    """The folder that worktrees share."""
    link = own / "commondir"
    return own / link.read_text("utf-8").strip() if link.is_file() else own


def _settings(config: Path) -> Settings:
    """Raises OSError and ValueError."""
    if not os.path.lexists(config):
        return Settings()
    if not config.is_file():  # a pipe, which would never end
        return Settings("its kind")
    with config.open("rb") as file:
        data = file.read(LARGEST + 1)
    return settings(data.decode("utf-8")) if len(data) <= LARGEST else Settings("its length")


def _has_submodules(index: Path) -> bool:
    now = index.stat()
    stamp = (now.st_dev, now.st_ino, now.st_size, now.st_mtime_ns, now.st_ctime_ns)
    return _seen(str(index), stamp)


@lru_cache(maxsize=16)
def _seen(index: str, stamp: tuple[int, ...]) -> bool:
    """Whether a submodule may be in it; kept as long as the file stays the same. Its time of change
    is in `stamp`: nobody can set that."""
    if stamp[2] > _INDEX_BYTES:
        return True
    with Path(index).open("rb") as file:
        before = b""
        while data := file.read(_CHUNK):
            if _GITLINK in before + data:
                return True
            before = data[-len(_GITLINK) :]
    return False
