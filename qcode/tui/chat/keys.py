"""The keys of the chat screen, once: key, what it does (the name of an action), words for the help.

`FIRST` is taken before the prompt sees it; the rest only where the prompt leaves it.
"""

from qcode.tui.key import Key

APP = (
    Key("f1", "help", "keys of this screen, and commands"),
    Key("f3,alt+x", "commands", "find a command by its words"),
)
"""Everywhere; on an empty prompt `?` is `f1`."""

FIRST = (
    Key("ctrl+c", "stop", "copy; else interrupt; else empty the prompt; else quit"),
    Key("shift+tab", "next_mode", "next mode: ask, edit, auto, plan"),
    Key("ctrl+z", "suspend", "to the background; fg comes back"),
    Key("pageup", "page_up", "a page up"),
    Key("pagedown", "page_down", "a page down"),
    Key("alt+home", "home", "to the beginning of the conversation"),
    Key("alt+end", "end", "to its end"),
    Key("ctrl+o", "open_last", "open or close the last card or thought"),
    Key("alt+up", "block(-1)", "to the block above; Ctrl+O opens it, Alt+C copies it"),
    Key("alt+down", "block(1)", "to the block below"),
    Key("ctrl+s,f4", "find", "search the conversation"),
    Key("ctrl+t", "reasoning", "show or hide what was thought"),
    Key("ctrl+y", "answer_now", "stop thinking and answer now"),
    Key("alt+full_stop", "think_more", "a larger thinking budget"),
    Key("alt+comma", "think_less", "a smaller thinking budget"),
    Key("alt+c", "copy_answer", "copy the block at hand, else the last answer"),
    Key("question_mark", "keys", "on an empty prompt: keys and commands"),
    Key("f2", "mouse", "mouse on or off; off: the terminal selects"),
    Key("ctrl+l", "redraw", "draw the screen anew"),
    Key("ctrl+q", "leave", "quit"),
)

THEN = (
    Key("escape", "back", "close what is open; else interrupt; twice when idle: rewind"),
    Key("ctrl+d", "leave('empty')", "on an empty prompt: quit"),
)

KEYS: tuple[Key, ...] = (*FIRST, *THEN)

STRIP = (
    Key("y", "once", "allow once"),
    Key("b", "batch", "allow all calls of this answer"),
    Key("s", "session", "allow for this session, by a rule that Enter keeps"),
    Key("p", "project", "allow in this project, by a rule that Enter keeps"),
    Key("o", "outside", "allow a command once outside the sandbox; Enter does it"),
    Key("n", "no", "do not allow"),
    Key("t", "tell", "do not allow, and say why"),
    Key("v,enter", "view", "review the change hunk by hunk; the whole command"),
    Key("escape", "stop", "interrupt the turn"),
)
"""While a call waits for approval; then these go nowhere else."""

NO_SERVER = (
    Key("r", "want('again')", "look for a server again"),
    Key("a", "address", "enter the address of a server"),
    Key("m", "want('model_file')", "serve a model's file from this machine"),
    Key("d", "want('demo')", "watch the demo"),
    Key("q", "want('leave')", "quit"),
)
"""While no server answers."""

TRUSTING = (
    Key("up", "choose(-1)", "the choice above"),
    Key("down", "choose(1)", "the choice below"),
    Key("enter", "answer", "do what is chosen"),
    Key("escape", "end('later')", "go on without it; the question comes again"),
    Key("pageup", "page(-1)", "a page up"),
    Key("pagedown", "page(1)", "a page down"),
    Key("ctrl+c,ctrl+d,ctrl+q", "end('leave')", "quit"),
    Key("ctrl+z", "app.suspend_process", "to the background; fg comes back"),
)
"""While it is asked what a folder may configure; letters are for the prompt."""

FINDING = (
    Key("enter,down", "step(1)", "the next place"),
    Key("up", "step(-1)", "the place before"),
    Key("escape", "close", "back to the prompt"),
)
"""While the conversation is searched."""
