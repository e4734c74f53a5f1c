"""Every key of the prompt, once: key, what it does (the name of an action), words for the help.

`OPEN` is answered before all others.
"""

from qcode.tui.key import Key

ASKING = (
    Key("enter", "submit", "send; steer while a turn runs"),
    Key("shift+enter,alt+enter,ctrl+j", "newline", "new line (a backslash before Enter, too)"),
    Key("tab", "queue", "complete; while a turn runs: send after it"),
    Key(
        "up",
        "older",
        "earlier prompt, from the first line; one that waits comes back out of the queue",
    ),
    Key("down", "newer", "later prompt, from the last line"),
    Key("ctrl+r", "search", "search earlier prompts; again: older"),
    Key("ctrl+v", "attach", "picture from the clipboard"),
    Key("ctrl+g", "edit", "write in your editor ($VISUAL)"),
    Key("ctrl+x", "chord", "and then Ctrl+E: your editor, as in shells"),
)
"""Of the box as a whole."""

EDITING = (
    Key("left,ctrl+b", "cursor_left", "left"),
    Key("right,ctrl+f", "cursor_right", "right"),
    Key("up", "cursor_up", "up"),
    Key("down", "cursor_down", "down"),
    Key("ctrl+left,alt+left,alt+b", "cursor_word_left", "a word left"),
    Key("ctrl+right,alt+right,alt+f", "cursor_word_right", "a word right"),
    Key("home,ctrl+a", "cursor_line_start", "start of the line"),
    Key("end,ctrl+e", "cursor_line_end", "end of the line"),
    Key("ctrl+home", "cursor_text_start", "start of the text"),
    Key("ctrl+end", "cursor_text_end", "end of the text"),
    Key("shift+left", "cursor_left(True)", "select to the left"),
    Key("shift+right", "cursor_right(True)", "select to the right"),
    Key("shift+up", "cursor_up(True)", "select upwards"),
    Key("shift+down", "cursor_down(True)", "select downwards"),
    Key("ctrl+shift+left", "cursor_word_left(True)", "select a word to the left"),
    Key("ctrl+shift+right", "cursor_word_right(True)", "select a word to the right"),
    Key("shift+home", "cursor_line_start(True)", "select to the start of the line"),
    Key("shift+end", "cursor_line_end(True)", "select to the end of the line"),
    Key("backspace,ctrl+h", "delete_left", "delete to the left; a folded paste whole"),
    Key("delete", "delete_right", "delete to the right"),
    Key("ctrl+d", "delete_right_or_leave", "delete to the right; empty: leave"),
    Key("ctrl+w,ctrl+backspace,alt+backspace", "delete_word_left", "delete a word to the left"),
    Key("alt+d,alt+delete,ctrl+delete", "delete_word_right", "delete a word to the right"),
    Key("ctrl+u,super+backspace", "delete_to_start_of_line", "delete to the start of the line"),
    Key("ctrl+k", "delete_to_end_of_line_or_delete_line", "delete to the end of the line"),
    Key("ctrl+underscore,ctrl+slash,super+z", "undo", "undo"),
    Key("alt+underscore,ctrl+shift+z,super+y", "redo", "redo"),
)
"""Of the text, Textual's own among them; `super` is the command key of a Mac."""

OPEN = (
    Key("up", "choose", "the row above"),
    Key("down", "choose", "the row below"),
    Key("tab", "take", "complete"),
    Key("enter", "take", "complete; a command that is whole: run"),
    Key("escape", "close", "close; with vim keys: normal mode"),
)
"""While a completion is open, before all others. Searching takes every letter, Ctrl+R (older),
Ctrl+S (newer), Enter (take) and Esc (back)."""

SIGNS = (
    ("@path", "a file or folder; `@path:10-40` some lines of it"),
    ("/name", "a command"),
    ("!command", "run it yourself, outside the sandbox; the model is not told"),
    ("!!command", "the same; the model reads the output with the next prompt"),
    ("a blank first", "words as they are, and not kept in the history"),
)
"""What the first letters of a prompt, or of a word, mean."""

KEYS: tuple[Key, ...] = (*ASKING, *EDITING)
