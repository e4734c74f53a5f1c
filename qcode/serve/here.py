"""Model files on this machine, where people and their programs keep them."""

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import msgspec

from qcode.serve.source import alias_of, hub

MOST_FOLDERS = 4_000
"""Looked into, in each place: somebody's ~/models may hold more than models."""
MOST_DEEP = 6


class Here(msgspec.Struct, frozen=True):
    """A file that could be served."""

    path: Path
    name: str
    size_bytes: int
    """Of this file; other parts not counted."""
    changed: float


def places(environ: Mapping[str, str]) -> tuple[Path, ...]:
    """Where one looks."""
    home = Path(os.path.expanduser("~"))  # noqa: PTH111 - HOME decides, as for the hub
    kept = (*("models", "Models", "llms", ".lmstudio/models"), ".cache/llama.cpp", "gguf")
    return (*(home / name for name in kept), hub(environ))


def here(folders: tuple[Path, ...]) -> tuple[Here, ...]:
    """GGUF files in these folders and below, the newest first. Reads no file."""
    found: dict[Path, Here] = {}
    for folder in folders:
        for one in _below(folder):
            with suppress(OSError):
                found.setdefault(one.path.resolve(), one)
    return tuple(sorted(found.values(), key=lambda one: -one.changed))


def _below(folder: Path) -> Iterator[Here]:
    """Of what it takes to serve a model, the file that is named: no eyes, no later parts."""
    waiting, looked = [(folder, 0)], 0
    while waiting and looked < MOST_FOLDERS:
        inside, deep = waiting.pop()
        looked += 1
        try:
            entries = list(os.scandir(inside))
        except OSError:
            continue
        for entry in entries:
            with suppress(OSError):  # a link of the hub's cache may lead nowhere
                if entry.is_dir(follow_symlinks=False):
                    if deep < MOST_DEEP and entry.name != "blobs":
                        waiting.append((Path(entry.path), deep + 1))
                elif _is_model(entry.name):
                    about = entry.stat()
                    path = Path(entry.path)
                    yield Here(path, alias_of(path), about.st_size, about.st_mtime)


def _is_model(name: str) -> bool:
    if not name.lower().endswith(".gguf") or "mmproj" in name.lower():
        return False
    stem, _, of = name[: -len(".gguf")].rpartition("-of-")
    return not (of.isdecimal() and stem) or stem.endswith("-00001")
