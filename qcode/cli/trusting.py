"""Whether what stands in the workspace counts: read once, judged once, for the whole run.

Light: the terminal app does it before its first paint, and where there is nothing to judge it costs
one look at the folder.
"""

from collections.abc import Mapping
from pathlib import Path

import msgspec
from msgspec.structs import replace

from qcode.cli.options import Options
from qcode.config import trusted
from qcode.config.files import ProjectFile
from qcode.config.load import Loaded, load, sources
from qcode.config.material import Piece, read
from qcode.config.paths import PROJECT_FILE, paths
from qcode.permission.trust import BECAUSE, Material, Standing, standing
from qcode.protocol.errors import ConfigError, Untrusted


class Project(msgspec.Struct, frozen=True):
    """What could configure qcode in a folder, and what it is worth."""

    folder: Path
    pieces: Mapping[str, Piece]
    standing: Standing
    entry: trusted.Entry
    """What the person said before."""
    trouble: str = ""
    """A sentence: it could not be looked at as a whole, and cannot be trusted either."""

    @property
    def digest(self) -> str:
        """Of all of it."""
        return material(self.pieces).digest

    @property
    def file(self) -> ProjectFile | None:
        """The settings file, with the bytes that were judged; None = there is none."""
        piece = self.pieces.get(PROJECT_FILE.as_posix())
        if piece is None or piece.kind != "file":
            return None
        why_not = "" if self.standing.counts else BECAUSE[self.standing.state]
        return ProjectFile(self.folder / PROJECT_FILE, piece.data, why_not)

    @property
    def remarks(self) -> tuple[str, ...]:
        """Sentences about what stands in the way."""
        found = [self.trouble] if self.trouble else []
        for path in (PROJECT_FILE, PROJECT_FILE.parent):
            piece = self.pieces.get(path.as_posix())
            if piece is not None and (piece.kind != "file" or path != PROJECT_FILE):
                what = "a link" if piece.kind == "link" else "of no use"
                found.append(f"{self.folder / path} is {what}, so nothing of it counts.")
        return tuple(found)

    @property
    def asks(self) -> bool:
        """Whether there is something that a person should be asked about."""
        return self.file is not None and self.standing.state in ("untrusted", "changed")


def project(folder: Path) -> Project:
    """What is at `folder`, by what the person said before. Raises nothing: what cannot be read
    does not count."""
    trouble = ""
    pieces: Mapping[str, Piece] = {}
    said = trusted.Entry(str(folder))
    try:
        pieces = read(folder, paths().folders)
        if pieces:
            said = trusted.entry(paths().state, folder)
    except ConfigError as error:
        trouble = str(error)
    kept = material(said.files) if said.files is not None else None
    found = standing(material(pieces), kept, said.declined)
    return Project(folder, pieces, found, said, trouble)


def of_run(folder: Path, options: Options) -> Project:
    """The same, as the flags of this run want it. Raises Untrusted."""
    sources = options.setting_sources
    if sources is not None and "project" not in sources.split(","):
        return Project(folder, {}, standing(material({}), None), trusted.Entry(str(folder)))
    found = project(folder)
    wanted = options.trust_hash
    if wanted is not None and (wanted != found.digest or found.trouble):
        there = f"hashes to {found.digest}" if found.pieces else "is nothing"
        raise Untrusted(
            f"What configures qcode in {folder} {there}, and --trust-hash wants {wanted}. "
            f"{found.trouble or 'Look at it with `qcode trust`, then name the hash that it shows.'}"
        )
    if options.trust and found.trouble:
        raise Untrusted(f"--trust: {found.trouble}")
    return accepted(found) if wanted is not None or options.trust else found


def settings(found: Project, flags: Mapping[str, tuple[str, object]]) -> Loaded:
    """The settings of this run, and sentences about what does not count."""
    loaded = load(sources(flags, found.file))
    return replace(loaded, notices=(*loaded.notices, *found.remarks))


def accepted(found: Project) -> Project:
    """`found`, which counts from here on, for this run."""
    worth = Standing("trusted" if found.pieces else "nothing")
    return Project(found.folder, found.pieces, worth, found.entry)


def material(files: Mapping[str, Piece] | Mapping[str, trusted.Kept]) -> Material:
    """Names and hashes alone."""
    return Material({path: one.sha256 for path, one in files.items()})
