"""`qcode models pull`: a model of the hub onto this disk. Arguments and printing, no more.

The one place where qcode connects to the internet by itself; so it says first where to, and notes
that for `qcode audit --pulls`. The path goes to stdout, talk about it to stderr.
"""

import argparse
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

import msgspec

from qcode.config.load import load, sources
from qcode.config.paths import paths
from qcode.headless.talk import talk, whole
from qcode.protocol.errors import ConfigError
from qcode.protocol.text import escaped, one_line
from qcode.serve.catalog import catalog
from qcode.serve.hubfiles import HubFile, Named, eyes, model_files, named, size, suspects
from qcode.serve.pulled import note

if TYPE_CHECKING:
    from qcode.serve.pull import Hub, Listing
    from qcode.serve.ways import Way

    Group = argparse._SubParsersAction[argparse.ArgumentParser]

DESCRIPTION = """\
Download a model into the cache of the hub, where every other program finds it.
What has come is kept when it is interrupted: the same command goes on there.
Its checksum is compared.

  qcode models pull unsloth/Qwen3.6-35B-A3B-GGUF:UD-Q4_K_XL
  HF_ENDPOINT=https://hub.example.com qcode models pull OWNER/REPOSITORY:QUANT
"""

Eyes = Literal["ask", "yes", "no"]

_SECONDS = 0.2
"""Between two looks at how far it is."""
_STEP = 0.1
"""Of the whole, between two lines where no terminal is attached."""


def add(parser_group: "Group") -> None:
    """Declare `pull` below `qcode models`."""
    parser = parser_group.add_parser(
        "pull",
        help="download a model of the hub",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("model", help="OWNER/REPOSITORY:QUANT, with hf: before it or without")
    parser.add_argument(
        "--mmproj",
        choices=get_args(Eyes),
        default="ask",
        help="its eyes too, where it has some in a file of their own",
    )
    parser.add_argument("--revision", default="main", help="branch, tag or commit")
    parser.add_argument("--json", action="store_true", help="for scripts")
    parser.set_defaults(pulls=True)


def run(arguments: argparse.Namespace) -> int:
    """Download; returns the exit code. Raises QcodeError."""
    wanted = named(arguments.model)
    if load(sources()).config.agent.offline == "on":
        raise ConfigError(
            "qcode is offline (agent.offline), so nothing is downloaded. Say it otherwise for this "
            "one: QCODE_OFFLINE=off"
        )
    files, paths = fetched(wanted, arguments.revision, arguments.mmproj)
    _print(arguments, wanted, files, paths)
    return 0


def fetched(
    wanted: Named, revision: str, mmproj: Eyes
) -> tuple[tuple[HubFile, ...], tuple[Path, ...]]:
    """Download what was asked for: the files, and where each is now. Raises QcodeError."""
    from qcode.serve.pull import Hub  # noqa: PLC0415  the library behind it takes its time

    hub = Hub(_Told(wanted.repo))
    talk(f"connecting to {hub.host}, as you asked: which files has {wanted.repo}?")
    listing = hub.listing(wanted.repo, revision)
    files = _chosen(listing, wanted, mmproj)
    _warn(hub, listing, files[0])
    hub.check_room(listing, files)
    talk(_plan(hub, listing, files))
    return files, tuple(_fetch(hub, listing, file) for file in files)


class _Told:
    """Says and notes each host before it is connected to: the hub sends one to others."""

    def __init__(self, model: str) -> None:
        self._model, self._hub = model, ""

    def __call__(self, way: "Way") -> None:
        """One host; the first is the hub, which was said already."""
        if self._hub and not way.because:
            talk(f"connecting to {way}, where {self._hub} sends one for {self._model}")
        self._hub = self._hub or str(way)
        try:
            note(paths().state, self._model, way)
        except OSError as error:
            talk(f"connecting to {way} cannot be noted for qcode audit ({error.strerror}).")


def _chosen(listing: "Listing", wanted: Named, mmproj: Eyes) -> tuple[HubFile, ...]:
    files = model_files(listing.files, wanted)
    seeing = eyes(listing.files)
    if seeing is None or mmproj == "no":
        return files
    if mmproj == "yes" or _wished(seeing):
        return (*files, seeing)
    return files


def _wished(seeing: HubFile) -> bool:
    """Whether the person wants the eyes, too; without one at a terminal it is said how."""
    what = f"Its eyes are a file of their own ({size(seeing.size_bytes)})"
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        talk(f"{what}: --mmproj yes downloads them too.")
        return False
    sys.stderr.write(f"qcode: {what}. Download them too? [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _warn(hub: "Hub", listing: "Listing", file: HubFile) -> None:
    """Of a file that is known to be bad; it is the person's to take all the same."""
    known = ((bad.files, f"{bad.what}. Instead: {bad.then}") for bad in catalog().bad)
    found = suspects(known, listing.repo, file.name)
    if not found:
        return
    changed = hub.dates(listing, [file]).get(file.name, "")
    for suspect in found:
        if changed and changed < suspect.before:
            talk(f"{one_line(file.name, 80)} is of {changed}. Known to be bad: {suspect.said}.")


def _plan(hub: "Hub", listing: "Listing", files: Sequence[HubFile]) -> str:
    total = sum(file.size_bytes for file in files)
    missing = sum(hub.missing_bytes(listing, file) for file in files)
    count = f"{len(files)} files" if len(files) > 1 else one_line(files[0].name, 120)
    if not missing:
        return f"{count} ({size(total)}): on this disk already"
    there = f", {size(total - missing)} of it here already" if missing < total else ""
    return f"connecting to {hub.host}, as you asked: {count} ({size(total)}{there}) to {hub.cache}"


def _fetch(hub: "Hub", listing: "Listing", file: HubFile) -> Path:
    progress = Progress(file.name.rpartition("/")[2])
    try:
        return hub.fetch(listing, file, progress.tell)
    except KeyboardInterrupt:
        progress.end()
        talk("What has come is kept: the same command goes on there.")
        raise
    finally:
        progress.end()


class Progress:
    """How far a file is: one line that is written over on a terminal, a line at each tenth else."""

    def __init__(self, name: str) -> None:
        self._name = one_line(name, 60)
        self._began = time.monotonic()
        self._at_first: int | None = None
        self._said = -1.0
        """When, on a terminal; else which share of the whole."""
        self._open = False
        """A line is written that does not end yet."""

    def tell(self, there: int, total: int) -> None:
        """So many bytes are there."""
        if self._at_first is None:
            self._at_first = there
        share = there / max(total, 1)
        if sys.stderr.isatty():
            now = time.monotonic()
            if now - self._said >= _SECONDS or there >= total:
                self._said = now
                self._write(f"\r\x1b[K{self._line(there, total)}")
                self._open = True
        elif share - self._said >= _STEP or (there >= total and self._said < 1):
            self._said = share
            self._write(f"{self._line(there, total)}\n")

    def end(self) -> None:
        """No more comes."""
        if self._open:
            self._write("\n")
        self._open = False

    def _line(self, there: int, total: int) -> str:
        done = f"{self._name}: {size(there)} of {size(total)}"
        seconds = time.monotonic() - self._began
        rate = (there - (self._at_first or 0)) / seconds if seconds > 1 else 0.0
        if rate <= 0 or there >= total:
            return done
        left = round((total - there) / rate)
        return f"{done}, {size(round(rate))}/s, {left // 60}:{left % 60:02} left"

    def _write(self, text: str) -> None:
        sys.stderr.write(text)
        sys.stderr.flush()


def _print(
    arguments: argparse.Namespace, wanted: Named, files: Sequence[HubFile], paths: Sequence[Path]
) -> None:
    if arguments.json:
        rows = [
            {"name": file.name, "path": os.fspath(path), "bytes": file.size_bytes}
            for file, path in zip(files, paths, strict=True)
        ]
        told = msgspec.json.encode({"repo": wanted.repo, "files": rows}).decode()
        sys.stdout.write(f"{escaped(told)}\n")
        return
    sys.stdout.write("".join(f"{path}\n" for path in paths))
    quant = f":{wanted.quant}" if wanted.quant else ""
    talk(f"Serve it: {whole(f'qcode serve hf:{wanted.repo}{quant}')}")
