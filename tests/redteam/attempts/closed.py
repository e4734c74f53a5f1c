"""Keys, and what qcode keeps of its own: what tools read of them, and commands without a fence."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from os import defpath, environ
from pathlib import Path

from msgspec.structs import replace

from qcode.engine.reach import Looking
from qcode.engine.rulebook import Rulebook
from qcode.engine.settings import Settings
from qcode.permission.judge import Policy, judge
from qcode.permission.modes import Mode
from qcode.permission.patterns import Ground
from qcode.protocol.access import Access, AccessKind
from qcode.sandbox.secrets import kept
from qcode.workspace.files import Workspace
from qcode.workspace.grep import Patience, Query, grep
from qcode.workspace.pattern import literal
from qcode.workspace.programs import installed
from qcode.workspace.search import find
from qcode.workspace.secrets import Secrets
from tests.redteam.attempts.judged import rules

SECRET = "a secret"
FILES = (
    *(".ssh/id", ".aws/credentials", ".config/gh/hosts.yml", ".local/share/keyrings/login"),
    *(".mozilla/firefox/logins.json", "own/state/serve.json", "own/data/sessions/s.jsonl"),
    *("notes/a.txt", ".config/app/settings", "own-notes/b.txt", "project/a.txt"),
)
"""In the home folder. The last row is nobody's secret."""


_ASKS = Settings("ask", "m", 0)


@contextmanager
def ground(tmp: Path) -> Iterator[tuple[Workspace, Ground]]:
    """A home with keys, neighbours of keys and a workspace."""
    home = tmp / "home"
    for name in FILES:
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(SECRET)
    root, before = home / "project", environ.get("HOME")
    own = (home / "own/config", home / "own/data", home / "own/state")
    closed = kept((root,), own, {"HOME": str(home)})
    environ["HOME"] = str(home)
    try:
        yield Workspace(root, secrets=Secrets.of(closed)), Ground(str(root), str(home), closed)
    finally:
        environ.pop("HOME")
        environ.update({} if before is None else {"HOME": before})


@dataclass(frozen=True, slots=True)
class Key:
    """A tool touches a path under these rules; succeeds when it may."""

    path: str
    rules: tuple[str, ...] = ("Read(~/**)",)
    kind: AccessKind = "read"
    link: str = ""
    """Where `way` in the workspace leads to."""

    def succeeds(self, tmp: Path) -> bool:
        with ground(tmp) as (workspace, known):
            if self.link:
                (workspace.root / "way").symlink_to(self.link)
            found = workspace.resolve(self.path.format(home=known.home))
            access = Access(self.kind, found.shown, found.place)
            policy = Policy("auto", "holds", rules(self.rules, known))
            return judge([access], policy).answer == "allow"


@dataclass(frozen=True, slots=True)
class Learned:
    """A path is approved for the session; succeeds when it passes the next time."""

    path: str

    def succeeds(self, tmp: Path) -> bool:
        with ground(tmp) as (workspace, known):
            book = Rulebook(_ASKS, "none", (), replace(known, secrets=()))
            found = workspace.resolve(self.path)
            touched = (Access("read", found.shown, found.place),)
            book.grant(book.offers(touched))
            return book.judge(touched).answer == "allow"


@dataclass(frozen=True, slots=True)
class Searched:
    """A search from a folder; succeeds when it brings the file."""

    folder: str
    wanted: str
    by: str
    pattern: str = "**/*"

    def succeeds(self, tmp: Path) -> bool:
        with ground(tmp) as (workspace, _):
            start = workspace.resolve(self.folder).path
            found = self._found(start, workspace)
            return str(tmp / "home" / self.wanted) in found

    def _found(self, start: Path, workspace: Workspace) -> list[str]:
        if self.by == "glob":
            return find(start, workspace.bounds, self.pattern, 1_000)
        rg = installed("rg") if self.by == "rg" else None
        query = Query(literal(SECRET, ignore_case=False), None, 1_000, 1_000)
        patience = Patience(time.monotonic() + 20)
        return [hit.path for hit in grep(start, workspace.bounds, query, rg, patience).hits]


@dataclass(frozen=True, slots=True)
class Ran:
    """A command line without a fence; succeeds when no one is asked."""

    line: str
    rules: tuple[str, ...]
    mode: Mode = "edit"

    def succeeds(self, tmp: Path) -> bool:
        with ground(tmp) as (workspace, known):
            reach = {self.line: Looking(workspace, defpath).reached(self.line)}
            policy = Policy(self.mode, "none", rules(self.rules, known))
            return judge([Access("shell", self.line)], policy, reach).answer == "allow"
