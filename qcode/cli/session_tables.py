"""Sessions as text for a terminal of 80 columns, measured in cells: a Chinese sign takes two."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

import msgspec

from qcode.protocol.cells import fit, pad
from qcode.protocol.text import one_line
from qcode.session.said import Said
from qcode.session.summary import Hit, Summary

WIDTH = 80
_FOLDER_WIDTH = 14
_SNIPPET_INDENT = "    "


def table(found: Sequence[Summary], *, folders: bool = False) -> str:
    """One line a session, a heading first; empty text for no sessions."""
    if not found:
        return ""
    heading = _row("ID", "LAST USED", "TURNS", "FOLDER" if folders else "", "TITLE")
    return heading + "".join(_session_row(summary, folders=folders) for summary in found)


def _session_row(summary: Summary, *, folders: bool) -> str:
    folder = (Path(summary.folder).name or "?") if folders else ""
    title = summary.title or ("" if summary.broken else "(nothing said)")
    mark = "(broken) " if summary.broken else "(fork) " if summary.parent else ""
    marked = f"{mark}{title}"
    return _row(summary.id, when(summary.updated), str(summary.turns), folder, marked)


def _row(session_id: str, updated: str, turns: str, folder: str, title: str) -> str:
    row = f"{session_id:<18}  {updated:<16}  {turns:>5}  "
    if folder:
        row += pad(fit(folder, _FOLDER_WIDTH), _FOLDER_WIDTH) + "  "
    return (row + fit(title, WIDTH - len(row))).rstrip() + "\n"


def details(summary: Summary, file: Path) -> str:
    """What is known of one session, a line each; an empty line last."""
    rows = {
        "session": summary.id,
        "name": summary.name,
        "title": summary.title,
        "folder": summary.folder,
        "model": summary.model,
        "forked from": summary.parent,
        "started": when(summary.started),
        "last used": when(summary.updated),
        "turns": str(summary.turns),
        "generated": f"{summary.generated_tokens:,} tokens",
        "edits": str(summary.edits),
        "log": f"{file} ({summary.bytes:,} bytes)",
    }
    return "".join(f"{name:<12} {one_line(text, 500)}\n" for name, text in rows.items() if text)


def turns(said: Iterable[Said]) -> str:
    """The first line of each prompt and of what was answered; an empty line first."""
    rows = ""
    for one in said:
        rows += f"{one.turn:>5}  {fit(one.prompt, WIDTH - 7)}\n"
        rows += f"       → {fit(one.answer, WIDTH - 9)}\n" if one.answer else ""
    return f"\n{rows}" if rows else ""


def places(hits: Sequence[Hit]) -> str:
    """Found passages below the session they are in."""
    rows: list[str] = []
    last = ""
    for hit in hits:
        if hit.id != last:
            head = f"{hit.id:<18}  {when(hit.updated):<16}  "
            rows.append((head + fit(hit.title, WIDTH - len(head))).rstrip())
            last = hit.id
        head = f"{_SNIPPET_INDENT}{hit.kind}: "
        rows.append(head + fit(hit.snippet, WIDTH - len(head)))
    return "".join(f"{row}\n" for row in rows)


class Point(msgspec.Struct, frozen=True):
    """A turn that one can go back to before."""

    turn: int
    prompt: str
    files: tuple[str, ...]
    """What it changed, of that which was kept."""


def points(rows: Iterable[Point]) -> str:
    """A line a turn: number, number of files, prompt; below it the files, as far as they fit."""
    made = f"{'TURN':>5}  {'FILES':>5}  PROMPT\n"
    for one in rows:
        made += f"{one.turn:>5}  {len(one.files) or '':>5}  {fit(one.prompt, WIDTH - 14)}".rstrip()
        made += "\n"
        if one.files:
            names = ", ".join(one_line(name, WIDTH) for name in one.files)
            made += f"{'':14}{fit(names, WIDTH - 14)}\n"
    return made


def put_back(paths: Iterable[str]) -> str:
    """A line a path."""
    return "".join(f"{path}\n" for path in paths)


def stat(rows: Sequence[tuple[str, int, int, str]]) -> str:
    """(path, added, removed, what else) as lines; none for none."""
    widest = min(max((len(pad(path, 0)) for path, *_ in rows), default=0), WIDTH - 30)
    made = ""
    for path, added, removed, word in rows:
        name = pad(fit(path, WIDTH - 30), widest)
        made += f"{name}  {f'+{added}':>7} {f'-{removed}':>7}  {word}".rstrip() + "\n"
    return made


def when(at: str) -> str:
    """A moment of the log in local time, to the minute; as it is if it is no moment."""
    try:
        return datetime.fromisoformat(at).astimezone().strftime("%Y-%m-%d %H:%M")
    except ValueError:
        return one_line(at, 16)
