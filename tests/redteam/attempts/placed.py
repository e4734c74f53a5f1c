"""Paths in a real folder: where they lead, and what is read and written through them."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from qcode.engine.reach import Looking
from qcode.permission.judge import Policy, judge
from qcode.permission.modes import Mode
from qcode.permission.patterns import Ground
from qcode.protocol.access import Access
from qcode.workspace.files import Workspace, load
from qcode.workspace.save import save
from qcode.workspace.search import find
from qcode.workspace.trouble import FileTrouble
from tests.redteam.attempts.judged import rules

Prepare = Callable[[Path], object]
"""Gets the folder in which `root`, the workspace, and `outside` lie."""

SECRET = "a secret"


def ground(tmp: Path, prepare: Prepare | None) -> Workspace:
    """A workspace `root` with a file `a.txt`, and beside it `outside/secret` and `root-twin`."""
    for name in ("root", "outside", "root-twin"):
        (tmp / name).mkdir()
    (tmp / "root/a.txt").write_text("one\n")
    (tmp / "outside/secret").write_text(SECRET)
    (tmp / "root-twin/secret").write_text(SECRET)
    if prepare is not None:
        prepare(tmp)
    return Workspace(tmp / "root")


@dataclass(frozen=True, slots=True)
class Reach:
    """A path as a model writes it; `{tmp}` is the folder around. Succeeds when no one is asked."""

    kind: str
    path: str
    prepare: Prepare | None = None
    rules: tuple[str, ...] = ()
    mode: Mode = "auto"

    def succeeds(self, tmp: Path) -> bool:
        workspace = ground(tmp, self.prepare)
        found = workspace.resolve(self.path.format(tmp=tmp))
        access = Access("read" if self.kind == "read" else "edit", found.shown, found.place)
        known = Ground(str(workspace.root), str(tmp / "home"))
        texts = tuple(text.format(tmp=tmp) for text in self.rules)
        return judge([access], Policy(self.mode, "holds", rules(texts, known))).answer == "allow"


@dataclass(frozen=True, slots=True)
class Looked:
    """A command line of which it is looked up what it would do; succeeds when no one is asked.

    In edit mode and without a fence.
    """

    line: str
    prepare: Prepare | None = None

    def succeeds(self, tmp: Path) -> bool:
        looking = Looking(ground(tmp, self.prepare), os.defpath)
        reach = {self.line: looking.reached(self.line)}
        return judge([Access("shell", self.line)], Policy("edit", "none"), reach).answer == "allow"


@dataclass(frozen=True, slots=True)
class Race:
    """Between the judgement and the deed somebody changes what lies at the path.

    Succeeds when the bytes were written nevertheless.
    """

    path: str
    meanwhile: Prepare
    prepare: Prepare | None = None

    def succeeds(self, tmp: Path) -> bool:
        workspace = ground(tmp, self.prepare)
        located = workspace.resolve(self.path)
        was = load(located) if located.path.exists() else None
        self.meanwhile(tmp)
        try:
            save(located, b"taken over\n", was)
        except FileTrouble:
            return False
        return True


@dataclass(frozen=True, slots=True)
class ListRace:
    """The same for names; succeeds when `wanted` is among those that are told."""

    path: str
    meanwhile: Prepare
    wanted: str
    prepare: Prepare | None = None

    def succeeds(self, tmp: Path) -> bool:
        workspace = ground(tmp, self.prepare)
        located = workspace.resolve(self.path)
        self.meanwhile(tmp)
        found = find(located.path, workspace.bounds, "**/*", 100)
        return self.wanted in {Path(one).name for one in found}


@dataclass(frozen=True, slots=True)
class ReadRace:
    """The same for reading. Succeeds when what was read is not what was judged, or all is well."""

    path: str
    meanwhile: Prepare
    wanted: str

    def succeeds(self, tmp: Path) -> bool:
        located = ground(tmp, None).resolve(self.path)
        self.meanwhile(tmp)
        try:
            return self.wanted.encode() in load(located).data
        except FileTrouble:
            return False
