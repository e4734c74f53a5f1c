"""The command palette: commands and what keys do, by any of their words."""

from collections.abc import Iterable

from qcode.tui.commands import Action, Command
from qcode.tui.keys import Shown, written
from qcode.tui.picker.frame import Sheet
from qcode.tui.picker.rows import Row
from qcode.tui.screens.pickers import CHOOSE, About

Picked = Command | Action
"""A command to be said without an argument, or something that a key does."""


def of_everything(commands: Iterable[Command], keys: Iterable[Shown]) -> About[Picked]:
    """Commands first. Keys whose deed a command does too are left out."""
    commands = tuple(commands)
    rows: list[Row[Picked]] = [
        Row(row, f"{row.help[:1].upper()}{row.help[1:]}", f"/{row.name}", " ".join(row.aliases))
        for row in commands
    ]
    done = {row.action for row in commands}
    for key in keys:
        if key.what not in done and "(" not in key.what:
            title = f"{key.help[:1].upper()}{key.help[1:]}"
            rows.append(Row(Action(key.what), title, written(key.keys[0])))
            done.add(key.what)
    sheet = Sheet("commands", placeholder="what do you want to do?", hints=CHOOSE)
    return About(sheet, rows)
