"""Keys of the screen on top, and the commands; a search finds both."""

from collections.abc import Iterable

from qcode.tui.commands import Command
from qcode.tui.keys import CONTEXTS, Shown, written
from qcode.tui.picker.frame import Hint, Sheet
from qcode.tui.picker.rows import Row
from qcode.tui.screens.pickers import About


def of_help(keys: Iterable[Shown], commands: Iterable[Command] = ()) -> About[str]:
    """What is chosen is text for the prompt: `/rename `; empty where a key was chosen."""
    rows: list[Row[str]] = []
    for key in keys:
        title = f"{'  '.join(map(written, key.keys)):<14}  "
        group = CONTEXTS[key.context]
        rows.append(Row("", f"{title}{key.help}", group=group, hang=len(title)))
    for row in commands:
        text = f"/{row.name} " if row.takes != "nothing" else f"/{row.name}"
        aliases = f"also {', '.join(f'/{name}' for name in row.aliases)}" if row.aliases else ""
        title, group = f"{row.usage:<22}  ", "commands"
        rows.append(Row(text, f"{title}{row.help}", aliases, group=group, hang=len(title)))
    hints = (Hint("⏎", "take the command"), Hint("esc", "back"))
    sheet = Sheet("keys and commands", "page", placeholder="search keys and commands", hints=hints)
    return About(sheet, rows, order="as given")
