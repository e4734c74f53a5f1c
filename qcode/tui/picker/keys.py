"""The keys of every picker, once: key, what it does (the name of an action), words for the help.

All others that are signs are typed into the search line, with Backspace, Ctrl+W and Ctrl+U.
"""

from qcode.tui.key import Key

KEYS = (
    Key("up,ctrl+p", "move(-1)", "the row above"),
    Key("down,ctrl+n", "move(1)", "the row below"),
    Key("pageup", "move(-10)", "ten rows up"),
    Key("pagedown", "move(10)", "ten rows down"),
    Key("home", "move(-100000)", "the first row"),
    Key("end", "move(100000)", "the last row"),
    Key("enter", "choose", "choose the row"),
    Key("escape,ctrl+c", "back", "back, nothing changed"),
    Key("ctrl+z", "app.suspend_process", "to the background; fg comes back"),
    Key("shift+pageup", "scroll(-8)", "preview: up"),
    Key("shift+pagedown", "scroll(8)", "preview: down"),
)

TYPING = (
    Key("backspace,ctrl+h", "type", "delete a sign of the search"),
    Key("ctrl+w,alt+backspace,ctrl+backspace", "type", "delete a word of the search"),
    Key("ctrl+u", "type", "empty the search"),
)
"""Taken by the search line before the others."""

SESSIONS = (
    Key("ctrl+f", "fork", "go on in a copy"),
    Key("ctrl+r", "rename", "rename"),
    Key("ctrl+e", "export", "export: Markdown, HTML, JSON"),
    Key("ctrl+d", "delete", "delete, asked first"),
    Key("ctrl+a", "everywhere", "sessions of this folder, or of all"),
)
"""Of the list of sessions, besides."""

REWIND = (Key("ctrl+f", "fork", "go back in a copy"),)
"""Of the list of prompts, besides."""
