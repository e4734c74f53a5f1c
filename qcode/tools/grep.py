"""Find lines by a regular expression."""

import asyncio
import stat
import threading
import time
from typing import Annotated, ClassVar, Literal

import msgspec
from msgspec import Meta

from qcode.protocol.access import Access
from qcode.protocol.display import MatchesBlock
from qcode.protocol.text import one_line, well_formed
from qcode.tools.base import Context, Outcome, failed
from qcode.tools.showing import count, missing, shown_path
from qcode.workspace.files import WHOLE_BYTES, Located, Workspace
from qcode.workspace.grep import Found, Hit, Patience, Query, Row, grep
from qcode.workspace.pattern import BadPattern, Pattern, literal, read
from qcode.workspace.programs import installed
from qcode.workspace.search import cannot_list, files
from qcode.workspace.trouble import trouble

MOST_LINES = 100
MOST_PATHS = 200
MOST_CHARACTERS = 24_000
MOST_CONTEXT = 10
ROW_CHARACTERS = 300
LEAD_CHARACTERS = 100
"""Shown before a match that stands far out in a long line."""
LIMIT_SECONDS = 30.0


class Grep(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Find lines by a regular expression. Files that git ignores are left out."""

    name: ClassVar[str] = "grep"
    effect: ClassVar[Literal["read", "write"]] = "read"

    pattern: Annotated[str, Meta(description="Matched within single lines; no look-around.")]
    path: Annotated[str, Meta(description="File or folder to search.")] = "."
    glob: Annotated[str, Meta(description="Only files like `*.py`.")] = ""
    case: Literal["match", "ignore"] = "match"
    show: Literal["lines", "files"] = "lines"
    context: Annotated[int, Meta(description="Lines to show around each match.")] = 0

    def summary(self) -> str:
        """The pattern, and where."""
        where = "" if self.path in ("", ".") else f" in {self.path}"
        return one_line(f"{self.pattern}{where}{f' ({self.glob})' if self.glob else ''}")

    def accesses(self) -> tuple[Access, ...]:
        """The file or folder, and all that is in it."""
        return (Access("read", self.path),)

    async def run(self, context: Context) -> Outcome:
        """Search, in path order."""
        if not self.pattern:
            return failed("grep: pattern is empty. To find files by name use glob.")
        workspace, located = context.workspace, context.workspace.resolve(self.path)
        if refusal := await asyncio.to_thread(_refusal, workspace, located):
            return failed(refusal)
        try:
            pattern, note = self._pattern()
        except BadPattern as error:
            return failed(f"grep: `{self.pattern}`: {error}.")
        found = await self._search(workspace, located, pattern)
        return self._outcome(workspace, found, note)

    def _pattern(self) -> tuple[Pattern, str]:
        """What to look for, and a note when it is not taken as it was meant."""
        ignore_case = self.case == "ignore"
        try:
            return read(self.pattern, ignore_case=ignore_case), ""
        except BadPattern as error:
            note = f"[searched as plain text: as a regular expression, {error}]"
            return literal(self.pattern, ignore_case=ignore_case), note

    async def _search(self, workspace: Workspace, located: Located, pattern: Pattern) -> Found:
        """In a thread; cancelling tells it to stop."""
        given_up = threading.Event()
        patience = Patience(time.monotonic() + LIMIT_SECONDS, given_up.is_set)
        query = Query(
            pattern,
            files(self.glob) if self.glob.strip() else None,
            MOST_LINES if self.show == "lines" else 0,
            MOST_PATHS,
            max(0, min(self.context, MOST_CONTEXT)),
        )
        try:
            return await asyncio.to_thread(
                grep, located.path, workspace.bounds, query, installed("rg"), patience
            )
        finally:
            given_up.set()

    def _outcome(self, workspace: Workspace, found: Found, note: str) -> Outcome:
        rows = _rows(workspace, found)
        kept = _fitting(rows)
        total = sum(_matches(hit) for hit in found.hits)
        block = MatchesBlock(self.pattern, tuple(kept), total)
        notes = [note] if note else []
        if found.skimmed:
            notes.append("[of very long lines only the beginning was searched]")
        if found.stopped == "time":
            notes.append(f"[stopped after {LIMIT_SECONDS:.0f} s; narrow it with path or glob]")
        elif found.stopped or len(kept) < len(rows):
            notes.append("[cut, there are more; narrow the pattern, path or glob]")
        head = self._head(found, total)
        return Outcome("\n".join([head, *kept, *notes]), (block,))

    def _head(self, found: Found, total: int) -> str:
        more = "More than " if found.stopped == "limit" else ""
        in_files = count(len(found.hits), "file")
        if not found.hits:
            where = f" in {self.path}" if self.path not in ("", ".") else ""
            return f"No line matches `{one_line(self.pattern)}`{where}."
        if self.show == "files":
            return f"{more}{in_files} with `{one_line(self.pattern)}`:"
        return f"{more}{count(total, 'line')} in {in_files}:"


def _refusal(workspace: Workspace, located: Located) -> str:
    """Why the file or folder cannot be searched; empty = it can."""
    try:
        status = located.path.stat()
    except FileNotFoundError:
        return missing(workspace, located)
    except (OSError, ValueError) as error:
        return str(trouble(error, located.shown, "read"))
    if stat.S_ISREG(status.st_mode) and status.st_size > WHOLE_BYTES:
        return f"{located.shown} is too large to be searched here: use grep in shell."
    return cannot_list(located.path, located.shown) if stat.S_ISDIR(status.st_mode) else ""


def _matches(hit: Hit) -> int:
    return sum(row.start >= 0 for row in hit.rows) or 1


def _rows(workspace: Workspace, found: Found) -> list[str]:
    """A path, then its lines: `12:match`, `13-beside it`; a gap is marked `--`."""
    rows: list[str] = []
    for hit in found.hits:
        rows.append(shown_path(workspace, hit.path))
        before = 0
        for row in hit.rows:
            if before and row.number > before + 1 and any(one.start < 0 for one in hit.rows):
                rows.append("--")
            rows.append(f"{row.number}{':' if row.start >= 0 else '-'}{_excerpt(row)}")
            before = row.number
    return rows


def _excerpt(row: Row) -> str:
    """The line, or of a long one what is around the match."""
    text = well_formed(row.text)
    if len(text) <= ROW_CHARACTERS:
        return text
    start = max(0, min(row.start - LEAD_CHARACTERS, len(text) - ROW_CHARACTERS))
    end = start + ROW_CHARACTERS
    cut = f"{'…' if start else ''}{text[start:end]}{'…' if end < len(text) else ''}"
    return f"{cut} [cut, {len(text):,} characters]"


def _fitting(rows: list[str]) -> list[str]:
    left = MOST_CHARACTERS
    for index, row in enumerate(rows):
        left -= len(row) + 1
        if left < 0:
            return rows[:index]
    return rows
