"""What a command line does to files, as they are: links resolved, globs filled in.

`permission.touching` says what the words prove. What they leave open is looked at here: which
program a name is, where links lead, what stands in a folder, what a repository has git run. All of
that also behind a fence, which contains a command but does not keep it from changing what is here.
"""

import os
import re
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
from msgspec.structs import replace

from qcode.engine.repository import is_plain
from qcode.permission.judge import Reached
from qcode.permission.shell import Line, split
from qcode.permission.touching import Touch, Touched, touched
from qcode.permission.words import names
from qcode.protocol.access import Access, AccessKind
from qcode.workspace.files import Workspace
from qcode.workspace.places import protects

MOST_NAMES = 300
"""So many files of a glob or a folder are looked at, no more."""
MOST_ENTRIES = 5_000
"""Of a folder that a glob looks into."""
MANY_IN_ONE = names("busybox toybox")
"""Their `grep -r` and others follow links where the ones whose options were listed do not."""
SECRETS = names(".ssh .gnupg .aws .netrc .npmrc .pypirc .git-credentials .kube")
"""Where one of these stands in a folder, reading all of it is more than the work asks for."""

TAKERS = names("7z ack ag bsdtar cp cpio egrep fgrep grep mv rg rsync scp tar zip")
"""They may take all that is in a folder, or go there first."""


class _Unproven(Exception):
    """It cannot be told, or is more than may go unasked."""


class Looking(msgspec.Struct, frozen=True):
    """Looks at the files of one workspace."""

    workspace: Workspace
    path: str | None = None
    """Where programs are looked for; None = on the search path of this process."""

    def reached(self, text: str) -> Reached:
        """What the command line `text` does. Never raises."""
        line = split(text)
        found = touched(line)
        accesses: list[Access] = []
        whole = found.whole
        for touch in found.touches:
            try:
                accesses += self._of(touch)
            except _Unproven:
                whole = False
                accesses += self._named(touch)
        whole = whole and self._is_as_named(found, accesses)
        if not whole:
            accesses += self._mentioned(line)
        below = any(touch.kind == "read" and touch.depth in _FOLDERS for touch in found.touches)
        return Reached(
            tuple(dict.fromkeys(accesses)),
            "proven" if whole else "unproven",
            "below" if below else "named",
        )

    # What is touched

    def _of(self, touch: Touch) -> Iterator[Access]:
        """All of it. Raises _Unproven."""
        paths = self._filled(touch.path) if touch.spelled == "glob" else [touch.path]
        for path in paths:
            yield self._access(touch.kind, path)
            if touch.depth == "file" and self._at(path).is_dir():
                raise _Unproven
            if touch.depth in _FOLDERS and (touch.kind == "read" or touch.onto):
                yield from self._none_below(path)
            if touch.depth == "hidden" and touch.kind == "read" and not touch.onto:
                self._no_secrets(path)
            if touch.depth == "hidden" and touch.kind == "edit" and not touch.onto:
                yield from self._below(path)
            if touch.onto:
                yield from self._carried(replace(touch, path=path))

    def _carried(self, touch: Touch) -> Iterator[Access]:
        """Where it comes to, under its own name or another. Raises _Unproven."""
        base = touch.path.rstrip("/").rsplit("/", 1)[-1]
        rests = [""]
        if touch.depth == "hidden":
            if self._at(touch.path).is_symlink():
                raise _Unproven
            rests += self._listed(touch.path)
        targets = (touch.onto, f"{touch.onto.rstrip('/')}/{base}")
        yield from self._inside(touch.kind, touch.path, rests)
        for target in targets:
            if len(rests) > 1 and not os.path.lexists(self._at(target)):
                yield from self._inside("edit", target, rests)
                continue
            for rest in rests:
                yield self._access("edit", _joined(target, rest))

    def _below(self, path: str) -> Iterator[Access]:
        yield from self._inside("edit", path, self._listed(path))

    def _inside(self, kind: AccessKind, path: str, rests: Sequence[str]) -> Iterator[Access]:
        """What is in a folder without links, or will be: nothing is left to resolve."""
        base = self._access(kind, path)
        real = self.workspace.resolve(path).path
        if self.workspace.secrets.below(str(real)):
            raise _Unproven
        for rest in rests:
            target = _joined(base.target, rest)
            hidden = base.place == "workspace" and protects(target.split("/"))
            yield Access(kind, target, "protected" if hidden else base.place)

    def _listed(self, path: str) -> list[str]:
        """All that is in a folder, from there. A link leads nowhere: no more is proven."""
        root, found = self._at(path), list[str]()
        if root.is_symlink() or not root.is_dir():
            return []
        for folder, folders, files in os.walk(root):
            names = [*folders, *files]
            found += [os.path.relpath(f"{folder}/{name}", root) for name in names]
            if len(found) > MOST_NAMES or any(os.path.islink(f"{folder}/{n}") for n in names):  # noqa: PTH114 - a Path for each costs more than the question
                raise _Unproven
        return found

    def _none_below(self, path: str) -> Iterator[Access]:
        """Its own files may be keys: those a rule must name. Raises _Unproven."""
        if found := [*self._keys_below(path)]:
            yield from found
            raise _Unproven

    def _keys_below(self, path: str) -> Iterator[Access]:
        """A folder in which there are keys is closed as they are."""
        located = self.workspace.resolve(path)
        if self.workspace.secrets.below(str(located.path)):
            yield Access("read", located.shown, "secret")

    def _no_secrets(self, path: str) -> None:
        if any((self._at(path) / name).exists() for name in SECRETS):
            raise _Unproven

    def _access(self, kind: AccessKind, path: str) -> Access:
        located = self.workspace.resolve(path)
        if kind == "edit" and located.shown == ".":  # with all that is protected in it
            return Access(kind, ".", "protected")
        return Access(kind, located.shown, located.place)

    def _at(self, path: str) -> Path:
        """Before links are resolved."""
        return Path(self.workspace.root, os.path.expanduser(path))  # noqa: PTH111 - as `resolve` does

    # Globs

    def _filled(self, pattern: str) -> list[str]:
        """At least what bash puts in its place. Raises _Unproven."""
        found = [""]
        for part in pattern.split("/"):
            found = [path for before in found for path in self._matching(before, part)]
            if len(found) > MOST_NAMES:
                raise _Unproven
        return found or [pattern]

    def _matching(self, before: str, part: str) -> Iterator[str]:
        if not _WILD.search(part):
            yield _step(before, part)
            return
        form = _form(part)
        for name in self._names(before, part):
            if form.fullmatch(name):
                if name.startswith("-"):  # it would be an option
                    raise _Unproven
                yield _step(before, name)

    def _names(self, folder: str, part: str) -> list[str]:
        try:
            found = [entry.name for entry in self._at(folder or ".").iterdir()]
        except OSError:
            return []
        if len(found) > MOST_ENTRIES:
            raise _Unproven
        if part.startswith("."):
            return [".", "..", *found]
        return [name for name in found if not name.startswith(".")]

    # What is not a path of the line

    def _is_as_named(self, found: Touched, accesses: Sequence[Access]) -> bool:
        """Does each name in it mean what it says, and to a shell that reads as bash does?"""
        edits = [self.workspace.root / one.target for one in accesses if one.kind == "edit"]
        if os.name == "nt" or (edits and self._is_searched(edits)):
            return False
        foreign = all(map(self._is_foreign, found.programs))
        return foreign and self._is_quiet(found.git, accesses)

    def _is_foreign(self, program: str) -> bool:
        """Does the name mean a program that no tool of the model's can write?"""
        if not all(map(os.path.isabs, self._entries())):
            return False
        found = shutil.which(program, path=self.path)
        if found is None:
            return True  # there is none: it fails
        if Path(os.path.realpath(found)).name in MANY_IN_ONE:
            return False
        places = {self.workspace.resolve(os.path.abspath(found)).place}  # noqa: PTH100 - a relative entry of the path
        written = Path(os.path.abspath(found))  # noqa: PTH100 - links are not resolved here
        return places == {"outside"} and not self._is_within(written)

    def _is_within(self, path: Path) -> bool:
        folders = (self.workspace.root, *self.workspace.extra)
        return any(path.is_relative_to(folder) for folder in folders)

    def _is_searched(self, paths: Sequence[Path]) -> bool:
        """Does one of them lie where programs are looked for?"""
        entries = {os.path.realpath(entry) for entry in self._entries()}
        return any(str(folder) in entries for path in paths for folder in (path, *path.parents))

    def _entries(self) -> list[str]:
        path = os.environ.get("PATH", "") if self.path is None else self.path
        return path.split(os.pathsep)

    def _is_quiet(self, folders: frozenset[str], accesses: Sequence[Access]) -> bool:
        if not folders:
            return True
        edits = any(access.kind == "edit" for access in accesses)
        if edits and not os.path.lexists(self.workspace.root / ".git"):
            return False  # one could be made
        return all(is_plain(self.workspace.resolve(folder).path) for folder in folders)

    # For deny rules, where nothing is proven

    def _named(self, touch: Touch) -> Iterator[Access]:
        for path in filter(None, (touch.path, touch.onto)):
            yield self._access("edit" if path == touch.onto else touch.kind, path)

    def _mentioned(self, line: Line) -> Iterator[Access]:
        """Files that a command is given: it may well read them."""
        commands = (*line.commands, *line.inner)
        for command in commands:
            words = (word.text for word in command.words[1:])
            for text in {part for word in words for part in _VALUE.split(word) if part}:
                if not text.startswith("-"):
                    yield from self._meant(text, all_of_it=command.words[0].text in TAKERS)

    def _meant(self, text: str, *, all_of_it: bool) -> Iterator[Access]:
        try:
            paths = self._filled(text)
        except _Unproven:
            yield from self._keys_below("".join(_WILD.split(text)[0].rpartition("/")[:2]) or ".")
            return
        for path in paths:
            if os.path.lexists(self._at(path)):
                yield self._access("read", path)
                if all_of_it:
                    yield from self._keys_below(path)


_FOLDERS = ("below", "hidden")
_WILD = re.compile(r"[*?\[]")
_VALUE = re.compile(r"[=@:]")


def _form(part: str) -> "re.Pattern[str]":
    """At least the names that bash takes: a bracket, which it reads in many ways, is anything."""
    plain, bracket, _ = part.partition("[")
    signs = {"*": ".*", "?": "."}
    form = "".join(signs.get(sign, re.escape(sign)) for sign in plain)
    return re.compile(form + (".*" if bracket else ""), re.DOTALL)


def _step(before: str, name: str) -> str:
    return f"{before}/{name}" if before else name or "/"


def _joined(path: str, rest: str) -> str:
    return f"{path.rstrip('/') or '/'}/{rest}" if rest else path
