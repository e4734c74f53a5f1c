"""The change of one file, as git or a proposal has it, and the patch of a single hunk. Pure.

Texts hold the bytes of files as UTF-8 with `surrogateescape`, so that a patch can be given back to
git to the byte. Whoever draws them makes them plain first.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

from qcode.workspace.diff import counts, unified
from qcode.workspace.review import Hunk, Row, hunks

Kind = Literal["modified", "new", "deleted", "renamed", "binary", "submodule", "mode"]

FILE = "100644"
PROGRAM = "100755"
LINK = "120000"
SUBMODULE = "160000"
NONE = "000000"

_ESCAPES = {7: "a", 8: "b", 9: "t", 10: "n", 11: "v", 12: "f", 13: "r", 34: '"', 92: "\\"}


@dataclass(frozen=True)  # not slotted: lines are counted once
class FileChange:
    """What happens to one file."""

    path: str
    """From the root of the workspace, with `/`."""
    kind: Kind
    patch: str = ""
    """Unified diff; empty where there are no lines to show."""
    hunks: tuple[Hunk, ...] = ()
    """None = the change is taken or left as a whole."""
    old_path: str = ""
    """Of `renamed`."""
    old_mode: str = FILE
    """As git writes it; `000000` = there was no file."""
    new_mode: str = FILE
    old_blob: str = ""
    """Git's name for the old content; empty = not known."""
    staged: frozenset[int] = frozenset()
    """Numbers of the hunks that are in the index as they are."""
    tracked: Literal["tracked", "untracked"] = "tracked"

    @cached_property
    def counts(self) -> tuple[int, int]:
        """(added, removed) lines."""
        return counts(self.patch) if self.patch else (0, 0)

    @property
    def about(self) -> str:
        """What there is to say of the file beyond its lines; empty = nothing."""
        return _about(self)


def between(path: str, before: str | None, after: str | None) -> FileChange:
    """The change from one text to another; None = there is no file."""
    kind: Kind = "new" if before is None else "deleted" if after is None else "modified"
    old, new = before or "", after or ""
    return FileChange(
        path,
        kind,
        unified(old, new, path),
        hunks(old, new),
        old_mode=NONE if before is None else FILE,
        new_mode=NONE if after is None else FILE,
    )


def proposed(path: str, patch: str) -> FileChange:
    """The change of a `DiffBlock`."""
    parts = hunks_of(patch)
    whole = parts[0] if len(parts) == 1 else None
    is_new = whole is not None and not whole.old
    return FileChange(path, "new" if is_new else "modified", patch, parts)


def hunks_of(patch: str) -> tuple[Hunk, ...]:
    """The hunks of a patch of one file. Raises ValueError where it is none."""
    from unidiff.errors import UnidiffParseError  # noqa: PLC0415 - start-up time
    from unidiff.patch import PatchSet  # noqa: PLC0415 - start-up time

    start = 0 if patch.startswith("@@ ") else patch.find("\n@@ ") + 1
    if not patch[start:].startswith("@@ "):
        return ()
    lines = ["--- a\n", "+++ b\n", *(f"{line}\n" for line in patch[start:].split("\n")[:-1])]
    try:
        (parsed,) = PatchSet(lines)
    except UnidiffParseError as error:
        raise ValueError(f"This is no unified diff: {error}.") from error
    return tuple(
        Hunk(
            number,
            hunk.source_start + (not hunk.source_length),
            hunk.target_start + (not hunk.target_length),
            _rows([(line.line_type, line.value) for line in hunk]),
        )
        for number, hunk in enumerate(parsed)
    )


def patch_of(change: FileChange, parts: Sequence[Hunk]) -> str:
    """A patch that git applies, of these hunks of the file and nothing else."""
    path = change.path
    old, new = quoted(f"a/{path}"), quoted(f"b/{path}")
    head = [f"diff --git {old} {new}\n"]
    if change.kind == "new":
        head += [f"new file mode {change.new_mode}\n"]
        old = "/dev/null"
    elif change.kind == "deleted":
        head += [f"deleted file mode {change.old_mode}\n"]
        new = "/dev/null"
    if not parts:
        return "".join(head)
    return "".join(
        [*head, f"--- {old}\n", f"+++ {new}\n", *(lines_of_patch(part) for part in parts)]
    )


def whole_patch(change: FileChange) -> str:
    """All of the change as git applies it; empty for binary files and submodules."""
    if change.kind in ("binary", "submodule"):
        return ""
    if not change.hunks and change.patch:  # a link that became a file, or the other way round
        return _replaced(change)
    if change.kind in ("new", "deleted"):
        return patch_of(change, change.hunks)
    old, new = change.old_path or change.path, change.path
    head = [f"diff --git {quoted(f'a/{old}')} {quoted(f'b/{new}')}\n"]
    if change.old_mode != change.new_mode:
        head += [f"old mode {change.old_mode}\n", f"new mode {change.new_mode}\n"]
    if change.old_path:
        head += [f"rename from {quoted(old)}\n", f"rename to {quoted(new)}\n"]
    if change.hunks:
        head += [f"--- {quoted(f'a/{old}')}\n", f"+++ {quoted(f'b/{new}')}\n"]
    return "".join([*head, *map(lines_of_patch, change.hunks)])


def _replaced(change: FileChange) -> str:
    """Two patches: one takes the old away, one brings the new."""
    at = change.patch.find("\nnew file mode") + 1
    name = quoted(f"a/{change.path}"), quoted(f"b/{change.path}")
    first, second = change.patch[:at], change.patch[at:]
    head = f"diff --git {name[0]} {name[1]}\n"
    return f"{head}deleted file mode {change.old_mode}\n{first}{head}{second}"


def lines_of_patch(hunk: Hunk) -> str:
    """A hunk as a patch writes it."""
    rows = [f"{mark}{line}" for mark, line in hunk.rows]
    whole = [
        row if row.endswith("\n") else f"{row}\n\\ No newline at end of file\n" for row in rows
    ]
    return "".join([f"{hunk.header}\n", *whole])


def quoted(path: str) -> str:
    """As git writes a path in a patch with `core.quotePath=false`."""
    if not any(ord(sign) < 32 or sign in '"\\\x7f' for sign in path):
        return path
    return f'"{"".join(map(_escaped, path))}"'


def below(changes: Sequence[FileChange], prefix: str) -> tuple[FileChange, ...]:
    """With paths from the folder `prefix` (empty, or ending in `/`) instead of from the top."""
    return tuple(
        replace(
            change,
            path=change.path.removeprefix(prefix),
            old_path=change.old_path.removeprefix(prefix),
        )
        for change in changes
    )


def _rows(lines: Sequence[tuple[str, str]]) -> tuple[Row, ...]:
    rows: list[Row] = []
    for kind, value in lines:
        if kind == "\\":
            mark, line = rows[-1]
            rows[-1] = (mark, line.removesuffix("\n"))
        elif kind == "-":
            rows.append(("-", value))
        else:
            rows.append(("+" if kind == "+" else " ", value))
    return tuple(rows)


def _escaped(sign: str) -> str:
    code = ord(sign)
    if code in _ESCAPES:
        return f"\\{_ESCAPES[code]}"
    return f"\\{code:03o}" if code < 32 or code == 127 else sign


def _about(change: FileChange) -> str:
    said = []
    if change.kind == "renamed":
        said.append(f"renamed from {change.old_path}")
    if change.kind == "binary":
        said.append("binary: shown whole, it has no lines")
    if change.kind == "submodule":
        said.append("a submodule: its commit changed")
    if change.new_mode == LINK or (change.old_mode == LINK and change.new_mode == NONE):
        said.append("a symbolic link")
    if change.old_mode != change.new_mode and {change.old_mode, change.new_mode} == {FILE, PROGRAM}:
        said.append("made executable" if change.new_mode == PROGRAM else "no longer executable")
    if change.kind in ("new", "deleted") and not change.hunks:
        said.append("an empty file")
    return ", ".join(said)
