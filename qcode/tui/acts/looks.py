"""Colours, settings, what fills the window."""

import asyncio

from qcode.protocol.errors import InputError
from qcode.tui import themes
from qcode.tui.acts.hands import Acts, Hands
from qcode.tui.chat.habits import keep_vim
from qcode.tui.commands import Action, Command
from qcode.tui.keys import live
from qcode.tui.picker.frame import Sheet
from qcode.tui.picker.rows import Row
from qcode.tui.screens.context import ContextScreen
from qcode.tui.screens.help import of_help
from qcode.tui.screens.palette import Picked, of_everything
from qcode.tui.screens.pickers import CHOOSE, About, Picker
from qcode.tui.screens.stats import StatsScreen
from qcode.tui.screens.theme import ThemePicker


async def choose_theme(hands: Hands, name: str) -> None:
    """By name, or from the list, where each is shown while it is at hand."""
    found = await asyncio.to_thread(themes.load, hands.home.themes)
    for notice in found.notices:
        hands.say(notice, "warning")
    if name:
        theme = found.get(name)
        if theme is None:
            names = ", ".join(one.name for one in found.themes)
            raise InputError(f"There is no theme {name!r}. There are {names}.")
    else:
        theme = await hands.ask(ThemePicker(found.themes, hands.themed, hands.palette))
    if theme is not None:
        hands.wear(theme)
        await asyncio.to_thread(themes.keep, hands.home.state, theme.name)


async def settings(hands: Hands, _: str) -> None:
    """Every setting with its value and where it comes from."""
    rows = [Row(None, f"{key} = {value}", where) for key, value, where in hands.held.settings]
    hint = "edit the file that `qcode paths` names to change one"
    sheet = Sheet("settings", "page", placeholder=hint, hints=CHOOSE[1:])
    # not `About[None](...)`: Python 3.11 would set an attribute on what is frozen
    about: About[None] = About(sheet, rows, order="as given")
    await hands.ask(Picker(about, hands.palette))


async def help_(hands: Hands, _: str) -> None:
    """Keys of the screen on top, and the commands."""
    found = of_help(live(hands.where), hands.commands)
    if text := await hands.ask(Picker(found, hands.palette)):
        hands.write(text)


async def commands(hands: Hands, _: str) -> None:
    """Everything that can be done, by its words. What keys do in a list is not: it is gone then."""
    keys = live("chat") if hands.where in ("chat", "approval") else ()
    found = of_everything(hands.commands, [key for key in keys if hands.can(key.what)])
    picked: Picked | None = await hands.ask(Picker(found, hands.palette))
    match picked:
        case Action(name, argument):
            hands.do(name, argument)
        case Command(name):
            hands.command(name)


async def stats(hands: Hands, _: str) -> None:
    """What the session took so far."""
    await hands.ask(StatsScreen(hands.palette, hands.talk.events))


async def context(hands: Hands, _: str) -> None:
    """What fills the window."""
    talk = hands.talk
    await hands.ask(ContextScreen(hands.palette, talk.events, talk.status.context_tokens))


async def vim(hands: Hands, _: str) -> None:
    """Vim's keys in the prompt, or no longer; remembered."""
    wanted = hands.toggle_vim()
    hands.say(f"vim keys {wanted}")
    await asyncio.to_thread(keep_vim, hands.home.state, wanted)


ACTS: Acts = {
    "stats": stats,
    "context": context,
    "vim": vim,
    "help": help_,
    "commands": commands,
    "themes": choose_theme,
    "config": settings,
}
