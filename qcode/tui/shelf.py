"""The sessions on disk as the screens need them. Everything here reads or writes files: call it in
a thread."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from qcode.protocol.errors import InputError, SessionError
from qcode.protocol.text import one_line
from qcode.session.export import SUFFIXES, exported
from qcode.session.said import Said, said
from qcode.session.store import Store
from qcode.session.summary import Hit, Summary
from qcode.tui.drawing.visible import safe
from qcode.tui.drawing.wrap import wrap_text
from qcode.tui.home import Home
from qcode.tui.lines import BLANK, Line, Span
from qcode.tui.widgets.header import short_folder

SHOWN_TURNS = 6
"""Of a session in its preview: the last ones."""

SHOWN_ROWS = 6
"""Lines of one prompt or answer in a preview."""

ENDS = {"markdown": ".md", "html": ".html", "json": ".json"}


class Shelf(msgspec.Struct, frozen=True):
    """The sessions of a folder, and those of all others."""

    store: Store
    folder: Path
    current: str = ""
    """Id of the session that is open; empty = none."""

    def list(self, scope: str = "here") -> tuple[Summary, ...]:
        """Those in which something was said, the newest first; `everywhere` = of all folders."""
        found = self.store.list(self._folder(scope))
        return tuple(one for one in found if one.turns or one.broken)

    def search(self, words: str, scope: str = "here") -> tuple[Hit, ...]:
        """Passages with all `words`."""
        return self.store.search(words, self._folder(scope), 40)

    def said(self, session_id: str) -> tuple[Said, ...]:
        """Its turns. Raises SessionError."""
        return said(self.store.open(session_id).events)

    def preview(self, session_id: str, width: int) -> Sequence[Line]:
        """What it is, and what was said last. Raises SessionError."""
        summary = next((one for one in self.store.list() if one.id == session_id), None)
        head = _about(summary) if summary else []
        turns = self.said(session_id) if summary is None or summary.usable else ()
        left = len(turns) - SHOWN_TURNS
        lines = [*head, BLANK]
        lines += [Line((Span(f"… {left} earlier", "faint"),)), BLANK] if left > 0 else []
        for turn in turns[-SHOWN_TURNS:]:
            lines += [
                *_words(turn.prompt, width, "prompt"),
                *_words(turn.answer, width, "dim"),
                BLANK,
            ]
        return lines

    def rename(self, session_id: str, name: str) -> None:
        """Raises SessionError, also when it is in use, and InputError."""
        self.store.rename(session_id, name)

    def delete(self, session_id: str) -> None:
        """Raises SessionError, also when it is in use."""
        self.store.delete(session_id)

    def export(self, session_id: str, wanted: str) -> Path:
        """Write it to a new file in the folder. `wanted` is one of `export.FORMATS`, or a file's
        name, which is not overwritten. Raises SessionError and InputError."""
        kind = wanted if wanted in ENDS else SUFFIXES.get(Path(wanted).suffix.lower(), "")
        if not kind:
            raise InputError(f"{wanted!r} tells no format: end it in .md, .html or .json.")
        events = self.store.open(session_id).events
        path = self._free(session_id, kind) if wanted in ENDS else self.folder / wanted
        try:
            with path.expanduser().open("x", encoding="utf-8", newline="\n") as file:
                file.write(exported(events, kind))
        except FileExistsError:
            raise InputError(f"{path} is there already. Name another file.") from None
        except OSError as error:
            raise InputError(f"{path} cannot be written: {error.strerror}.") from error
        return path

    def _free(self, session_id: str, kind: str) -> Path:
        name, end = f"qcode-{session_id}", ENDS[kind]
        path, number = self.folder / f"{name}{end}", 2
        while path.exists():
            path, number = self.folder / f"{name}-{number}{end}", number + 1
        return path

    def _folder(self, scope: str) -> Path | None:
        return None if scope == "everywhere" else self.folder


def before(home: Home) -> tuple[str, str] | None:
    """Title and time of the last session of this folder; None = there is none."""
    if home.sessions is None:
        return None
    try:
        found = [one for one in Shelf(Store(home.sessions), home.folder).list() if one.usable]
    except (SessionError, OSError):  # it is only a courtesy
        return None
    if not found:
        return None
    return found[0].title, when(found[0].updated, datetime.now(UTC))


def when(at: str, now: datetime) -> str:
    """A moment of a log as people say it: `14:05`, `Mon 14:05`, `3 May`, `3 May 2025`."""
    try:
        then = datetime.fromisoformat(at).astimezone()
    except ValueError:
        return one_line(at, 16)
    days = (now.astimezone().date() - then.date()).days
    if days == 0:
        return f"{then:%H:%M}"
    if 0 < days < 7:
        return f"{then:%a %H:%M}"
    return f"{then.day} {then:%b}" + ("" if then.year == now.year else f" {then.year}")


def _about(summary: Summary) -> list[Line]:
    rows = {
        "model": summary.model,
        "folder": short_folder(Path(summary.folder)),
        "turns": str(summary.turns),
        "written": f"{summary.generated_tokens:,} tokens",
        "edits": str(summary.edits) if summary.edits else "",
        "fork of": summary.parent,
    }
    shown = [
        Line((Span(f"{name:<8}", "faint"), Span(one_line(safe(text), 200), "dim")))
        for name, text in rows.items()
        if text
    ]
    if summary.broken:
        shown.append(Line((Span(one_line(summary.broken, 300), "warning"),)))
    return shown


def _words(text: str, width: int, style: str) -> list[Line]:
    """The first rows of what was said."""
    text = re.sub(r"\s+", " ", safe(text[:5_000])).strip()
    rows = wrap_text(text, width - 2, style) if text else []
    if len(rows) > SHOWN_ROWS:
        rows[SHOWN_ROWS - 1] = Line((*rows[SHOWN_ROWS - 1].spans, Span(" …", "faint")))
    return rows[:SHOWN_ROWS]
