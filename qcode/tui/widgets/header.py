"""The first row: where one is, and who answers."""

from pathlib import Path

from qcode.tui.footing import header_line
from qcode.tui.lines import Line
from qcode.tui.paint import Paint
from qcode.tui.status import Status
from qcode.tui.widgets.strip import OneRow


class Header(OneRow):
    """Shows folder, branch and model of a `Status`; it is drawn again only when these change."""

    def __init__(self, paint: Paint, folder: Path, *, id: str | None = None) -> None:
        super().__init__(paint, id=id)
        self.folder = short_folder(folder)
        self.status = Status()

    def show(self, status: Status) -> None:
        """This is how things stand."""
        different = _shown(status) != _shown(self.status)
        self.status = status
        if different:
            self.refresh()

    def drawn(self, width: int) -> Line:
        return header_line(self.status, self.folder, width)


def _shown(status: Status) -> tuple[str, ...]:
    return (status.model, status.server, status.branch, status.changes, status.name)


def short_folder(folder: Path) -> str:
    """With `~` for the home."""
    try:
        home = Path.home()
    except RuntimeError:  # no home is known
        return str(folder)
    if folder == home:
        return "~"
    return f"~/{folder.relative_to(home).as_posix()}" if home in folder.parents else str(folder)
