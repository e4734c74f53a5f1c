"""Slash commands as a table: name, help, and what each does as data.

What a command does is an `Input` for the engine, or an `Action`: the name of something that a
screen can do (`open_sessions` is `action_open_sessions`). A screen that lacks it leaves the
command out (`built`), so no list shows what does not work.
"""

import difflib
import re
from collections.abc import Callable, Iterable
from typing import Literal

import msgspec

from qcode.engine.settings import EFFORT, thinking_tokens
from qcode.protocol.errors import ConfigError, InputError
from qcode.protocol.inputs import (
    ClosePort,
    Compact,
    Input,
    ListPorts,
    OpenPort,
    Prompt,
    Redo,
    Rename,
    SetMode,
    SetModel,
    SetSampling,
    SetThinking,
    Undo,
)
from qcode.tui.instructing import WRITE_AGENTS

Takes = Literal["nothing", "perhaps"]
"""`perhaps` = it opens something without an argument, and does with one."""

ANSWER_TOKENS = 32_768
"""Bound of an answer, for `/think max`, where nobody says another."""


class Action(msgspec.Struct, frozen=True):
    """Something that the screen does itself."""

    name: str
    """Of the method behind `action_`."""
    argument: str = ""


class Said(msgspec.Struct, frozen=True):
    """What stands behind a command's name."""

    argument: str
    answer_tokens: int


class Command(msgspec.Struct, frozen=True):
    """One row."""

    name: str
    help: str
    action: str = ""
    """What is done, with the argument if there is one and `says` does not take it."""
    takes: Takes = "nothing"
    hint: str = ""
    """What the argument is, for people: `[name]`."""
    says: Callable[[Said], Input] | None = None
    """The input that it sends. Raises InputError with a sentence."""
    aliases: tuple[str, ...] = ()
    when: Literal["any", "idle"] = "any"
    """`idle` = not while a turn runs."""
    needs: Literal["", "fence"] = ""
    """`fence` = only where one stands around commands."""

    @property
    def usage(self) -> str:
        """`/think [off|low|…]`."""
        return f"/{self.name} {self.hint}".rstrip()


def _rename(said: Said) -> Input:
    return Rename(said.argument)


def _model(said: Said) -> Input:
    return SetModel(said.argument)


def _server(said: Said) -> Input:
    if not re.match(r"https?://\S+$", said.argument):
        raise InputError("/server takes an address, such as http://127.0.0.1:8080/v1.")
    return SetModel("", said.argument)


def _mode(said: Said) -> Input:
    # Only here: it brings the reading of command lines with it, 10 ms that every start would wait.
    from qcode.permission.modes import modes, parse_mode  # noqa: PLC0415 - reason above

    if said.argument not in modes():
        try:  # a word that only a start may use is no mode to change to
            preset = parse_mode(said.argument)
        except ConfigError as error:
            raise InputError(str(error)) from error
        if preset.asks == "deny" or preset.sandbox:
            raise InputError(f"{said.argument} can only be given at the start: --permission-mode.")
        return SetMode(preset.mode)
    return SetMode(parse_mode(said.argument).mode)


def _think(said: Said) -> Input:
    return SetThinking(thinking_tokens(said.argument, said.answer_tokens))


def _compact(said: Said) -> Input:
    return Compact(said.argument)


def _undo(said: Said) -> Input:
    return Undo()


def _redo(said: Said) -> Input:
    return Redo()


def _init(said: Said) -> Input:
    return Prompt(WRITE_AGENTS)


def _port(said: Said) -> Input:
    word, _, rest = said.argument.partition(" ")
    number = rest.strip() if word == "close" else said.argument
    if not said.argument:
        return ListPorts()
    if not (number.isascii() and number.isdigit() and len(number) <= 5):
        raise InputError("/port takes a number, as in /port 3001, or /port close 3001.")
    return ClosePort(int(number)) if word == "close" else OpenPort(int(number))


_NUMBERS: dict[str, tuple[float, float]] = {
    "temperature": (0, 5),
    "top_p": (0, 1),
    "top_k": (0, 100_000),
    "min_p": (0, 1),
    "presence_penalty": (-2, 2),
}


def sampling(argument: str) -> SetSampling:
    """`temperature=0.7 top_k=20`; `auto` = as the model's maker recommends. Raises InputError."""
    if argument == "auto":
        return SetSampling()
    values: dict[str, float] = {}
    for word in argument.split():
        name, sign, text = word.partition("=")
        if name not in _NUMBERS or not sign:
            raise InputError(f"/sampling takes auto or {'=… '.join(_NUMBERS)}=…, not {word!r}.")
        values[name] = _number(name, text)
    top_k = values.pop("top_k", None)
    return SetSampling(**values, top_k=None if top_k is None else round(top_k))


def _number(name: str, text: str) -> float:
    least, most = _NUMBERS[name]
    try:
        value = float(text)
    except ValueError:
        value = least - 1
    if not least <= value <= most:
        raise InputError(f"{name} is a number from {least:g} to {most:g}, not {text!r}.")
    return value


_EFFORTS = "|".join(EFFORT)

COMMANDS: tuple[Command, ...] = (
    Command("help", "keys and commands", "help", aliases=("?",)),
    Command("new", "begin a new session", "new_session", aliases=("clear",), when="idle"),
    Command(
        "resume", "go on with an earlier session", "resume", "perhaps", "[id or name]", when="idle"
    ),
    Command("sessions", "find, rename, fork, export, delete sessions", "sessions"),
    Command("rename", "give this session a name", "rename", "perhaps", "[name]", _rename),
    Command("fork", "go on in a copy of this session", "fork", when="idle"),
    Command("export", "write this session to a file", "export", "perhaps", "[file.md|.html|.json]"),
    Command("copy", "copy the last answer", "copy_answer"),
    Command("model", "choose the model", "models", "perhaps", "[name]", _model),
    Command("server", "choose the server", "servers", "perhaps", "[address]", _server),
    Command(
        "profile", "work with a profile of the settings", "profiles", "perhaps", "[name]", _model
    ),
    Command(
        "mode",
        "what is asked before it is done",
        "modes",
        "perhaps",
        "[plan|ask|edit|auto]",
        _mode,
    ),
    Command("think", "thinking budget", "thinking", "perhaps", f"[{_EFFORTS}|tokens]", _think),
    Command(
        "sampling",
        "sampling values",
        "sampling",
        "perhaps",
        "[auto|temperature=…]",
        lambda said: sampling(said.argument),
    ),
    Command("context", "what fills the window", "context"),
    Command(
        "compact", "replace old messages by a summary", "", "perhaps", "[what to keep]", _compact
    ),
    Command("stats", "tokens, rates, repairs of this session", "stats", aliases=("usage", "cost")),
    Command("review", "all changes of this session, hunk by hunk", "review"),
    Command("diff", "changes in git, hunk by hunk", "diff", "perhaps", "[staged|branch]"),
    Command("rewind", "go back to before a prompt", "rewind", when="idle"),
    Command("undo", "put back the files of the last turn", says=_undo, when="idle"),
    Command("redo", "take back the last /undo", says=_redo, when="idle"),
    Command(
        "port",
        "reach what listens inside the sandbox",
        takes="perhaps",
        hint="[number|close number]",
        says=_port,
        needs="fence",
    ),
    Command("permissions", "rules, and where they stand", "permissions"),
    Command("init", "have the model write AGENTS.md", says=_init),
    Command("theme", "choose the colours", "themes", "perhaps", "[name]"),
    Command("vim", "vim keys in the prompt on or off", "vim"),
    Command("config", "settings, and where they come from", "config"),
    Command(
        "doctor",
        "what is wrong with the server, measured",
        "doctor",
        "perhaps",
        "[anyway]",
        when="idle",
    ),
    Command("bug", "a report about qcode, for you to read and send", "bug"),
    Command("quit", "leave; the session can be resumed", "leave", aliases=("exit", "q")),
)


def built(
    commands: Iterable[Command], can: Callable[[str], object], fence: str = ""
) -> tuple[Command, ...]:
    """Those whose action exists: `can(name)` is what stands behind it, false or None = nothing.
    `fence`: see `Status.fence`."""
    has = {"": True, "fence": fence == "holds"}
    return tuple(row for row in commands if has[row.needs] and (not row.action or can(row.action)))


def meant(
    name: str,
    argument: str = "",
    commands: Iterable[Command] = COMMANDS,
    answer_tokens: int = ANSWER_TOKENS,
) -> tuple[Command, Input | Action]:
    """The command that `/name argument` is, and what it does. Raises InputError with a sentence."""
    row = _row(name, tuple(commands))
    return row, _does(row, Said(argument, answer_tokens))


def _row(name: str, rows: tuple[Command, ...]) -> Command:
    by_name = {word: row for row in rows for word in (row.name, *row.aliases)}
    if name in by_name:
        return by_name[name]
    longer = [row.name for row in rows if row.name.startswith(name)]
    near = (longer or difflib.get_close_matches(name, by_name, 1, 0.5))[:1]
    hint = f"Did you mean /{near[0]}?" if near else "/help lists the commands."
    raise InputError(f"There is no command /{name}. {hint}")


def _does(row: Command, said: Said) -> Input | Action:
    if said.argument and row.takes == "nothing":
        raise InputError(f"/{row.name} takes nothing behind it.")
    if row.says and (said.argument or not row.action):
        return row.says(said)
    return Action(row.action, said.argument)
