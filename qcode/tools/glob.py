"""Find files by name."""

import asyncio
from typing import Annotated, ClassVar, Literal

import msgspec
from msgspec import Meta

from qcode.protocol.access import Access
from qcode.protocol.display import MatchesBlock
from qcode.protocol.text import one_line
from qcode.tools.base import Context, Outcome, failed
from qcode.tools.showing import count, shown_path
from qcode.workspace.files import Located, is_folder
from qcode.workspace.search import cannot_list, find

MOST_PATHS = 200


class Glob(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Find files by name. Files that git ignores are left out."""

    name: ClassVar[str] = "glob"
    effect: ClassVar[Literal["read", "write"]] = "read"

    pattern: Annotated[
        str, Meta(description="`*.py` at any depth, `src/**/*.{js,ts}` from the folder.")
    ]
    path: Annotated[str, Meta(description="Folder to look in.")] = "."

    def summary(self) -> str:
        """The pattern, and the folder if it is not the root."""
        return one_line(
            self.pattern if self.path in ("", ".") else f"{self.pattern} in {self.path}"
        )

    def accesses(self) -> tuple[Access, ...]:
        """The folder, and all that is in it."""
        return (Access("read", self.path),)

    async def run(self, context: Context) -> Outcome:
        """List them, in path order."""
        workspace, located = context.workspace, context.workspace.resolve(self.path)
        pattern = _from_folder(self.pattern.strip(), located)
        if pattern.startswith(("/", "~", "../")):
            return failed(f"glob: `{pattern}` leads out of {located.shown}; set path instead.")
        if not is_folder(located.path):
            return failed(f"glob: {located.shown} is no folder. Leave path out to search all.")
        if refusal := cannot_list(located.path, located.shown):
            return failed(refusal)
        found = await asyncio.to_thread(
            find, located.path, workspace.bounds, pattern or "*", MOST_PATHS + 1
        )
        return _outcome(self.pattern, [shown_path(workspace, path) for path in found])


def _from_folder(pattern: str, located: Located) -> str:
    """An absolute pattern as one from the folder."""
    return pattern.removeprefix(f"{str(located.path).rstrip('/')}/")


def _outcome(pattern: str, paths: list[str]) -> Outcome:
    shown = paths[:MOST_PATHS]
    block = MatchesBlock(pattern, tuple(shown), len(paths))
    if not paths:
        return Outcome(
            f"No file matches {pattern}. Files that git ignores are not searched.", (block,)
        )
    if len(paths) > len(shown):
        head = f"More than {MOST_PATHS} files match {pattern}; the first are:"
        rows = [head, *shown, "[cut; narrow the pattern or set path]"]
        return Outcome("\n".join(rows), (block,))
    verb = "matches" if len(paths) == 1 else "match"
    return Outcome("\n".join([f"{count(len(paths), 'file')} {verb} {pattern}:", *shown]), (block,))
