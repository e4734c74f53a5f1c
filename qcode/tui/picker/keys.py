"""The keys of every picker, once: key, what it does (the name of an action), words for the help.

All others that are signs are typed into the search line, with Backspace, Ctrl+W and Ctrl+U.
"""

KEYS: tuple[tuple[str, str, str], ...] = (
    ("up,ctrl+p", "move(-1)", "the row above"),
    ("down,ctrl+n", "move(1)", "the row below"),
    ("pageup", "move(-10)", "ten rows up"),
    ("pagedown", "move(10)", "ten rows down"),
    ("home", "move(-100000)", "the first row"),
    ("end", "move(100000)", "the last row"),
    ("enter", "choose", "choose the row"),
    ("escape,ctrl+c", "back", "back, nothing changed"),
    ("ctrl+z", "app.suspend_process", "to the background; fg comes back"),
    ("shift+pageup", "scroll(-8)", "preview: up"),
    ("shift+pagedown", "scroll(8)", "preview: down"),
)

TYPING: tuple[tuple[str, str, str], ...] = (
    ("backspace,ctrl+h", "type", "delete a sign of the search"),
    ("ctrl+w,alt+backspace,ctrl+backspace", "type", "delete a word of the search"),
    ("ctrl+u", "type", "empty the search"),
)
"""Taken by the search line before the others."""

SESSIONS: tuple[tuple[str, str, str], ...] = (
    ("ctrl+f", "fork", "go on in a copy"),
    ("ctrl+r", "rename", "rename"),
    ("ctrl+e", "export", "export: Markdown, HTML, JSON"),
    ("ctrl+d", "delete", "delete, asked first"),
    ("ctrl+a", "everywhere", "sessions of this folder, or of all"),
)
"""Of the list of sessions, besides."""

REWIND: tuple[tuple[str, str, str], ...] = (("ctrl+f", "fork", "go back in a copy"),)
"""Of the list of prompts, besides."""
