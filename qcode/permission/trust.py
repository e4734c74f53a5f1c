"""What a folder may configure: nothing, until a person trusts what stands in it now. Pure.

Trust is about one folder by its real path, and about its content to the byte: who brings a commit
later was not trusted. What lies in a parent or a nested repository is another folder.
"""

import difflib
import hashlib
from collections.abc import Iterator, Mapping
from typing import Literal

import msgspec

State = Literal["nothing", "trusted", "untrusted", "changed", "declined"]
"""nothing = the folder configures nothing; changed = other content was trusted; declined = a person
said no to this very content, and is not asked about it again."""

BECAUSE: Mapping[State, str] = {
    "untrusted": "you have not trusted this folder",
    "changed": "it is not what you trusted: it has changed since",
    "declined": "you chose to go on without it",
}
"""Why it does not count, as a clause."""


NO_END = "\\ No newline at end of file"


class Material(msgspec.Struct, frozen=True):
    """Everything in a folder that could configure qcode."""

    files: Mapping[str, str]
    """Path from the folder, with `/`, to the SHA-256 of what is there, in hexadecimal."""

    @property
    def digest(self) -> str:
        """One for all of it; names count, order does not."""
        whole = hashlib.sha256()
        for path, digest in sorted(self.files.items()):
            name = path.encode("utf-8", "surrogatepass")
            whole.update(b"%d %b %b\n" % (len(name), name, digest.encode("ascii")))
        return whole.hexdigest()


class Change(msgspec.Struct, frozen=True):
    """One difference from what was trusted."""

    path: str
    what: Literal["added", "removed", "changed"]


class Standing(msgspec.Struct, frozen=True):
    """Whether what stands in a folder counts."""

    state: State
    changes: tuple[Change, ...] = ()
    """Since it was trusted, by path; only for `changed` and `declined`."""

    @property
    def counts(self) -> bool:
        """Only what was trusted as it is."""
        return self.state == "trusted"


def standing(now: Material, trusted: Material | None, declined: str = "") -> Standing:
    """What `now` is worth. `trusted`: what a person said yes to last; `declined`: the digest of
    what they said no to. Never `trusted` for anything but the same names and bytes."""
    if not now.files:
        return Standing("nothing")
    if trusted is not None and dict(trusted.files) == dict(now.files):
        return Standing("trusted")
    changes = tuple(_changes(trusted, now)) if trusted else ()
    if declined == now.digest:
        return Standing("declined", changes)
    return Standing("changed" if trusted else "untrusted", changes)


def _changes(was: Material, now: Material) -> Iterator[Change]:
    for path in sorted({*was.files, *now.files}):
        if path not in was.files:
            yield Change(path, "added")
        elif path not in now.files:
            yield Change(path, "removed")
        elif was.files[path] != now.files[path]:
            yield Change(path, "changed")


def patch(path: str, was: str | None, now: str | None) -> tuple[str, ...]:
    """A unified diff of one file, a line an entry, without line ends; None = there was, or is, no
    such file. Its text is as it stands in the files: it is to be made fit to be shown."""
    rows = difflib.unified_diff(
        _rows(was),
        _rows(now),
        "/dev/null" if was is None else f"a/{path}",
        "/dev/null" if now is None else f"b/{path}",
        lineterm="",
    )
    return tuple(rows)


def _rows(text: str | None) -> list[str]:
    """With a row of its own for a missing line end: that is a change, too."""
    rows = text.split("\n") if text is not None else []
    return rows[:-1] if rows[-1:] == [""] else [*rows, *([NO_END] if rows else [])]
