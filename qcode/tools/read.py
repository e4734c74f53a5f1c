"""Show a file to the model, or what is in a folder."""

import asyncio
from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal

import msgspec
from msgspec import Meta

from qcode.protocol.access import Access
from qcode.protocol.display import Block, FileBlock
from qcode.protocol.text import one_line, well_formed
from qcode.tools.base import Context, Outcome, failed
from qcode.tools.showing import LINE_CHARACTERS, count, cut, missing, span
from qcode.workspace.encoding import binary_kind, decode, line_end
from qcode.workspace.files import WHOLE_BYTES, Located, load
from qcode.workspace.lines import some_lines
from qcode.workspace.notebook import cut_notebook
from qcode.workspace.straight import folder_entries
from qcode.workspace.trouble import FileTrouble, IsFolder, Missing

MOST_LINES = 400
MOST_CHARACTERS = 32_000
FOLDER_ENTRIES = 100


class Read(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Read a text file. Lines come with their number and a tab before them.

    At most 400 lines at once; the end of the result says how to go on.
    """

    name: ClassVar[str] = "read"
    effect: ClassVar[Literal["read", "write"]] = "read"

    path: str
    first_line: Annotated[int, Meta(description="Counted from 1.")] = 1
    last_line: Annotated[int, Meta(description="0 = as far as fits.")] = 0

    def summary(self) -> str:
        """The path, and the lines if some were asked for."""
        if self.first_line <= 1 and self.last_line <= 0:
            return one_line(self.path)
        return f"{one_line(self.path)}:{self.first_line}-{self.last_line or ''}"

    def accesses(self) -> tuple[Access, ...]:
        """The file."""
        return (Access("read", self.path),)

    async def run(self, context: Context) -> Outcome:
        """Read it; remembers its digest as seen."""
        located = context.workspace.resolve(self.path)
        try:
            view = await asyncio.to_thread(self._view, located)
        except Missing:
            return failed(await asyncio.to_thread(missing, context.workspace, located))
        except IsFolder:
            return await asyncio.to_thread(_folder, located)
        except FileTrouble as error:
            return failed(str(error))
        if view.digest:
            context.seen[located.path] = view.digest
        return Outcome(view.text, view.blocks, "ok" if view.digest else "error")

    def _view(self, located: Located) -> "View":
        first = max(self.first_line, 1)
        last = self.last_line if self.last_line > 0 else first + MOST_LINES - 1
        if last < first:
            return View(f"last_line {last} lies before first_line {first}.")
        if _size(located) > WHOLE_BYTES:
            return _of_large(located, first, min(last, first + MOST_LINES - 1))
        return _of_whole(located, first, last)


class View(msgspec.Struct, frozen=True):
    """What a reading shows."""

    text: str
    digest: str = ""
    """Empty = nothing could be shown."""
    blocks: tuple[Block, ...] = ()


def _size(located: Located) -> int:
    try:
        return located.path.stat().st_size
    except (OSError, ValueError):
        return 0  # said in better words when it is opened


def _of_whole(located: Located, first: int, last: int) -> View:
    loaded = load(located)
    if kind := binary_kind(loaded.data):
        size = count(len(loaded.data), "byte")
        return View(f"{located.shown} is {kind} ({size}) and cannot be read as text.")
    if not loaded.data:
        return View(f"{located.shown} is empty (0 bytes).", loaded.digest)
    text, encoding = decode(loaded.data)
    kinds = [f", {encoding.shown}"] if encoding.shown else []
    kinds += [", CRLF line ends"] if line_end(text) == "\r\n" else []
    notebook = cut_notebook(text) if located.path.suffix == ".ipynb" else None
    if notebook is not None:
        kinds.append(", notebook with its outputs cut: lines are counted in what is shown")
    lines = _lines(notebook or text)
    if first > len(lines):
        return View(f"{located.shown} has only {count(len(lines), 'line')}.")
    wanted = [row.removesuffix("\r") for row in lines[first - 1 : min(last, first + MOST_LINES)]]
    rows = _fitting(wanted[:MOST_LINES], first)
    end = first + len(rows) - 1
    head = f"{located.shown}, {span(first, end)} of {len(lines)}{''.join(kinds)}"
    notes = _notes(located, rows, [len(row) for row in wanted], first)
    if end < min(last, len(lines)) or (end < len(lines) and len(rows) == MOST_LINES):
        notes.append(f"[{len(lines) - end:,} more lines. Go on with first_line {end + 1}.]")
    block = FileBlock(located.shown, first, end, len(lines))
    return View("\n".join([head, *rows, *notes]), loaded.digest, (block,))


def _of_large(located: Located, first: int, last: int) -> View:
    some = some_lines(located, first, last - first + 1, LINE_CHARACTERS)
    if not some.lines:
        return View(f"{located.shown} has fewer than {count(first, 'line')}.")
    rows = _fitting(some.lines, first)
    end = first + len(rows) - 1
    head = f"{located.shown}, {span(first, end)}; {some.size:,} bytes in all, lines not counted"
    notes = _notes(located, rows, some.lengths, first)
    notes.append(f"[Go on with first_line {end + 1}; grep -n in shell finds the right line.]")
    block = FileBlock(located.shown, first, end, 0)
    return View("\n".join([head, *rows, *notes]), some.stamp, (block,))


def _lines(text: str) -> list[str]:
    """Without the empty one after the last line end."""
    return text.removesuffix("\n").split("\n")


def _fitting(lines: Sequence[str], first: int) -> list[str]:
    """Numbered rows, as many as fit; at least one."""
    rows: list[str] = []
    left = MOST_CHARACTERS
    for number, line in enumerate(lines, first):
        row = f"{number:>5}\t{cut(line)}"
        left -= len(row) + 1
        if rows and left < 0:
            break
        rows.append(row)
    return rows


def _notes(located: Located, rows: Sequence[str], lengths: Sequence[int], first: int) -> list[str]:
    """How to get at the rest of a line that was cut."""
    for number, length in zip(range(first, first + len(rows)), lengths, strict=False):
        if length > LINE_CHARACTERS:
            rest = f"sed -n {number}p FILE | cut -c {LINE_CHARACTERS + 1}-"
            return [f"[Line {number} was cut at {LINE_CHARACTERS:,} characters. In shell: {rest}]"]
    return []


def _folder(located: Located) -> Outcome:
    """A folder is no file, but what was asked for is plain."""
    try:
        entries = sorted(folder_entries(str(located.path)).items())
    except OSError as error:
        return failed(f"{located.shown} is a folder that cannot be listed ({error.strerror}).")
    names = [f"{name}/" if is_folder else name for name, is_folder in entries]
    shown = names[:FOLDER_ENTRIES]
    if not names:
        return Outcome(f"{located.shown} is an empty folder.")
    rows = [f"{located.shown} is a folder. In it ({len(names):,}):", *shown]
    if len(names) > len(shown):
        rows.append(f"[and {len(names) - len(shown):,} more; glob finds files by name]")
    return Outcome(well_formed("\n".join(rows)))
