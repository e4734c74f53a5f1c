"""Modes: what is allowed, asked or denied where no rule speaks. The table is the definition.

`dontAsk` is no mode of its own but `ask` with every question denied; `yolo` and
`bypassPermissions` are `auto` with the sandbox off, by the user's own consent.
"""

import difflib
from collections.abc import Mapping
from typing import Literal, get_args

import msgspec

from qcode.permission.readonly import is_read_only
from qcode.permission.shell import split
from qcode.permission.suggest import narrowest
from qcode.permission.words import names
from qcode.protocol.access import Access, Answer
from qcode.protocol.errors import ConfigError

Mode = Literal["plan", "ask", "edit", "auto"]

Fence = Literal["holds", "none", "off"]
"""Does the operating system limit commands? `off` = the user said `--sandbox off`."""

Cell = Literal["allow", "ask", "deny", "read-only, else ask", "read-only, else deny"]
"""An answer, or one for commands that only read (`readonly.COMMANDS`) and one for the others."""


class Row(msgspec.Struct, frozen=True):
    """One mode."""

    claude: str
    """Claude's word for it."""
    aliases: tuple[str, ...]
    read: Cell
    """In the workspace."""
    edit: Cell
    """In the workspace."""
    beyond: Cell
    """A protected name, outside of the workspace, the network; reading as well as editing."""
    fenced: Cell
    """A command while the fence holds."""
    unfenced: Cell
    """A command without a fence."""


TABLE: Mapping[Mode, Row] = {
    "plan": Row("plan", (), "allow", "deny", "deny", "read-only, else deny", "read-only, else ask"),
    "ask": Row("default", ("manual",), "allow", "ask", "ask", "ask", "ask"),
    "edit": Row("acceptEdits", ("auto-edit",), "allow", "allow", "ask", "ask", "ask"),
    "auto": Row("auto", (), "allow", "allow", "ask", "allow", "ask"),
}

TOLD = names("agents.md claude.md gemini.md qwen.md")
"""Files whose edits count as those of a protected name; reading them does not. They only advise,
but what a hostile text had written there would be obeyed from then on."""

SECRET: Answer = "deny"
"""Of every mode to tools that would touch keys, or what qcode keeps of its own: no column, since no
mode differs. A rule of the user's that names the place allows it."""

HEADINGS = (
    "mode (Claude's word; aliases)",
    "read in workspace",
    "edit in workspace",
    "protected name, outside, network",
    "shell, fence holds",
    "shell, no fence",
)


class Preset(msgspec.Struct, frozen=True):
    """What a word for a mode stands for."""

    mode: Mode
    asks: Literal["ask", "deny"] = "ask"
    """`deny` = nobody is asked: each question counts as denied."""
    sandbox: Literal["", "off"] = ""
    """`off` = consent to commands without a fence; only from the command line or user config."""


PRESETS: Mapping[str, Preset] = {
    **{mode: Preset(mode) for mode in TABLE},
    **{row.claude: Preset(mode) for mode, row in TABLE.items()},
    **{alias: Preset(mode) for mode, row in TABLE.items() for alias in row.aliases},
    "dontAsk": Preset("ask", asks="deny"),
    "yolo": Preset("auto", sandbox="off"),
    "bypassPermissions": Preset("auto", sandbox="off"),
}
"""Every word for a mode -> what it stands for."""


def parse_mode(word: str) -> Preset:
    """What `word` stands for. Raises ConfigError with the words there are."""
    if preset := PRESETS.get(word):
        return preset
    close = difflib.get_close_matches(word, PRESETS, 1)
    hint = f"Did you mean {close[0]}?" if close else f"The words are {', '.join(PRESETS)}."
    raise ConfigError(f"{word!r} is not a permission mode. {hint}")


def default_answer(mode: Mode, access: Access, fence: Fence) -> Answer:
    """The table's answer where no rule speaks of `access`."""
    cell = _cell(TABLE[mode], access, fence)
    if cell == "allow" or cell == "ask" or cell == "deny":
        return cell
    return "allow" if is_read_only(split(access.target)) else _ELSE[cell]


def unread_answer(mode: Mode, access: Access, fence: Fence) -> Answer:
    """The table's answer to a command that may do more than read, whatever its words look like."""
    cell = _cell(TABLE[mode], access, fence)
    return cell if cell == "allow" or cell == "ask" or cell == "deny" else _ELSE[cell]


_ELSE: Mapping[Cell, Answer] = {"read-only, else ask": "ask", "read-only, else deny": "deny"}


def _cell(row: Row, access: Access, fence: Fence) -> Cell:
    if access.kind == "shell":
        consented = row is TABLE["auto"] and fence == "off"
        return row.fenced if fence == "holds" or consented else row.unfenced
    if access.place == "secret":
        return SECRET
    if access.kind == "network" or access.place != "workspace" or _instructs(access):
        return row.beyond
    return row.read if access.kind == "read" else row.edit


def _instructs(access: Access) -> bool:
    """Would it change what every later session is told?"""
    return access.kind == "edit" and access.target.rpartition("/")[2].casefold() in TOLD


def why(mode: Mode, access: Access, answer: Answer, fence: Fence) -> str:
    """A clause that says what `default_answer` went by: `ask mode asks before edits`."""
    if access.place == "secret":
        return (
            "keys, and what qcode keeps of its own, are closed to tools in every mode; a rule of "
            f"the user's settings or flags that names the place opens it: {narrowest(access)}"
        )
    what = {"read": "reading", "edit": "edits", "shell": "commands", "network": "network access"}
    place = {"protected": " of protected names", "outside": " outside of the workspace"}
    touched = what[access.kind] + place.get(access.place, "")
    if _instructs(access) and access.place == "workspace":
        touched += " of what agents are told"
    if access.kind == "shell":
        touched += {"holds": " in the sandbox", "none": " without a sandbox", "off": ""}[fence]
    verb = {"allow": "allows", "ask": "asks before", "deny": "denies"}[answer]
    return f"{mode} mode {verb} {touched}"


def table() -> str:
    """The table as Markdown, as the README shows it."""
    rows = [HEADINGS, *(_cells(mode, row) for mode, row in TABLE.items())]
    lines = ["| " + " | ".join(cells) + " |" for cells in rows]
    return "\n".join([lines[0], "|" + "---|" * len(HEADINGS), *lines[1:]]) + "\n"


def _cells(mode: Mode, row: Row) -> tuple[str, ...]:
    words = "; ".join([f"`{row.claude}`" if row.claude == mode else row.claude, *row.aliases])
    if row.claude != mode:
        words = "; ".join([f"`{row.claude}`", *row.aliases])
    fenced = "allow: the fence is the boundary" if row.fenced == "allow" else _said(row.fenced)
    return (f"{mode} ({words})", row.read, row.edit, row.beyond, fenced, _said(row.unfenced))


def _said(cell: Cell) -> str:
    words = "allow-listed read-only commands"
    return {"read-only, else ask": f"{words}, else ask", "read-only, else deny": words}.get(
        cell, cell
    )


def modes() -> tuple[Mode, ...]:
    """The names, in the order of the table."""
    return get_args(Mode)
